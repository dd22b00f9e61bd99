import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openDatabase } from '../../storage/database.ts';
import { projectTables as agents } from '../agents/project-tables.ts';
import { projectTables as assets } from '../assets/project-tables.ts';
import { projectTables as chatCompletions } from '../chat-completions/project-tables.ts';
import { projectTables as connections } from '../connections/project-tables.ts';
import { projectTables as containers } from '../containers/project-tables.ts';
import { projectTables as conversations } from '../conversations/project-tables.ts';
import { projectTables as files } from '../files/project-tables.ts';
import { migrations } from '../index.ts';
import { projectTables as responses } from '../responses/project-tables.ts';
import { serverTables } from '../server-tables.ts';
import { projectTables as uploads } from '../uploads/project-tables.ts';
import { projectTables as vectorStores } from '../vector-stores/project-tables.ts';

const declared = [
  ...[agents, assets, chatCompletions, connections, containers, conversations, files, responses, uploads],
  vectorStores,
  serverTables,
].flat();

/** Rows of no project, or of all. */
const ofTheServer = ['projects', 'unused_collections', 'schema_migrations', 'schema_migrations_lock'];

test('every table says what becomes of its rows when a project is forked or deleted', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, migrations);
  const tables = await database.introspection.getTables({ withInternalKyselyTables: true });
  const names = tables.map(({ name }) => name).filter((name) => !ofTheServer.includes(name));
  expect(names.sort()).toEqual(declared.map(({ table }) => table).sort());
  for (const { table, parent, counts = {}, instead = {}, names = [] } of declared) {
    const columns = tables.find(({ name }) => name === table)?.columns.map(({ name }) => name);
    const said = [parent?.column ?? 'project', ...Object.keys(counts), ...Object.keys(instead), ...names];
    expect(columns, table).toEqual(expect.arrayContaining(said));
  }
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});
