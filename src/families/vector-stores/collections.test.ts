import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { SearchIndex } from '../../providers/search/search-index.ts';
import { openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { collectionRows } from './collection-rows.ts';
import { createCollections } from './collections.ts';
import { type StoreRow, storeRows } from './store-rows.ts';

const store: StoreRow = {
  ...{ project: 'fork', id: 'vs_1', home: 'default', name: '', description: null, metadata: '{}' },
  ...{ embeddings: '', created_at: 1, last_active_at: 1, expires_days: null, state: 'active' },
};

test.each([
  ['while the reason stands', true, /^coll_/],
  ['not after a reset', false, /^default$/],
])('a shared store gets a collection of its own, %s', async (_, stands, home) => {
  const directory = await mkdtemp(join(tmpdir(), 'collections-'));
  const database = await openDatabase(directory, migrations);
  const insert = database.withTables<{ vector_stores: StoreRow }>().insertInto('vector_stores');
  await insert.values([store, { ...store, project: 'default' }]).execute();
  const index = { copy: async () => {} } as unknown as SearchIndex;
  const own = await createCollections(collectionRows(database), index).own(store, async () => stands);
  expect(own.project).toMatch(/^coll_/);
  expect((await storeRows(database).find('fork', 'vs_1'))?.home).toMatch(home);
  await database.destroy();
  await rm(directory, { recursive: true });
});
