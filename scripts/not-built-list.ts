import { type ContractRow, rowLine } from '../src/families/not-built/contract-rows.ts';

/** `test/contract/not-built.txt`: what is not there yet, and how many entries that may be at most. */
export interface NotBuiltList {
  atMost: number;
  lines: string[];
}

export const notBuiltListFile = new URL('../test/contract/not-built.txt', import.meta.url);

const mostPattern = /^# at most: (\d+)$/m;

export function parseNotBuiltList(text: string): NotBuiltList {
  const atMost = mostPattern.exec(text)?.[1];
  if (atMost === undefined) throw new Error('not-built.txt has no line "# at most: N".');
  return {
    atMost: Number(atMost),
    lines: text.split('\n').filter((line) => line !== '' && !line.startsWith('#')),
  };
}

export const linesOf = (rows: ContractRow[]): string[] => rows.map(rowLine).sort();

/** What is wrong with the list, in words that say what to do; null when it is as it should be. */
export function complaintAbout({ atMost, lines }: NotBuiltList, notBuilt: ContractRow[]): string | null {
  const actual = linesOf(notBuilt);
  const lost = actual.filter((line) => !lines.includes(line));
  if (lost.length > 0) {
    return `The list of what is not built may only shrink, but these are not served any more:\n${lost.join('\n')}`;
  }
  const stale = lines.filter((line) => !actual.includes(line));
  if (stale.length > 0) {
    return `Built by now, take it off the list with \`node scripts/coverage.ts\`:\n${stale.join('\n')}`;
  }
  if (lines.join('\n') !== actual.join('\n')) return 'The list is not sorted, or has an entry twice.';
  if (atMost !== lines.length) {
    return `The list has ${lines.length} entries and says "at most: ${atMost}"; that number may only go down.`;
  }
  return null;
}

/** The list's text without what is built by now. Nothing is ever added to it. */
export function shrunk(text: string, notBuilt: ContractRow[]): string {
  const actual = new Set(linesOf(notBuilt));
  const { atMost, lines } = parseNotBuiltList(text);
  const kept = lines.filter((line) => actual.has(line));
  return text
    .split('\n')
    .filter((line) => line === '' || line.startsWith('#') || actual.has(line))
    .join('\n')
    .replace(mostPattern, `# at most: ${Math.min(atMost, kept.length)}`);
}
