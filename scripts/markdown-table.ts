/** Columns are padded, as the formatter wants them. */
export function table(head: string[], lines: string[][]): string {
  const widths = head.map((_, i) => Math.max(3, ...[head, ...lines].map((cells) => cells[i]?.length ?? 0)));
  const rule = widths.map((width) => '-'.repeat(width));
  return [head, rule, ...lines]
    .map((cells) => `| ${widths.map((width, i) => (cells[i] ?? '').padEnd(width)).join(' | ')} |`)
    .join('\n');
}

type Named = readonly [string, ...unknown[]] | string[];

/** By code unit, so that the page is the same on every machine. */
export const byName = ([a = '']: Named, [b = '']: Named): number => (a < b ? -1 : a > b ? 1 : 0);
