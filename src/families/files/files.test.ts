import { createHash, randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import OpenAI, { toFile } from 'openai';
import { afterEach, expect, test, vi } from 'vitest';
import { newId } from '../../kit/ids.ts';
import { openDatabase } from '../../storage/database.ts';
import { migrations } from '../index.ts';
import { testKey } from '../testing/test-app.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
afterEach(async () => {
  vi.useRealTimers();
  await app?.close();
});

async function start(options: Parameters<typeof wholeApp>[1] = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-files-'));
  app = await wholeApp({}, { directory, ...options });
  return { ...(await connect()), folder: join(directory, 'files') };
}

async function connect() {
  const url = await app.listen();
  const client = new OpenAI({ apiKey: testKey, baseURL: `${url}/openai/v1`, maxRetries: 0 });
  const send = (form: FormData | string, headers: Record<string, string> = {}) =>
    fetch(`${url}/openai/v1/files`, {
      method: 'POST',
      headers: { 'api-key': testKey, ...headers },
      body: form,
    });
  const content = (id: string, headers: Record<string, string> = {}) =>
    fetch(`${url}/openai/v1/files/${id}/content`, { headers: { 'api-key': testKey, ...headers } });
  return { client, send, content };
}

const contentsOf = (folder: string) =>
  existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'drafts') : [];
const draftsOf = (folder: string) =>
  existsSync(join(folder, 'drafts')) ? readdirSync(join(folder, 'drafts')) : [];

const textFile = (name: string, text = 'hello') => toFile(Buffer.from(text), name);

test('a file is uploaded, read, listed, waited for and deleted', async () => {
  const { client, folder } = await start();
  const bytes = randomBytes(3_000_000);
  const file = await client.files.create({ file: await toFile(bytes, 'data.bin'), purpose: 'assistants' });
  expect(file).toEqual({
    id: expect.stringMatching(/^file_/),
    object: 'file',
    bytes: bytes.length,
    created_at: expect.any(Number),
    filename: 'data.bin',
    purpose: 'assistants',
    status: 'processed',
  });
  expect(await client.files.retrieve(file.id)).toEqual(file);
  expect(await client.files.waitForProcessing(file.id)).toEqual(file);
  expect((await client.files.list()).data).toEqual([file]);
  const reply = await client.files.content(file.id);
  expect(reply.headers.get('content-length')).toBe('3000000');
  expect(reply.headers.get('etag')).toBe(`"${createHash('sha256').update(bytes).digest('hex')}"`);
  expect(reply.headers.get('content-disposition')).toBe("attachment; filename*=UTF-8''data.bin");
  expect(Buffer.from(await reply.arrayBuffer()).equals(bytes)).toBe(true);
  expect(contentsOf(folder)).toEqual([file.id]);
  expect(draftsOf(folder)).toEqual([]);
  expect(await client.files.delete(file.id)).toEqual({ id: file.id, object: 'file', deleted: true });
  expect(contentsOf(folder)).toEqual([]);
  for (const asked of [
    client.files.retrieve(file.id),
    client.files.content(file.id),
    client.files.delete(file.id),
  ]) {
    await expect(asked).rejects.toMatchObject({ status: 404, code: 'not_found', param: 'file_id' });
  }
});

test('lists are paged in both orders, and by purpose', async () => {
  const { client } = await start();
  const made: string[] = [];
  for (let i = 0; i < 5; i++) {
    const purpose = i % 2 === 0 ? 'assistants' : 'user_data';
    made.push((await client.files.create({ file: await textFile(`${i}.txt`), purpose })).id);
  }
  const idsOf = async (query: OpenAI.FileListParams) =>
    (await Array.fromAsync(client.files.list(query))).map(({ id }) => id);
  expect(await idsOf({ limit: 2 })).toEqual(made.toReversed());
  expect(await idsOf({ limit: 2, order: 'asc' })).toEqual(made);
  expect(await idsOf({ purpose: 'user_data' })).toEqual([made[3], made[1]]);
  const page = await client.files.list({ limit: 2, order: 'asc', after: made[1] ?? '' });
  expect([page.data.map(({ id }) => id), page.has_more]).toEqual([[made[2], made[3]], true]);
  expect((await client.files.list()).has_more).toBe(false);
  await expect(client.files.list({ limit: 10_001 })).rejects.toMatchObject({ status: 400, param: 'limit' });
  await expect(client.files.list({ after: 'nothing' })).rejects.toMatchObject({
    status: 400,
    param: 'after',
  });
});

test.each([
  ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
  ['bytes=7-', 206, '789', 'bytes 7-9/10'],
  ['bytes=-2', 206, '89', 'bytes 8-9/10'],
  ['bytes=-20', 206, '0123456789', 'bytes 0-9/10'],
  ['bytes=4-400', 206, '456789', 'bytes 4-9/10'],
  ['bytes=10-', 416, null, 'bytes */10'],
  ['bytes=-0', 416, null, 'bytes */10'],
  ['bytes=3-1', 200, '0123456789', null],
  ['bytes=0-1,4-5', 200, '0123456789', null],
  ['lines=1-2', 200, '0123456789', null],
])('of ten bytes the range %s is %i', async (range, status, text, told) => {
  const { client, content } = await start();
  const { id } = await client.files.create({
    file: await textFile('digits.txt', '0123456789'),
    purpose: 'user_data',
  });
  const reply = await content(id, { range });
  expect([reply.status, reply.headers.get('content-range')]).toEqual([status, told]);
  if (text === null) expect(await reply.json()).toMatchObject({ error: { code: 'range_not_satisfiable' } });
  else expect([await reply.text(), reply.headers.get('content-length')]).toEqual([text, `${text.length}`]);
});

test('a range is given only of the content that its caller knows', async () => {
  const { client, content } = await start();
  const { id } = await client.files.create({ file: await textFile('a.txt'), purpose: 'user_data' });
  const etag = (await content(id)).headers.get('etag') ?? '';
  expect(etag).toBe(`"${createHash('sha256').update('hello').digest('hex')}"`);
  expect((await content(id, { range: 'bytes=1-', 'if-range': etag })).status).toBe(206);
  expect((await content(id, { range: 'bytes=1-', 'if-range': '"other"' })).status).toBe(200);
});

test('an empty file for any purpose is kept as it is', async () => {
  const { client, content } = await start();
  const { id } = await client.files.create({ file: await textFile('empty.txt', ''), purpose: 'user_data' });
  const reply = await content(id);
  expect([reply.status, await reply.text(), reply.headers.get('content-length')]).toEqual([200, '', '0']);
});

const form = (fields: Record<string, string | Blob>, name = 'a.txt'): FormData => {
  const data = new FormData();
  for (const [key, value] of Object.entries(fields)) {
    if (typeof value === 'string') data.append(key, value);
    else data.append(key, value, name);
  }
  return data;
};
const hello = new Blob(['hello']);

test.each([
  [
    'an unknown purpose',
    form({ file: hello, purpose: 'fun' }),
    400,
    'purpose',
    /assistants, batch, fine-tune, vision/,
  ],
  ['no purpose', form({ file: hello }), 400, 'purpose', /purpose/],
  ['no file', form({ purpose: 'assistants' }), 400, 'file', /file/],
  ['two files', form({ file: hello, file2: hello, purpose: 'assistants' }), 400, 'body', /1 files/],
  ['an empty file', form({ file: new Blob([]), purpose: 'assistants' }), 400, 'file', /empty/],
  ['no JSON Lines', form({ file: hello, purpose: 'batch' }), 400, 'file', /\.jsonl/],
  [
    'a line that is no JSON',
    form({ file: new Blob(['{"a":1}\n\n[2]\n']), purpose: 'fine-tune' }, 'a.jsonl'),
    400,
    'file',
    /line 2 is empty/,
  ],
  ['a long name', form({ file: hello, purpose: 'vision' }, `${'ü'.repeat(127)}.b`), 400, 'file', /255 bytes/],
  [
    'a wrong anchor',
    form({
      file: hello,
      purpose: 'vision',
      'expires_after[anchor]': 'now',
      'expires_after[seconds]': '3600',
    }),
    400,
    'expires_after.anchor',
    /anchor/,
  ],
  [
    'a short life',
    form({
      file: hello,
      purpose: 'vision',
      'expires_after[anchor]': 'created_at',
      'expires_after[seconds]': '1',
    }),
    400,
    'expires_after.seconds',
    />= 3600/,
  ],
])('%s is refused, and nothing of it is kept', async (_, data, status, param, message) => {
  const { client, send, folder } = await start();
  const reply = await send(data);
  expect(reply.status).toBe(status);
  expect(await reply.json()).toMatchObject({ error: { param, message: expect.stringMatching(message) } });
  expect([contentsOf(folder), draftsOf(folder), (await client.files.list()).data]).toEqual([[], [], []]);
});

test('lines of files for training are JSON objects; those of batches are looked at by batches', async () => {
  const { client } = await start();
  const lines = '{"messages":[]}\n{"messages":[]}\n';
  const training = await client.files.create({
    file: await textFile('a.jsonl', lines),
    purpose: 'fine-tune',
  });
  expect(training.status).toBe('processed');
  expect(await (await client.files.content(training.id)).text()).toBe(lines);
  const batch = await client.files.create({ file: await textFile('a.jsonl', 'no JSON'), purpose: 'batch' });
  expect(batch.status).toBe('processed');
});

test('a file beyond its limit is 413, told by its length or found on the way', async () => {
  const { client, folder } = await start({ limits: { fileBytes: 2_000_000 } });
  const sent = client.files.create({ file: await toFile(Buffer.alloc(2_000_001), 'a'), purpose: 'vision' });
  await expect(sent).rejects.toMatchObject({ status: 413, param: 'file' });
  const fits = await client.files.create({
    file: await toFile(Buffer.alloc(2_000_000), 'a'),
    purpose: 'vision',
  });
  expect(contentsOf(folder)).toEqual([fits.id]);
  expect(draftsOf(folder)).toEqual([]);
});

/** A form written by hand, since clients clean names up. */
const rawForm = (name: Buffer): Buffer =>
  Buffer.concat([
    Buffer.from('--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'),
    Buffer.from('--edge\r\nContent-Disposition: form-data; name="file"; filename="'),
    name,
    Buffer.from('"\r\nContent-Type: text/plain\r\n\r\nhello\r\n--edge--\r\n'),
  ]);

test('whatever the filename, it is kept as a name or refused, and never leads anywhere', async () => {
  const { send, folder } = await start();
  const wild = fc.oneof(
    fc.constantFrom(
      '../../etc/passwd',
      '..',
      '.',
      '/',
      'a/../../b',
      'C:\\windows\\x',
      '..\\..\\x',
      '',
      'a\0b',
    ),
    fc.constantFrom('𝄞.txt', '🗂️ files.csv', 'ü'.repeat(128), 'a'.repeat(255), 'a'.repeat(256), '%2e%2e%2fx'),
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(fc.constantFrom('..', '/', '\\', 'a', '\0', '𝄞', '%', '"', ';', '\n'), { maxLength: 12 })
      .map((all) => all.join('')),
  );
  const kept: string[] = [];
  await fc.assert(
    fc.asyncProperty(wild, async (name) => {
      const type = { 'content-type': 'multipart/form-data; boundary=edge' };
      const reply = await send(rawForm(Buffer.from(name)) as never, type);
      const body = (await reply.json()) as { id: string; filename: string; error: { code: string } };
      if (reply.status !== 200) {
        expect([reply.status, body.error.code]).toEqual([
          400,
          expect.stringMatching(/^(invalid_payload|missing_required_parameter)$/),
        ]);
        return;
      }
      kept.push(body.id);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there.
      expect(body.filename).not.toMatch(/[/\\\u0000-\u001f]/);
      expect(['', '.', '..']).not.toContain(body.filename);
      expect(Buffer.byteLength(body.filename)).toBeLessThanOrEqual(255);
    }),
    { numRuns: 150 },
  );
  expect(contentsOf(folder).sort()).toEqual(kept.sort());
  expect(draftsOf(folder)).toEqual([]);
});

/** A form written by hand, with these headers on its file. */
const formWith = (...headers: string[]): Buffer =>
  Buffer.from(
    '--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n' +
      `--edge\r\n${headers.join('\r\n')}\r\n\r\nhello\r\n--edge--\r\n`,
  );
const disposition = (rest: string) => `Content-Disposition: form-data; name="file"; ${rest}`;
const field = '--edge\r\nContent-Disposition: form-data; name="x"\r\n\r\ny\r\n';
const edge = { 'content-type': 'multipart/form-data; boundary=edge' };

test.each([
  ['an escaped quote', 'filename="a\\"b.txt"', 'a"b.txt'],
  ['a percent-encoded quote', 'filename="a%22b.txt"', 'a%22b.txt'],
  ['a semicolon', 'filename="a;b=c.txt"', 'a;b=c.txt'],
  ['an encoded name', 'filename="x"; filename*=UTF-8\'\'%F0%9D%84%9E%20na%C3%AFve.txt', '𝄞 naïve.txt'],
  ['an encoded path', "filename*=UTF-8''..%2F..%2Fup.txt", 'up.txt'],
  ['no quotes', 'filename=plain.txt', 'plain.txt'],
  ['a path of Windows', 'filename="C:\\dir\\a.txt"', 'a.txt'],
])('a filename with %s is kept', async (_, rest, filename) => {
  const { send } = await start();
  const reply = await send(formWith(disposition(rest)) as never, edge);
  expect(await reply.json()).toMatchObject({ filename, bytes: 5 });
});

test.each([
  ['an unfinished quote', formWith(disposition('filename="a.txt'))],
  ['a quote within', formWith(disposition('filename="a"b.txt"'))],
  ['an unknown character set', formWith(disposition("filename*=KLINGON''a.txt"))],
  ['an encoded NUL', formWith(disposition("filename*=UTF-8''a%00b"))],
  ['an encoded name of 256 bytes', formWith(disposition(`filename*=UTF-8''${'%C3%BC'.repeat(128)}`))],
  ['no disposition', formWith('Content-Type: text/plain')],
  ['a header of 17,000 bytes', formWith(disposition('filename="a"'), `X-Long: ${'x'.repeat(17_000)}`)],
  ['headers without end', Buffer.from(`--edge\r\nX-Long: ${'x'.repeat(2_000_000)}`)],
  ['40 headers', formWith(disposition('filename="a"'), ...Array.from({ length: 40 }, (_, i) => `X-${i}: y`))],
  [
    'a delimiter that goes on',
    Buffer.from(formWith(disposition('filename="a"')).toString().replace('hello', 'h\r\n--edges')),
  ],
  ['thousands of fields', Buffer.from(`${field.repeat(5000)}--edge--\r\n`)],
  ['no last delimiter', formWith(disposition('filename="a"')).subarray(0, -'\r\n--edge--\r\n'.length)],
])('a form with %s is 400, and nothing of it is kept', async (_, body) => {
  const { client, send, folder } = await start();
  const reply = await send(body as never, edge);
  expect([reply.status, ((await reply.json()) as { error: { code: string } }).error.code]).toEqual([
    400,
    'invalid_payload',
  ]);
  expect([contentsOf(folder), draftsOf(folder), (await client.files.list()).data]).toEqual([[], [], []]);
});

test('names of any script come back as they were', async () => {
  const { client } = await start();
  for (const name of ['Grüße 日本 𝄞.txt', `${'a'.repeat(251)}.txt`]) {
    const { id } = await client.files.create({ file: await textFile(name), purpose: 'user_data' });
    expect((await client.files.retrieve(id)).filename).toBe(name);
    const disposition = (await client.files.content(id)).headers.get('content-disposition') ?? '';
    expect(decodeURIComponent(disposition.replace("attachment; filename*=UTF-8''", ''))).toBe(name);
  }
});

test('a file expires when it was told to, those for batches after thirty days, and is removed', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { client, folder } = await start();
  const expiring = await client.files.create({
    file: await textFile('a.txt'),
    purpose: 'user_data',
    expires_after: { anchor: 'created_at', seconds: 3600 },
  });
  const batch = await client.files.create({ file: await textFile('a.jsonl'), purpose: 'batch' });
  expect(expiring.expires_at).toBe(expiring.created_at + 3600);
  expect(batch.expires_at).toBe(batch.created_at + 30 * 86_400);
  vi.setSystemTime(Date.now() + 3600_000);
  await expect(client.files.retrieve(expiring.id)).rejects.toMatchObject({ status: 404 });
  await expect(client.files.content(expiring.id)).rejects.toMatchObject({ status: 404 });
  expect((await client.files.list()).data).toEqual([batch]);
  expect(contentsOf(folder)).toHaveLength(2);
  await app.drain(0);
  app = await app.restart();
  await expect.poll(() => contentsOf(folder)).toEqual([batch.id]);
});

test('after a crash nothing is left of what was never finished, and nothing else is lost', async () => {
  const { client, folder } = await start();
  const file = await client.files.create({ file: await textFile('a.txt'), purpose: 'user_data' });
  writeFileSync(join(folder, 'drafts', '7'), 'half');
  writeFileSync(join(folder, newId('file')), 'placed, but its row was never written');
  await app.drain(0);
  app = await app.restart();
  const after = await connect();
  await expect.poll(() => contentsOf(folder)).toEqual([file.id]);
  expect(draftsOf(folder)).toEqual([]);
  expect(await (await after.content(file.id)).text()).toBe('hello');
});

test('what a power cut has cost is gone with the next start, and nothing else', async () => {
  const { client, folder } = await start();
  const names = ['whole', 'short', 'other', 'missing', 'synced'];
  const files = await Promise.all(
    names.map(async (name) =>
      client.files.create({ file: await textFile(`${name}.txt`), purpose: 'user_data' }),
    ),
  );
  await app.drain(0);
  expect(await unsynced(folder)).toEqual([]);
  const [whole = '', short = '', other = '', missing = '', synced = ''] = files.map(({ id }) => id);
  await noteUnsynced(folder, [whole, short, other, missing]);
  truncateSync(join(folder, short), 3);
  writeFileSync(join(folder, other), '\0ello');
  rmSync(join(folder, missing));
  writeFileSync(join(folder, synced), 'jello');
  app = await app.restart();
  const after = await connect();
  expect((await after.client.files.list({ order: 'asc' })).data.map(({ id }) => id)).toEqual(
    [whole, synced].sort(),
  );
  expect(contentsOf(folder).sort()).toEqual([whole, synced].sort());
  expect(await (await after.content(whole)).text()).toBe('hello');
  expect(await unsynced(folder)).toEqual([]);
});

test('a start goes on where contents are lost, and where one cannot be read', async () => {
  const { client, folder } = await start();
  const file = async (name: string) =>
    await client.files.create({ file: await textFile(name), purpose: 'user_data' });
  const [lost, odd] = [await file('lost.txt'), await file('odd.txt')];
  await app.drain(0);
  await noteUnsynced(folder, [lost.id, odd.id, newId('file')]);
  rmSync(folder, { recursive: true });
  mkdirSync(folder);
  // A link to itself is there, and cannot be read.
  symlinkSync(join(folder, odd.id), join(folder, odd.id));
  app = await app.restart();
  const after = await connect();
  expect((await after.client.files.list()).data.map(({ id }) => id)).toEqual([odd.id]);
  expect(await unsynced(folder)).toEqual([{ content: odd.id }]);
});

test('a start goes on where the folder of contents is lost', async () => {
  const { client, folder } = await start();
  const { id } = await client.files.create({ file: await textFile('lost.txt'), purpose: 'user_data' });
  await app.drain(0);
  await noteUnsynced(folder, [id]);
  rmSync(folder, { recursive: true });
  app = await app.restart();
  const after = await connect();
  expect((await after.client.files.list()).data).toEqual([]);
  expect(await unsynced(folder)).toEqual([]);
});

type ToSync = { contents_to_sync: { content: string } };

async function unsynced(folder: string): Promise<unknown[]> {
  const database = await openDatabase(dirname(folder), migrations);
  const rows = await database.withTables<ToSync>().selectFrom('contents_to_sync').selectAll().execute();
  await database.destroy();
  return rows;
}

async function noteUnsynced(folder: string, contents: string[]): Promise<void> {
  const database = await openDatabase(dirname(folder), migrations);
  const rows = contents.map((content) => ({ content }));
  await database.withTables<ToSync>().insertInto('contents_to_sync').values(rows).execute();
  await database.destroy();
}

test('a content that somebody took away is 404', async () => {
  const { client, folder } = await start();
  const { id } = await client.files.create({ file: await textFile('a.txt'), purpose: 'user_data' });
  rmSync(join(folder, id));
  await expect(client.files.content(id)).rejects.toMatchObject({ status: 404 });
});

test('a client that goes away in the middle leaves nothing', async () => {
  const { client, folder } = await start();
  const abort = new AbortController();
  async function* endless() {
    for (let i = 0; ; i++) {
      if (i === 50) abort.abort();
      yield Buffer.alloc(65_536);
    }
  }
  const stream = new ReadableStream({
    async start(controller) {
      controller.enqueue(rawForm(Buffer.from('a')).subarray(0, -'hello\r\n--edge--\r\n'.length));
      for await (const chunk of endless()) {
        if (abort.signal.aborted) return;
        controller.enqueue(chunk);
        await new Promise(setImmediate);
      }
    },
  });
  const sending = fetch(`${client.baseURL}/files`, {
    method: 'POST',
    headers: { 'api-key': testKey, 'content-type': 'multipart/form-data; boundary=edge' },
    body: stream,
    duplex: 'half',
    signal: abort.signal,
  } as RequestInit);
  await expect(sending).rejects.toThrow();
  await expect.poll(() => [draftsOf(folder), contentsOf(folder)]).toEqual([[], []]);
});
