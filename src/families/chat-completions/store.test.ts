import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../storage/database.ts';
import type { ChatCompletion } from './contract.ts';
import { newCompletionId } from './ids.ts';
import { migrations } from './migrations.ts';
import { type ChatCompletionStore, chatCompletionStore } from './store.ts';

let directory: string;
let database: Database;
let store: ChatCompletionStore;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  database = await openDatabase(directory, migrations);
  store = chatCompletionStore(database);
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const completion = (metadata?: Record<string, string>): ChatCompletion => ({
  id: newCompletionId(),
  object: 'chat.completion',
  created: 1,
  model: 'mine',
  choices: [],
  usage: {
    prompt_tokens: 1,
    completion_tokens: 1,
    total_tokens: 2,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: 0,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  },
  ...(metadata === undefined ? {} : { metadata }),
});

const owner = { project: 'one', userIdentity: null };
const stranger = { project: 'two', userIdentity: null };
const all = { above: null, below: null, direction: 'asc', limit: 10 } as const;

test('projects do not see each other', async () => {
  const own = completion({ topic: 'x' });
  await store.insert(own, [], owner);
  const any = { model: null, metadata: {} };
  expect(await store.list(owner, any, all)).toEqual([own]);
  for (const metadata of [{}, { topic: 'x' }])
    expect(await store.list(stranger, { ...any, metadata }, all)).toEqual([]);
  expect(await store.find(own.id, stranger)).toBeUndefined();
  expect(await store.messages(own.id, stranger)).toBeUndefined();
  expect(await store.setMetadata(own.id, stranger, {})).toBeUndefined();
  expect(await store.delete(own.id, stranger)).toBe(false);
  expect(await store.find(own.id, owner)).toEqual(own);
});

test('the pairs of the metadata go with their completion', async () => {
  const own = completion({ a: '1', b: '2' });
  await store.insert(own, [], owner);
  await store.setMetadata(own.id, owner, { a: '1', c: '3' });
  const pairs = () =>
    database
      .withTables<{ chat_completion_metadata: { key: string; value: string } }>()
      .selectFrom('chat_completion_metadata')
      .select(['key', 'value'])
      .orderBy('key')
      .execute();
  expect(await pairs()).toEqual([
    { key: 'a', value: '1' },
    { key: 'c', value: '3' },
  ]);
  expect(await store.delete(own.id, owner)).toBe(true);
  expect(await pairs()).toEqual([]);
});

test('updates at the same time leave the pairs of the last one', async () => {
  const own = completion();
  await store.insert(own, [], owner);
  await Promise.all(
    Array.from({ length: 8 }, (_, i) => store.setMetadata(own.id, owner, { [`k${i}`]: 'v', n: `${i}` })),
  );
  const { metadata = {} } = (await store.find(own.id, owner)) ?? {};
  for (let i = 0; i < 8; i++) {
    const found = await store.list(owner, { model: null, metadata: { [`k${i}`]: 'v' } }, all);
    expect(found.length).toBe(metadata.n === `${i}` ? 1 : 0);
  }
});
