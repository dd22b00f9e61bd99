/**
 * `node scripts/coverage.ts` writes docs/coverage.md and docs/roles.md, and takes what is built off test/contract/not-built.txt;
 * with `--check` it writes nothing and fails when one of them, or the rows of docs/compatibility.md, is out of date.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { coverageOf } from '../src/families/not-built/coverage.ts';
import { notBuiltName } from '../src/families/not-built/index.ts';
import { compatibilityPageFile } from './compatibility.ts';
import { complaintAboutRows } from './compatibility-rows.ts';
import { coveragePage, coveragePageFile } from './coverage-page.ts';
import { complaintAbout, notBuiltListFile, parseNotBuiltList, shrunk } from './not-built-list.ts';
import { openFamilies } from './open-families.ts';
import { rolesPage, rolesPageFile } from './roles-page.ts';

const opened = await openFamilies();
const coverage = coverageOf(opened.families.filter(({ name }) => name !== notBuiltName));
await opened.close();

const pages = [
  { file: coveragePageFile, name: 'docs/coverage.md', text: coveragePage(coverage) },
  { file: rolesPageFile, name: 'docs/roles.md', text: rolesPage(coverage, opened.families) },
];
const list = readFileSync(notBuiltListFile, 'utf8');

if (process.argv.includes('--check')) {
  const complaints = [
    ...pages.map(({ file, name, text }) =>
      readFileSync(file, 'utf8') === text
        ? null
        : `${name} is out of date; run \`node scripts/coverage.ts\`.`,
    ),
    complaintAbout(parseNotBuiltList(list), coverage.notBuilt),
    existsSync(compatibilityPageFile)
      ? complaintAboutRows(readFileSync(compatibilityPageFile, 'utf8'), opened.families)
      : null,
  ].filter((complaint) => complaint !== null);
  for (const complaint of complaints) process.stderr.write(`${complaint}\n`);
  process.exitCode = complaints.length > 0 ? 1 : 0;
} else {
  const shorter = shrunk(list, coverage.notBuilt);
  for (const { file, text } of pages) writeFileSync(file, text);
  writeFileSync(notBuiltListFile, shorter);
  const complaint = complaintAbout(parseNotBuiltList(shorter), coverage.notBuilt);
  if (complaint !== null) {
    process.stderr.write(`${complaint}\n`);
    process.exitCode = 1;
  }
}
