import OpenAI from 'openai';
import { afterEach, expect, test } from 'vitest';
import { type StoreApp, storeApp } from '../testing/store-app.ts';
import { testKey } from '../testing/test-app.ts';

let app: StoreApp;
afterEach(() => app.close());

async function start() {
  app = await storeApp();
  const baseURL = `${await app.listen()}/openai/v1`;
  return new OpenAI({ apiKey: testKey, baseURL, maxRetries: 0 });
}

test('the official client waits for a file until it is taken in', async () => {
  const client = await start();
  const store = await client.vectorStores.create({ name: 'notes' });
  const file_id = app.files.add('otters.md', 'Otters swim.');
  const file = await client.vectorStores.files.createAndPoll(store.id, { file_id });
  expect(file).toMatchObject({ id: file_id, status: 'completed' });
  const found = await Array.fromAsync(client.vectorStores.search(store.id, { query: 'otters' }));
  expect(found).toMatchObject([{ file_id, content: [{ type: 'text', text: 'Otters swim.' }] }]);
  const content = await Array.fromAsync(
    await client.vectorStores.files.content(file_id, { vector_store_id: store.id }),
  );
  expect(content).toEqual([{ type: 'text', text: 'Otters swim.' }]);
});

test('and for a batch, whose files it lists page by page', async () => {
  const client = await start();
  const store = await client.vectorStores.create({});
  const file_ids = Array.from({ length: 45 }, (_, i) => app.files.add(`${i}.txt`, `Text ${i}.`));
  const batch = await client.vectorStores.fileBatches.createAndPoll(store.id, { file_ids });
  expect(batch).toMatchObject({ status: 'completed', file_counts: { completed: 45, total: 45 } });
  const listed = await Array.fromAsync(
    client.vectorStores.fileBatches.listFiles(batch.id, { vector_store_id: store.id, order: 'asc' }),
  );
  expect(listed.map(({ id }) => id)).toEqual(file_ids);
});

test('files can be detached while they are listed', async () => {
  const client = await start();
  const file_ids = Array.from({ length: 5 }, (_, i) => app.files.add(`${i}.txt`, 'x'));
  const store = await client.vectorStores.create({ file_ids });
  for await (const { id } of client.vectorStores.files.list(store.id, { limit: 2 })) {
    await client.vectorStores.files.delete(id, { vector_store_id: store.id });
  }
  expect((await client.vectorStores.retrieve(store.id)).file_counts.total).toBe(0);
});
