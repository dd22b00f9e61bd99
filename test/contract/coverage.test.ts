import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { compatibilityPage } from '../../scripts/compatibility.ts';
import { complaintAboutRows } from '../../scripts/compatibility-rows.ts';
import { coveragePage, coveragePageFile } from '../../scripts/coverage-page.ts';
import { complaintAbout, notBuiltListFile, parseNotBuiltList, shrunk } from '../../scripts/not-built-list.ts';
import { type OpenFamilies, openFamilies } from '../../scripts/open-families.ts';
import { type ContractRow, contractRows, rowLine } from '../../src/families/not-built/contract-rows.ts';
import { type Coverage, coverageOf } from '../../src/families/not-built/coverage.ts';
import { notBuiltName } from '../../src/families/not-built/index.ts';

describe('as checked in', () => {
  let opened: OpenFamilies;
  let coverage: Coverage;
  beforeAll(async () => {
    opened = await openFamilies();
    coverage = coverageOf(opened.families.filter(({ name }) => name !== notBuiltName));
  });
  afterAll(() => opened.close());

  test('the list of what is not built is what is not built', () => {
    expect(
      complaintAbout(parseNotBuiltList(readFileSync(notBuiltListFile, 'utf8')), coverage.notBuilt),
    ).toBeNull();
  });

  test('docs/coverage.md is up to date; `node scripts/coverage.ts` writes it', () => {
    expect(readFileSync(coveragePageFile, 'utf8')).toBe(coveragePage(coverage));
  });

  test('a page of compatibility has a row for each operation, ticked or not', () => {
    const call = { method: 'GET', path: '/agents', status: 200, language: 'js', version: '7.0.0' };
    const page = compatibilityPage(opened.families, [call]);
    const complaint = (text: string) => complaintAboutRows(text, opened.families);
    expect(complaint(page)).toBeNull();
    const row = /^## agents$[^#]*?^(\| create +\|.*\n)/m.exec(page)?.[1] ?? '';
    expect(complaint(page.replace(row, ''))).toMatch(/^docs\/compatibility\.md lacks agents create: run/);
    expect(complaint(page.replace(row, row + row.replace('create', 'conjure')))).toContain(
      'has agents conjure, which is no operation',
    );
  });

  test('the server answers for everything that no family serves', () => {
    expect(opened.families.map(({ name }) => name)).toContain(notBuiltName);
  });
});

describe('the list of what is not built', () => {
  const [a, b, c] = contractRows().slice(0, 3) as [ContractRow, ContractRow, ContractRow];
  const text = (atMost: number, ...rows: ContractRow[]) =>
    `# What is not there.\n# at most: ${atMost}\n\n${rows.map(rowLine).sort().join('\n')}\n`;
  const complaint = (list: string, notBuilt: ContractRow[]) =>
    complaintAbout(parseNotBuiltList(list), notBuilt);

  test('may name exactly what is not built', () => {
    expect(complaint(text(2, a, b), [b, a])).toBeNull();
  });

  test('does not take in what was built and is not any more', () => {
    expect(complaint(text(2, a, b), [a, b, c])).toContain(rowLine(c));
    expect(shrunk(text(2, a, b), [a, b, c])).toBe(text(2, a, b));
  });

  test('loses what has been built, and its maximum with it', () => {
    expect(complaint(text(3, a, b, c), [a, c])).toContain(rowLine(b));
    expect(shrunk(text(3, a, b, c), [a, c])).toBe(text(2, a, c));
  });

  test('keeps its maximum at its length', () => {
    expect(complaint(text(3, a, b), [a, b])).toMatch(/may only go down/);
    expect(complaint(text(1, a, b), [a, b])).toMatch(/may only go down/);
  });

  test('is sorted and names nothing twice', () => {
    expect(complaint(text(3, a, b, b), [a, b])).toMatch(/twice/);
  });
});
