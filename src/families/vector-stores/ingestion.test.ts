import { afterEach, expect, test, vi } from 'vitest';
import { apiError, conflict } from '../../errors.ts';
import { DocumentError } from '../../providers/documents/documents.ts';
import type { ModelCaller } from '../../providers/models/caller.ts';
import type { ModelProvider } from '../../providers/models/model.ts';
import { memoryIndex } from '../testing/memory-index.ts';
import { scriptedModel } from '../testing/scripted-model.ts';
import { askingOf, type StoreApp, type StoreAppOptions, storeApp } from '../testing/store-app.ts';
import type { WholeApp } from '../testing/whole-app.ts';

let app: StoreApp;
/** Servers on the same data, later ones last. */
const others: WholeApp[] = [];
afterEach(async () => {
  vi.useRealTimers();
  for (const other of others.splice(0)) await other.close();
  await app.close();
});
const start = async (options?: StoreAppOptions) => {
  app = await storeApp(options);
  return app;
};
const base = '/openai/v1/vector_stores';
/** Asks, without waiting for the rests between attempts. */
const untilEnded = (path: string) =>
  vi.waitFor(async () => {
    await vi.advanceTimersByTimeAsync(10_000);
    const { json } = await app.call('GET', path);
    expect(json.status).not.toBe('in_progress');
    return json;
  });
const embedder = (embed: NonNullable<ModelProvider['embed']>): ModelProvider => ({
  ...scriptedModel().provider,
  embed,
});

test('a failure that may pass is tried again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  let failures = 2;
  const { files, store } = await start({
    before() {
      if (failures-- > 0) throw new DocumentError('server_error', 'The reader has ended.');
    },
  });
  const id = await store({ file_ids: [files.add('a.txt', 'x')] });
  expect((await untilEnded(`${base}/${id}`)).file_counts).toMatchObject({ completed: 1 });
});

test('a file is given up after some attempts, and others go on', async () => {
  let attempts = 0;
  const { call, files, store, fill } = await start({
    before(name) {
      if (name !== 'bad.txt') return;
      attempts++;
      throw new Error('A secret of the server.');
    },
  });
  const file = files.add('bad.txt', 'x');
  const bad = await store({ file_ids: [file] });
  const good = await store();
  expect((await fill(good, files.add('a.txt', 'x'))).file_counts).toMatchObject({ completed: 1 });
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  await untilEnded(`${base}/${bad}`);
  const { last_error } = (await call('GET', `${base}/${bad}/files/${file}`)).json;
  expect(last_error).toMatchObject({ code: 'server_error' });
  expect(JSON.stringify(last_error)).not.toContain('secret');
  expect(attempts).toBe(4);
});

test('what the embedding deployment says is wrong is told at once', async () => {
  const models = {
    m: embedder(async () => {
      throw apiError('context_length_exceeded', 'The input is too long for m.');
    }),
  };
  const { call, files, store, fill } = await start({ models, parts: { embeddings: 'm' } });
  const id = await store();
  const file = files.add('a.txt', 'x');
  await fill(id, file);
  expect((await call('GET', `${base}/${id}/files/${file}`)).json.last_error).toMatchObject({
    code: 'server_error',
    message: expect.stringContaining('too long for m'),
  });
});

test.each([
  ['too few', [[1, 2]]],
  ['of two lengths', [[1, 2], [1]]],
  [
    'no numbers',
    [
      [1, Number.NaN],
      [1, 2],
    ],
  ],
])('vectors that are %s fail the file', async (_, embeddings) => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const models = { m: embedder(async () => ({ embeddings, inputTokens: 1 })) };
  const { call, files, store, index } = await start({ models, parts: { embeddings: 'm' } });
  const id = await store();
  const file = files.add('a.txt', Array(801).fill('w').join(' '));
  await call('POST', `${base}/${id}/files`, { file_id: file });
  expect((await untilEnded(`${base}/${id}/files/${file}`)).status).toBe('failed');
  expect(index.held(id)).toEqual([]);
});

test('texts are embedded in batches', async () => {
  const sizes: number[] = [];
  const models = {
    m: embedder(async ({ inputs }) => {
      sizes.push(inputs.length);
      return { embeddings: inputs.map((text) => [text.length, 1]), inputTokens: 1 };
    }),
  };
  const { files, store, until } = await start({ models, parts: { embeddings: 'm' } });
  const words = Array(130 * 100)
    .fill('w')
    .join(' ');
  const id = await store({
    file_ids: [files.add('a.txt', words)],
    chunking_strategy: { type: 'static', static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 } },
  });
  await until(`${base}/${id}`, ({ status }) => status === 'completed');
  expect(sizes).toEqual([64, 64, 2]);
});

test('a limit is waited for, however often it is met, and what was embedded is not embedded again', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  let refusals = 6;
  const embedded: string[] = [];
  const callers: (ModelCaller | undefined)[] = [];
  const models = {
    m: embedder(async ({ inputs }, _signal, caller) => {
      callers.push(caller);
      if (inputs.length > 2) throw apiError('rate_limit_exceeded', 'Too large.', { retry: false });
      if (embedded.length === 2 && refusals-- > 0) {
        throw apiError('rate_limit_exceeded', 'Used up.', { headers: { 'retry-after': '7' } });
      }
      embedded.push(...inputs);
      return { embeddings: inputs.map((text) => [text.length, 1]), inputTokens: 1 };
    }),
  };
  const { call, files, store, until } = await start({ models, parts: { embeddings: 'm' } });
  const words = Array.from({ length: 600 }, (_, at) => `w${at}`).join(' ');
  const file = files.add('a.txt', words);
  const id = await store({
    file_ids: [file],
    chunking_strategy: { type: 'static', static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 0 } },
  });
  expect((await untilEnded(`${base}/${id}/files/${file}`)).status).toBe('completed');
  expect(refusals).toBeLessThan(0);
  expect([embedded.length, new Set(embedded).size]).toEqual([6, 6]);
  await until(`${base}/${id}`, ({ status }) => status === 'completed');
  expect((await call('POST', `${base}/${id}/search`, { query: 'w1' })).status).toBe(200);
  expect(embedded).toHaveLength(7);
  for (const caller of callers) expect(caller).toMatchObject({ project: 'default', key: 'test' });
});

test('stores take turns, however much one of them has to do', async () => {
  const order: string[] = [];
  const gate = Promise.withResolvers<void>();
  const { files, store, until } = await start({
    parts: { concurrency: 1 },
    before(name) {
      order.push(name[0] ?? '');
      return gate.promise;
    },
  });
  const large = await store({
    file_ids: ['a1.txt', 'a2.txt', 'a3.txt', 'a4.txt'].map((n) => files.add(n, 'x')),
  });
  const small = await store({ file_ids: ['b1.txt', 'b2.txt'].map((n) => files.add(n, 'x')) });
  gate.resolve();
  for (const id of [large, small]) await until(`${base}/${id}`, ({ status }) => status === 'completed');
  expect(order.join('')).toMatch(/^a(ab|ba)(ab|ba)a$|^abab/);
});

test('no more are taken in at once than may be', async () => {
  let [now, most] = [0, 0];
  const three = Promise.withResolvers<void>();
  const { files, store, until } = await start({
    parts: { concurrency: 3 },
    async before() {
      most = Math.max(most, ++now);
      if (now === 3) three.resolve();
      await three.promise;
      await new Promise((resolve) => setTimeout(resolve, 2));
      now--;
    },
  });
  const id = await store({ file_ids: Array.from({ length: 12 }, (_, i) => files.add(`${i}.txt`, 'x')) });
  await until(`${base}/${id}`, ({ status }) => status === 'completed');
  expect(most).toBe(3);
});

test('files that are read while the index is busy are put together, and none suffers for another', async () => {
  const index = memoryIndex();
  const putAll = index.putAll;
  const sizes: number[] = [];
  const free = Promise.withResolvers<void>();
  index.putAll = async (collection, given) => {
    sizes.push(given.length);
    if (sizes.length === 1) await free.promise;
    const isBad = ({ file }: (typeof given)[number]) => file.filename === 'bad.txt';
    await putAll(
      collection,
      given.filter((one) => !isBad(one)),
    );
    return given.map((one) => (isBad(one) ? conflict('It cannot be put.', null) : null));
  };
  let reads = 0;
  const { files, store, until } = await start({ index, before: async () => void reads++ });
  const names = ['a.txt', 'b.txt', 'bad.txt', 'c.txt', 'd.txt'];
  const id = await store({ file_ids: names.map((name) => files.add(name, 'x')) });
  await vi.waitFor(() => expect(reads).toBe(names.length));
  await new Promise((resolve) => setTimeout(resolve, 50));
  free.resolve();
  const { file_counts } = await until(`${base}/${id}`, ({ status }) => status !== 'in_progress');
  expect(file_counts).toMatchObject({ completed: 4, failed: 1 });
  const [first = 0, second = 0] = sizes;
  expect(first + second).toBe(names.length);
  expect(second).toBeGreaterThan(1);
});

test('a file that ends the index does so to others once', async () => {
  const index = memoryIndex();
  const putAll = index.putAll;
  const groups: string[][] = [];
  const free = Promise.withResolvers<void>();
  index.putAll = async (collection, given) => {
    const names = given.map(({ file }) => file.filename);
    groups.push(names);
    if (groups.length === 1) await free.promise;
    if (names.includes('bad.txt')) throw new Error('The search index stopped working.');
    return putAll(collection, given);
  };
  let reads = 0;
  const { files, store } = await start({ index, before: async () => void reads++ });
  const names = ['a.txt', 'b.txt', 'bad.txt', 'c.txt'];
  const id = await store({ file_ids: names.map((name) => files.add(name, 'x')) });
  await vi.waitFor(() => expect(reads).toBe(names.length));
  await new Promise((resolve) => setTimeout(resolve, 50));
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  free.resolve();
  expect((await untilEnded(`${base}/${id}`)).file_counts).toMatchObject({ completed: 3, failed: 1 });
  const together = groups.filter((group) => group.includes('bad.txt') && group.length > 1);
  expect(together).toHaveLength(1);
});

test('what a server leaves undone the next one takes up, once', async () => {
  let isFirst = true;
  const { call, files, store, fill, index } = await start({
    before: (name, signal) =>
      isFirst && name !== 'a.txt'
        ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
        : undefined,
  });
  const id = await store();
  await fill(id, files.add('a.txt', 'Otters swim.'));
  for (const name of ['b.txt', 'c.txt', 'd.txt']) {
    await call('POST', `${base}/${id}/files`, { file_id: files.add(name, 'Otters swim.') });
  }
  await app.drain(1000);
  expect((await call('GET', `${base}/${id}`)).json.file_counts).toMatchObject({
    completed: 1,
    in_progress: 3,
  });
  isFirst = false;
  const second = await app.restart();
  others.push(second);
  const done = await askingOf(second).until(`${base}/${id}`, ({ status }) => status === 'completed');
  expect(done.file_counts).toMatchObject({ completed: 4, total: 4 });
  expect(index.held(id)).toHaveLength(4);
});

test('a file that ends every process is given up', async () => {
  const begun: string[] = [];
  const { files, store } = await start({
    before(name) {
      begun.push(name);
      return new Promise(() => {});
    },
  });
  const poison = files.add('poison.txt', 'x');
  const id = await store({ file_ids: [poison] });
  const path = `${base}/${id}/files/${poison}`;
  for (let crash = 1; crash <= 4; crash++) {
    await vi.waitFor(() => expect(begun).toHaveLength(crash));
    others.push(await app.restart());
  }
  const file = await app.until(path, ({ status }) => status !== 'in_progress');
  expect(file).toMatchObject({ status: 'failed', last_error: { code: 'server_error' } });
  expect(begun).toHaveLength(4);
});

test('servers that are stopped in the middle of a file do not use up its attempts', async () => {
  let isReady = false;
  const { files, store } = await start({
    before: (_, signal) =>
      isReady ? undefined : new Promise((_, no) => signal.addEventListener('abort', () => no(signal.reason))),
  });
  const id = await store({ file_ids: [files.add('a.txt', 'x')] });
  let last: WholeApp = app;
  for (let stop = 1; stop <= 5; stop++) {
    await last.drain(1000);
    isReady = stop === 5;
    last = await app.restart();
    others.push(last);
  }
  const done = await app.until(`${base}/${id}`, ({ status }) => status === 'completed');
  expect(done.file_counts).toMatchObject({ completed: 1 });
});

test('at the start the index is brought to what the rows say', async () => {
  const { files, store, fill, index } = await start();
  const id = await store();
  const kept = files.add('a.txt', 'Otters swim.');
  const lost = files.add('b.txt', 'Owls fly.');
  await fill(id, kept, lost);
  const collection = { project: 'default', id };
  await index.put(collection, { id: 'file-stray', filename: 's', attributes: {} }, [
    { text: 's', vector: null },
  ]);
  await index.removeFile(collection, lost);
  await app.drain(1000);
  const second = await app.restart();
  others.push(second);
  await vi.waitFor(() => expect(index.held(id).sort()).toEqual([kept, lost].sort()));
  const done = await askingOf(second).until(`${base}/${id}`, ({ status }) => status === 'completed');
  expect(done.file_counts).toMatchObject({ completed: 2 });
});

test('what could not be removed from the index is removed later', async () => {
  const { call, files, store, fill, index } = await start();
  const id = await store();
  const [a, b] = [files.add('a.txt', 'Otters swim.'), files.add('b.txt', 'Owls fly.')];
  await fill(id, a, b);
  const removeFile = vi.spyOn(index, 'removeFile').mockRejectedValueOnce(new Error('The disk is full.'));
  await call('DELETE', `${base}/${id}/files/${a}`);
  await vi.waitFor(() => expect(removeFile).toHaveBeenCalled());
  expect(index.held(id)).toHaveLength(2);
  await call('DELETE', `${base}/${id}/files/${b}`);
  await vi.waitFor(() => expect(index.held(id)).toEqual([]));
});

test('a file that is deleted while it is taken in leaves nothing', async () => {
  const gate = Promise.withResolvers<void>();
  const { call, files, store, index } = await start({ before: () => gate.promise });
  const id = await store();
  const file = files.add('a.txt', 'x');
  await call('POST', `${base}/${id}/files`, { file_id: file });
  await files.remove(file);
  gate.resolve();
  await app.drain(1000);
  expect(index.held(id)).toEqual([]);
  expect((await call('GET', `${base}/${id}`)).json.file_counts).toMatchObject({ total: 0 });
});
