/** Whether docs/compatibility.md has a row for each operation. Its ticks are as old as the last recording; its rows may not be. */
import type { Family } from '../src/kit/operation.ts';
import { compatibilityPage } from './compatibility.ts';

const advice = 'run `node scripts/compatibility.ts --record`, then `node scripts/compatibility.ts`';

export function complaintAboutRows(page: string, families: Family[]): string | null {
  const [had, wanted] = [rowsOf(page), rowsOf(compatibilityPage(families, []))];
  const missing = [...wanted.difference(had)].map((row) => `lacks ${row}`);
  const gone = [...had.difference(wanted)].map((row) => `has ${row}, which is no operation`);
  const wrong = [...missing, ...gone];
  return wrong.length === 0 ? null : `docs/compatibility.md ${wrong.join('; ')}: ${advice}.`;
}

/** `agents create`, by the heading above and the first cell. */
function rowsOf(page: string): Set<string> {
  const sections = page.split(/^## /m).slice(1);
  return new Set(
    sections.flatMap((section) => {
      const [name = '', ...lines] = section.split('\n');
      const cells = lines.map((line) => /^\| *([\w$./-]+) *\|/.exec(line)?.[1]);
      // Below the heads of the columns and their rule.
      const operations = cells.filter((cell) => cell !== undefined).slice(2);
      return operations.map((operation) => `${name.trim()} ${operation}`);
    }),
  );
}
