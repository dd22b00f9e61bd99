import { afterEach, describe, expect, test, vi } from 'vitest';
import { type StoreApp, type StoreAppOptions, storeApp } from '../testing/store-app.ts';

let app: StoreApp;
afterEach(() => {
  vi.useRealTimers();
  return app.close();
});
const start = async (options?: StoreAppOptions) => {
  app = await storeApp(options);
  return app;
};
const base = '/openai/v1/vector_stores';
const counts = (some: object = {}) => ({
  in_progress: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  total: 0,
  ...some,
});
const idsOf = (json: Record<string, unknown>) => (json.data as { id: string }[]).map(({ id }) => id);

describe('a vector store', () => {
  test('is what it was made as, can be changed and is gone once deleted', async () => {
    const { call } = await start();
    const made = await call('POST', base, {
      name: 'notes',
      description: 'All of them',
      expires_after: { anchor: 'last_active_at', days: 7 },
      metadata: { team: 'a' },
    });
    expect([made.status, made.json]).toMatchObject([
      200,
      {
        id: expect.stringMatching(/^vs_/),
        object: 'vector_store',
        name: 'notes',
        description: 'All of them',
        usage_bytes: 0,
        file_counts: counts(),
        status: 'completed',
        expires_after: { anchor: 'last_active_at', days: 7 },
        expires_at: (made.json.last_active_at as number) + 7 * 86_400,
        metadata: { team: 'a' },
      },
    ]);
    const path = `${base}/${made.json.id}`;
    const changed = await call('POST', path, { name: 'more', expires_after: null, metadata: { team: 'b' } });
    expect(changed.json).toMatchObject({ name: 'more', expires_at: null, metadata: { team: 'b' } });
    expect(changed.json).not.toHaveProperty('expires_after');
    expect((await call('GET', path)).json).toEqual(changed.json);
    expect((await call('POST', path, {})).json).toEqual(changed.json);
    expect((await call('DELETE', path)).json).toEqual({
      id: made.json.id,
      object: 'vector_store.deleted',
      deleted: true,
    });
    expect((await call('GET', path)).json.error).toMatchObject({
      code: 'not_found',
      param: 'vector_store_id',
    });
    expect((await call('DELETE', path)).status).toBe(404);
  });

  test('needs no body at all', async () => {
    const { call } = await start();
    expect((await call('POST', base)).json).toMatchObject({ name: '', status: 'completed', metadata: {} });
  });

  test('is listed newest first, in cursor pages', async () => {
    const { call, store } = await start();
    const ids = [await store(), await store(), await store()];
    const first = (await call('GET', `${base}?limit=2`)).json;
    expect(first).toMatchObject({ object: 'list', first_id: ids[2], last_id: ids[1], has_more: true });
    const second = (await call('GET', `${base}?limit=2&after=${ids[1]}`)).json;
    expect([idsOf(second), second.has_more]).toEqual([[ids[0]], false]);
    expect(idsOf((await call('GET', `${base}?order=asc&before=${ids[2]}`)).json)).toEqual([ids[0], ids[1]]);
  });

  test.each([
    ['days', { expires_after: { anchor: 'last_active_at', days: 0 } }, 'expires_after.days'],
    ['an anchor', { expires_after: { anchor: 'created_at', days: 1 } }, 'expires_after.anchor'],
    ['too many files', { file_ids: Array(501).fill('f') }, 'file_ids'],
    [
      'a small chunk',
      {
        chunking_strategy: { type: 'static', static: { max_chunk_size_tokens: 99, chunk_overlap_tokens: 0 } },
      },
      'chunking_strategy.static.max_chunk_size_tokens',
    ],
    [
      'a wide overlap',
      {
        chunking_strategy: {
          type: 'static',
          static: { max_chunk_size_tokens: 101, chunk_overlap_tokens: 51 },
        },
      },
      'chunking_strategy.static.chunk_overlap_tokens',
    ],
    ['a strategy', { chunking_strategy: { type: 'other' } }, 'chunking_strategy.type'],
  ])('refuses %s that it cannot have', async (_, body, param) => {
    const { call } = await start();
    const { status, json } = await call('POST', base, body);
    expect([status, json.error?.param]).toEqual([400, param]);
  });

  test('refuses a file that is not there, and is not made then', async () => {
    const { call, files } = await start();
    const id = files.add('a.txt', 'One.');
    const { status, json } = await call('POST', base, { file_ids: [id, id, 'file-none'] });
    expect([status, json.error]).toMatchObject([404, { code: 'not_found', param: 'file_ids[2]' }]);
    expect((await call('GET', base)).json.data).toEqual([]);
  });

  test('is of one project', async () => {
    const { call, files } = await start();
    const other = files.add('a.txt', 'One.', 'other');
    expect((await call('POST', base, { file_ids: [other] })).json.error?.param).toBe('file_ids[0]');
  });

  test('takes its files in, and counts them and their bytes', async () => {
    const { call, files, until } = await start();
    const ids = [
      files.add('a.txt', 'Otters swim.'),
      files.add('b.txt', 'Owls fly.'),
      files.add('c.exe', 'x'),
    ];
    const made = (await call('POST', base, { file_ids: ids })).json;
    expect(made).toMatchObject({ status: 'in_progress', file_counts: counts({ in_progress: 3, total: 3 }) });
    const done = await until(`${base}/${made.id}`, ({ status }) => status === 'completed');
    expect(done).toMatchObject({
      usage_bytes: 'Otters swim.Owls fly.'.length,
      file_counts: counts({ completed: 2, failed: 1, total: 3 }),
    });
  });

  test('leaves nothing in the index once deleted, even while it takes files in', async () => {
    const held = Promise.withResolvers<void>();
    const { call, files, store, fill, index } = await start({
      before: (name) => (name === 'slow.txt' ? held.promise : undefined),
    });
    const id = await store();
    await fill(id, files.add('a.txt', 'Otters swim.'));
    expect(index.held(id)).toHaveLength(1);
    await call('POST', `${base}/${id}/files`, { file_id: files.add('slow.txt', 'Owls fly.') });
    await call('DELETE', `${base}/${id}`);
    held.resolve();
    await vi.waitFor(() => expect(index.held(id)).toEqual([]));
    await app.drain(1000);
    expect(index.held(id)).toEqual([]);
  });

  test('stops what it is taking in once it is deleted, and begins nothing more', async () => {
    const begun: string[] = [];
    const stopped: string[] = [];
    const { call, files, store, index } = await start({
      before: (name, signal) => {
        begun.push(name);
        return new Promise((_, reject) => {
          signal.addEventListener('abort', () => {
            stopped.push(name);
            reject(signal.reason);
          });
        });
      },
    });
    const id = await store({ file_ids: ['a', 'b', 'c', 'd'].map((name) => files.add(`${name}.txt`, 'x')) });
    await vi.waitFor(() => expect(begun).toHaveLength(2));
    await call('DELETE', `${base}/${id}`);
    await vi.waitFor(() => expect(stopped).toEqual(begun));
    await app.drain(1000);
    expect(begun).toHaveLength(2);
    expect(index.held(id)).toEqual([]);
  });

  test('expires: no more searches, chunks or files; its files are still listed', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { call, files, store, fill, index } = await start();
    const id = await store({ expires_after: { anchor: 'last_active_at', days: 1 } });
    const file = files.add('a.txt', 'Otters swim.');
    await fill(id, file);
    vi.setSystemTime(Date.now() + 2 * 86_400_000);
    expect((await call('GET', `${base}/${id}`)).json.status).toBe('expired');
    for (const [path, body] of [
      ['search', { query: 'otters' }],
      ['files', { file_id: file }],
    ] as const) {
      const { status, json } = await call('POST', `${base}/${id}/${path}`, body);
      expect([status, json.error]).toMatchObject([400, { message: expect.stringContaining('has expired') }]);
    }
    const revived = await call('POST', `${base}/${id}`, { expires_after: null });
    expect([revived.status, revived.json.error?.param]).toEqual([409, 'expires_after']);
    // Deleting another store has the house kept.
    await call('DELETE', `${base}/${await store()}`);
    await vi.waitFor(() => expect(index.held(id)).toEqual([]));
    await vi.waitFor(async () => expect((await call('GET', `${base}/${id}`)).json.usage_bytes).toBe(0));
    expect(idsOf((await call('GET', `${base}/${id}/files`)).json)).toEqual([file]);
  });

  test('gives up what it was still taking in when it expires', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { call, files, store, until } = await start({ before: () => new Promise(() => {}) });
    const id = await store({
      expires_after: { anchor: 'last_active_at', days: 1 },
      file_ids: [files.add('a.txt', 'x')],
    });
    vi.setSystemTime(Date.now() + 2 * 86_400_000);
    await call('DELETE', `${base}/${await store()}`);
    const { file_counts } = await until(`${base}/${id}`, (json) => {
      return (json.file_counts as { in_progress: number }).in_progress === 0;
    });
    expect(file_counts).toEqual(counts({ cancelled: 1, total: 1 }));
  });

  test('is kept alive by searches', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { call, store } = await start();
    const id = await store({ expires_after: { anchor: 'last_active_at', days: 1 } });
    for (let day = 0; day < 3; day++) {
      vi.setSystemTime(Date.now() + 0.9 * 86_400_000);
      expect((await call('POST', `${base}/${id}/search`, { query: 'x' })).status).toBe(200);
    }
    expect((await call('GET', `${base}/${id}`)).json.status).toBe('completed');
  });
});

describe('a file of a vector store', () => {
  test('is attached with attributes and chunks, and read back', async () => {
    const { call, files, store, until } = await start();
    const id = await store();
    const file = files.add('a.txt', Array.from({ length: 150 }, (_, i) => `w${i}`).join(' '));
    const attached = await call('POST', `${base}/${id}/files`, {
      file_id: file,
      attributes: { year: 2024, draft: false, by: 'Ada' },
      chunking_strategy: {
        type: 'static',
        static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 50 },
      },
    });
    expect([attached.status, attached.json]).toMatchObject([
      200,
      {
        id: file,
        object: 'vector_store.file',
        vector_store_id: id,
        usage_bytes: 0,
        status: 'in_progress',
        last_error: null,
        attributes: { year: 2024, draft: false, by: 'Ada' },
        chunking_strategy: {
          type: 'static',
          static: { max_chunk_size_tokens: 100, chunk_overlap_tokens: 50 },
        },
      },
    ]);
    const path = `${base}/${id}/files/${file}`;
    const done = await until(path, ({ status }) => status === 'completed');
    expect(done.usage_bytes).toBeGreaterThan(0);
    const content = (await call('GET', `${path}/content`)).json;
    expect(content).toMatchObject({
      object: 'vector_store.file_content.page',
      data: [{ type: 'text' }, { type: 'text', text: expect.stringMatching(/^w50 /) }],
      has_more: false,
      next_page: null,
    });
  });

  test('tells its clients when to ask again', async () => {
    const { call, files, store } = await start();
    const id = await store();
    const file_id = files.add('a.txt', 'One.');
    await call('POST', `${base}/${id}/files`, { file_id });
    const { headers } = await call('GET', `${base}/${id}/files/${file_id}`);
    expect(headers['openai-poll-after-ms']).toBe('200');
  });

  test.each([
    ['kind.bin', 'x', 'unsupported_file'],
    ['empty.txt', ' ', 'invalid_file'],
  ])('%s fails, and says why', async (name, text, code) => {
    const { call, files, store, fill, index } = await start();
    const id = await store();
    const file = files.add(name, text);
    await fill(id, file);
    const { json } = await call('GET', `${base}/${id}/files/${file}`);
    expect(json).toMatchObject({ status: 'failed', last_error: { code, message: expect.any(String) } });
    expect(index.held(id)).toEqual([]);
    const content = await call('GET', `${base}/${id}/files/${file}/content`);
    expect([content.status, content.json.error?.code]).toEqual([409, 'conflict']);
  });

  test('gets other attributes in place of those it had, and is found by them at once', async () => {
    const { call, files, store, fill } = await start();
    const id = await store();
    const file = files.add('a.txt', 'Otters swim.');
    await fill(id, file);
    const path = `${base}/${id}/files/${file}`;
    expect((await call('POST', path, { attributes: { a: 1 } })).json.attributes).toEqual({ a: 1 });
    const changed = await call('POST', path, { attributes: { b: 2 } });
    expect(changed.json).toMatchObject({ attributes: { b: 2 }, status: 'completed' });
    const found = async (key: string) =>
      (
        await call('POST', `${base}/${id}/search`, {
          query: 'otters',
          filters: { type: 'gte', key, value: 1 },
        })
      ).json.data;
    expect(await found('a')).toEqual([]);
    expect(await found('b')).toMatchObject([{ file_id: file, attributes: { b: 2 } }]);
    expect((await call('POST', path, { attributes: null })).json.attributes).toEqual({});
  });

  test.each([
    [
      'seventeen attributes',
      Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 1])),
      'attributes',
    ],
    ['a long key', { ['k'.repeat(65)]: 1 }, 'attributes'],
    ['a long value', { k: 'v'.repeat(513) }, 'attributes.k'],
    ['a list', { k: [1] }, 'attributes.k'],
  ])('refuses %s', async (_, attributes, param) => {
    const { call, files, store } = await start();
    const id = await store();
    const { status, json } = await call('POST', `${base}/${id}/files`, {
      file_id: files.add('a.txt', 'x'),
      attributes,
    });
    expect([status, json.error?.param]).toEqual([400, param]);
  });

  test('is found no more once detached, and lists go on from where it stood', async () => {
    const { call, files, store, fill, index } = await start();
    const id = await store();
    const [a, b, c] = ['a', 'b', 'c'].map((name) => files.add(`${name}.txt`, 'Otters swim.')) as [
      string,
      string,
      string,
    ];
    await fill(id, a, b, c);
    expect((await call('DELETE', `${base}/${id}/files/${b}`)).json).toEqual({
      id: b,
      object: 'vector_store.file.deleted',
      deleted: true,
    });
    const found = (await call('POST', `${base}/${id}/search`, { query: 'otters' })).json;
    expect((found.data as { file_id: string }[]).map(({ file_id }) => file_id).sort()).toEqual([a, c].sort());
    expect(idsOf((await call('GET', `${base}/${id}/files?order=asc&after=${b}`)).json)).toEqual([c]);
    expect((await call('GET', `${base}/${id}/files/${b}`)).status).toBe(404);
    await vi.waitFor(() => expect(index.held(id)).toHaveLength(2));
    await fill(id, b);
    expect(index.held(id)).toHaveLength(3);
  });

  test('is detached from every store once the file itself is deleted', async () => {
    const { call, files, store, fill, index } = await start();
    const stores = [await store(), await store()];
    const file = files.add('a.txt', 'Otters swim.');
    for (const id of stores) await fill(id, file);
    await files.remove(file);
    for (const id of stores) {
      expect((await call('GET', `${base}/${id}/files`)).json.data).toEqual([]);
      await vi.waitFor(() => expect(index.held(id)).toEqual([]));
    }
  });

  test('attached again as it is stays as it is; otherwise it is taken in anew', async () => {
    const { call, files, store, fill, until } = await start();
    const id = await store();
    const file_id = files.add('a.txt', 'Otters swim.');
    await fill(id, file_id);
    expect((await call('POST', `${base}/${id}/files`, { file_id })).json.status).toBe('completed');
    const again = await call('POST', `${base}/${id}/files`, { file_id, attributes: { a: 1 } });
    expect(again.json).toMatchObject({ status: 'in_progress', attributes: { a: 1 } });
    await until(`${base}/${id}/files/${file_id}`, ({ status }) => status === 'completed');
    expect((await call('GET', `${base}/${id}`)).json.file_counts).toEqual(counts({ completed: 1, total: 1 }));
  });

  test('is listed by status', async () => {
    const { call, files, store, fill } = await start();
    const id = await store();
    const [good, bad] = [files.add('a.txt', 'x'), files.add('a.bin', 'x')];
    await fill(id, good, bad);
    expect(idsOf((await call('GET', `${base}/${id}/files?filter=failed`)).json)).toEqual([bad]);
    expect(idsOf((await call('GET', `${base}/${id}/files?filter=completed`)).json)).toEqual([good]);
    expect((await call('GET', `${base}/${id}/files?filter=done`)).json.error?.param).toBe('filter');
  });

  test('is refused where a store is full', async () => {
    const { call, files, store } = await start({ parts: { files: 1 } });
    const id = await store({ file_ids: [files.add('a.txt', 'x')] });
    const { status, json } = await call('POST', `${base}/${id}/files`, { file_id: files.add('b.txt', 'x') });
    expect([status, json.error]).toMatchObject([409, { param: 'file_id' }]);
    expect((await call('GET', `${base}/${id}`)).json.file_counts).toMatchObject({ total: 1 });
  });
});

describe('a batch of files', () => {
  test('counts its own files, and ends when they have', async () => {
    const { call, files, store, fill, until } = await start();
    const id = await store();
    await fill(id, files.add('before.txt', 'x'));
    const ids = [files.add('a.txt', 'x'), files.add('b.txt', 'x'), files.add('c.bin', 'x')];
    const made = await call('POST', `${base}/${id}/file_batches`, { file_ids: ids, attributes: { k: 1 } });
    expect([made.status, made.json]).toMatchObject([
      200,
      {
        id: expect.stringMatching(/^vsfb_/),
        object: 'vector_store.files_batch',
        vector_store_id: id,
        status: 'in_progress',
        file_counts: { total: 3 },
      },
    ]);
    const path = `${base}/${id}/file_batches/${made.json.id}`;
    const done = await until(path, ({ status }) => status !== 'in_progress');
    expect(done).toMatchObject({
      status: 'completed',
      file_counts: counts({ completed: 2, failed: 1, total: 3 }),
    });
    expect(idsOf((await call('GET', `${path}/files?order=asc`)).json)).toEqual(ids);
    expect(idsOf((await call('GET', `${path}/files?filter=failed`)).json)).toEqual([ids[2]]);
    expect((await call('GET', `${base}/${id}/files/${ids[0]}`)).json.attributes).toEqual({ k: 1 });
  });

  test('has its files whether others have them, too, or they are attached anew', async () => {
    const { call, files, store, until } = await start();
    const id = await store();
    const [a, b, c] = ['a.txt', 'b.txt', 'c.txt'].map((name) => files.add(name, 'x'));
    const batch = async (body: object) => {
      const { json } = await call('POST', `${base}/${id}/file_batches`, body);
      const path = `${base}/${id}/file_batches/${json.id}`;
      await until(path, ({ status }) => status === 'completed');
      return path;
    };
    const has = async (path: string) => [
      ((await call('GET', path)).json.file_counts as { total: number }).total,
      ...idsOf((await call('GET', `${path}/files?order=asc`)).json),
    ];
    const first = await batch({ file_ids: [a, b] });
    const second = await batch({ file_ids: [b, c] });
    expect([await has(first), await has(second)]).toEqual([
      [2, a, b],
      [2, b, c],
    ]);
    const third = await batch({ file_ids: [b], attributes: { k: 1 } });
    await call('POST', `${base}/${id}/files`, { file_id: a, attributes: { k: 2 } });
    await until(first, ({ file_counts }) => (file_counts as { completed: number }).completed === 2);
    expect([await has(first), await has(second), await has(third)]).toEqual([
      [2, b, a],
      [2, c, b],
      [1, b],
    ]);
    await call('DELETE', `${base}/${id}/files/${b}`);
    expect([await has(first), await has(second), await has(third)]).toEqual([[1, a], [1, c], [0]]);
  });

  test('takes each file as it is told of it', async () => {
    const { call, files, store } = await start();
    const id = await store();
    const [a, b] = [files.add('a.txt', 'x'), files.add('b.txt', 'x')];
    await call('POST', `${base}/${id}/file_batches`, {
      files: [{ file_id: a, attributes: { k: 1 } }, { file_id: b }],
      attributes: { ignored: true },
    });
    expect((await call('GET', `${base}/${id}/files/${a}`)).json.attributes).toEqual({ k: 1 });
    expect((await call('GET', `${base}/${id}/files/${b}`)).json.attributes).toEqual({});
  });

  test('takes 2000 files', async () => {
    const { call, files, store } = await start();
    const id = await store();
    const file_ids = Array.from({ length: 2000 }, (_, i) => files.add(`${i}.txt`, 'x'));
    const { status, json } = await call('POST', `${base}/${id}/file_batches`, { file_ids });
    expect([status, json.file_counts]).toMatchObject([200, { total: 2000 }]);
    const more = await call('POST', `${base}/${id}/file_batches`, { file_ids: [...file_ids, 'one'] });
    expect([more.status, more.json.error?.param]).toEqual([400, 'file_ids']);
    const other = { file_ids: file_ids.with(150, 'file-none') };
    const lacking = await call('POST', `${base}/${id}/file_batches`, other);
    expect([lacking.status, lacking.json.error?.param]).toEqual([404, 'file_ids[150]']);
    // Of the same files, which are there already, another batch.
    const again = await call('POST', `${base}/${id}/file_batches`, { file_ids });
    expect([again.status, again.json.file_counts]).toMatchObject([200, { total: 2000 }]);
  });

  test.each([
    ['neither', {}, 'file_ids'],
    ['both', { file_ids: ['a'], files: [{ file_id: 'a' }] }, 'files'],
    ['none', { file_ids: [] }, 'file_ids'],
    ['twice', { files: [{ file_id: 'a' }, { file_id: 'a' }] }, 'files[1].file_id'],
  ])('refuses %s', async (_, body, param) => {
    const { call, store } = await start();
    const { status, json } = await call('POST', `${base}/${await store()}/file_batches`, body);
    expect([status, json.error?.param]).toEqual([400, param]);
  });

  test('is cancelled: what has ended stays, the rest is given up', async () => {
    const { call, files, store, until, index } = await start({
      parts: { concurrency: 1 },
      before: (name, signal) =>
        name === 'slow.txt'
          ? new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))
          : undefined,
    });
    const id = await store();
    const ids = ['a.txt', 'slow.txt', 'b.txt'].map((name) => files.add(name, 'x'));
    const { json } = await call('POST', `${base}/${id}/file_batches`, { file_ids: ids });
    const path = `${base}/${id}/file_batches/${json.id}`;
    await until(path, (batch) => (batch.file_counts as { completed: number }).completed === 1);
    const cancelled = (await call('POST', `${path}/cancel`)).json;
    expect(cancelled).toMatchObject({
      status: 'cancelled',
      file_counts: counts({ completed: 1, cancelled: 2, total: 3 }),
    });
    expect((await call('GET', path)).json).toEqual(cancelled);
    // The one place is free again.
    const other = await store();
    await app.fill(other, files.add('c.txt', 'x'));
    expect(index.held(id)).toEqual([ids[0]]);
  });

  test('that has ended cannot be cancelled any more', async () => {
    const { call, files, store, until } = await start();
    const id = await store();
    const { json } = await call('POST', `${base}/${id}/file_batches`, {
      file_ids: [files.add('a.txt', 'x')],
    });
    const path = `${base}/${id}/file_batches/${json.id}`;
    await until(path, ({ status }) => status === 'completed');
    expect((await call('POST', `${path}/cancel`)).json.status).toBe('completed');
    expect((await call('GET', `${base}/${await store()}/file_batches/${json.id}`)).status).toBe(404);
  });
});
