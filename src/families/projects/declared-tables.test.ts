import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { projectTables as declared } from '../project-tables.ts';

/** Rows of no project, or of all. */
const ofTheServer = [
  'projects',
  'contents_to_sync',
  'unused_collections',
  'schema_migrations',
  'schema_migrations_lock',
];

test('every table says what becomes of its rows when a project is forked or deleted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, migrations);
  const tables = await database.introspection.getTables({ withInternalKyselyTables: true });
  const names = tables.map(({ name }) => name).filter((name) => !ofTheServer.includes(name));
  expect(names.sort()).toEqual(declared.map(({ table }) => table).sort());
  for (const { table, parent, counts = {}, instead = {}, names = [], json = [] } of declared) {
    const columns = tables.find(({ name }) => name === table)?.columns.map(({ name }) => name);
    const said = [
      parent?.column ?? 'project',
      ...Object.keys(counts),
      ...Object.keys(instead),
      ...names,
      ...json,
    ];
    expect(columns, table).toEqual(expect.arrayContaining(said));
  }
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});
