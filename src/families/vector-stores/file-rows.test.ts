import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Database, openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { type AttachOptions, attachFiles } from './attach.ts';
import { fileRows } from './file-rows.ts';
import type { StoreRow, StoreTables } from './store-rows.ts';

let database: Database;
beforeEach(async () => {
  database = await openDatabase(mkdtempSync(join(tmpdir(), 'bloomery-test-')), migrations);
});
afterEach(() => database.destroy());

const store: StoreRow = {
  ...{ project: 'one', id: 'vs_1', home: 'one', name: '', description: null, metadata: '{}', embeddings: '' },
  ...{ created_at: 1, last_active_at: 1, expires_days: null, state: 'active' },
};
const batchOf = async (fileIds: readonly string[], mark: number) => {
  const files = fileIds.map((fileId) => ({
    ...{ fileId, chunking: { maxTokens: 800, overlapTokens: 400 }, attributes: `{"mark":${mark}}` },
  }));
  const options: AttachOptions = {
    ...{ files, asBatch: true, askedBy: 'key', mostFiles: 10_000, now: 1, target: 'file_ids' },
  };
  const { batch } = await attachFiles(database, store, options);
  if (batch === null) throw new Error('No batch was made.');
  return batch;
};
const totalOf = (counts: ReadonlyMap<string, number>): number =>
  [...counts.values()].reduce((sum, count) => sum + count, 0);

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

test('a batch is counted once each, whatever is attached anew meanwhile', async () => {
  await database.withTables<StoreTables>().insertInto('vector_stores').values(store).execute();
  const files = fileRows(database);
  const ids = Array.from({ length: 250 }, (_, i) => `file_${String(i).padStart(3, '0')}`);
  const batch = await batchOf(ids, 0);
  for (let wait = 0; wait < 40; wait++) {
    const counting = files.batchCounts(batch);
    for (let turn = 0; turn < wait; turn++) await null;
    // At first they leave the batch that they came with; then its members are attached anew.
    await batchOf(wait < 20 ? ids.slice(wait * 10, wait * 10 + 10) : ids, wait + 1);
    expect(totalOf(await counting)).toBe(250);
  }
  expect(totalOf(await files.batchCounts(batch))).toBe(250);
});

test('a file that was forgotten and is attached again belongs to the batches it belonged to', async () => {
  await database.withTables<StoreTables>().insertInto('vector_stores').values(store).execute();
  const files = fileRows(database);
  const first = await batchOf(['file_1', 'file_2'], 0);
  const second = await batchOf(['file_2'], 0);
  for (const id of ['file_1', 'file_2']) {
    const row = await files.find(store, id);
    if (row === undefined) throw new Error('The file is not attached.');
    await files.detach(row, 1);
  }
  await files.forget(2);
  expect(await files.any(store, 'file_1')).toBeUndefined();
  await batchOf(['file_1', 'file_2'], 1);
  expect(totalOf(await files.batchCounts(first))).toBe(2);
  expect(totalOf(await files.batchCounts(second))).toBe(1);
});
