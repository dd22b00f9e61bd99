import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Database, openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { fileRows } from './file-rows.ts';

let database: Database;
beforeEach(async () => {
  database = await openDatabase(mkdtempSync(join(tmpdir(), 'bloomery-test-')), migrations);
});
afterEach(() => database.destroy());

test('what is done for each file finds it by its key, however many the project has', async () => {
  const files = fileRows(database);
  const file = { project: 'one', key: 'vsf_1' };
  const execute = vi.spyOn(database, 'executeQuery');
  await files.countAttempt(file, 1);
  await files.beginNext({ project: 'one', id: 'vs_1' }, ['vsf_0']);
  await files.claim('one', ['vsf_1', 'vsf_2']);
  await files.complete('one', new Map([['vsf_1', 5]]));
  const queries = execute.mock.calls.map(([query]) => query as { sql: string });
  expect(queries).toHaveLength(4);
  for (const query of queries) {
    const explained = sql.raw<{ detail: string }>(`explain query plan ${query.sql}`).compile(database);
    const { rows } = await database.executeQuery<{ detail: string }>({ ...explained, parameters: [] });
    const looks = rows.map(({ detail }) => detail).filter((detail) => detail.includes('INDEX vector_store'));
    // By the key it is one of the table's own indexes; those with names have what many files share.
    for (const look of looks) expect(look).toMatch(/_status \(project=\? AND store_id=\? AND status=\?\)$/);
    expect(rows.map(({ detail }) => detail).join()).toMatch(/\(project=\? AND key=\?\)/);
  }
});
