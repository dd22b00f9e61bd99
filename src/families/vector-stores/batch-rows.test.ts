import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { type AttachOptions, attachFiles } from './attach.ts';
import { batchRows } from './batch-rows.ts';
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

test('a batch is counted once each, whatever is attached anew meanwhile', async () => {
  await database.withTables<StoreTables>().insertInto('vector_stores').values(store).execute();
  const batches = batchRows(database);
  const ids = Array.from({ length: 250 }, (_, i) => `file_${String(i).padStart(3, '0')}`);
  const batch = await batchOf(ids, 0);
  for (let wait = 0; wait < 40; wait++) {
    const counting = batches.counts(batch);
    for (let turn = 0; turn < wait; turn++) await null;
    // At first they leave the batch that they came with; then its members are attached anew.
    await batchOf(wait < 20 ? ids.slice(wait * 10, wait * 10 + 10) : ids, wait + 1);
    expect(totalOf(await counting)).toBe(250);
  }
  expect(totalOf(await batches.counts(batch))).toBe(250);
});

test('a file that was forgotten and is attached again belongs to the batches it belonged to', async () => {
  await database.withTables<StoreTables>().insertInto('vector_stores').values(store).execute();
  const [files, batches] = [fileRows(database), batchRows(database)];
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
  expect(totalOf(await batches.counts(first))).toBe(2);
  expect(totalOf(await batches.counts(second))).toBe(1);
});
