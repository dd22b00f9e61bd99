import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { toFile } from 'openai';
import { afterEach, expect, test, vi } from 'vitest';
import { testKey } from '../testing/test-app.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
afterEach(async () => {
  vi.useRealTimers();
  await app?.close();
});

async function start(limits: NonNullable<Parameters<typeof wholeApp>[1]>['limits'] = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-uploads-'));
  app = await wholeApp({}, { directory, limits });
  const baseURL = `${await app.listen()}/openai/v1`;
  const client = new OpenAI({ apiKey: testKey, baseURL, maxRetries: 0 });
  const namesIn = (folder: string) => (existsSync(folder) ? readdirSync(folder, { recursive: true }) : []);
  /** All that is kept of parts, finished or not. */
  const parts = () => namesIn(join(directory, 'uploads')).filter((name) => name !== 'drafts');
  return { client, parts };
}

const begin = (client: OpenAI, bytes: number, more: Partial<OpenAI.UploadCreateParams> = {}) =>
  client.uploads.create({
    filename: 'big.csv',
    purpose: 'assistants',
    bytes,
    mime_type: 'text/csv',
    ...more,
  });

const addPart = async (client: OpenAI, id: string, bytes: Uint8Array) =>
  client.uploads.parts.create(id, { data: await toFile(bytes, 'part') });

test('parts that come together and out of order make a file in the order that is asked for', async () => {
  const { client, parts } = await start();
  const whole = randomBytes(1_000_000);
  const pieces = [whole.subarray(0, 400_000), whole.subarray(400_000, 400_001), whole.subarray(400_001)];
  const upload = await begin(client, whole.length);
  expect(upload).toEqual({
    id: expect.stringMatching(/^upload_/),
    object: 'upload',
    bytes: whole.length,
    created_at: expect.any(Number),
    expires_at: upload.created_at + 3600,
    filename: 'big.csv',
    purpose: 'assistants',
    status: 'pending',
    file: null,
  });
  const sent = await Promise.all(pieces.toReversed().map((piece) => addPart(client, upload.id, piece)));
  expect(sent[0]).toEqual({
    id: expect.stringMatching(/^part_/),
    object: 'upload.part',
    created_at: expect.any(Number),
    upload_id: upload.id,
  });
  const done = await client.uploads.complete(upload.id, {
    part_ids: sent.map(({ id }) => id).toReversed(),
    md5: createHash('md5').update(whole).digest('hex'),
  });
  expect(done).toMatchObject({ id: upload.id, status: 'completed', file: { bytes: whole.length } });
  const fileId = done.file?.id ?? '';
  expect(await client.files.retrieve(fileId)).toEqual(done.file);
  const reply = await client.files.content(fileId);
  expect(reply.headers.get('content-type')).toBe('text/csv');
  expect(Buffer.from(await reply.arrayBuffer()).equals(whole)).toBe(true);
  expect(parts()).toEqual([]);
});

test('an upload is completed only by parts of its own that are all of it', async () => {
  const { client, parts } = await start();
  const upload = await begin(client, 4);
  const other = await begin(client, 2);
  const one = await addPart(client, upload.id, Buffer.from('ab'));
  const two = await addPart(client, upload.id, Buffer.from('cd'));
  const foreign = await addPart(client, other.id, Buffer.from('ef'));
  const refusals = [
    [{ part_ids: [one.id] }, 'part_ids', /2 bytes together/],
    [{ part_ids: [one.id, one.id] }, 'part_ids[1]', /named twice/],
    [{ part_ids: [one.id, foreign.id] }, 'part_ids[1]', /no part of this upload/],
    [{ part_ids: [] }, 'part_ids', /fewer than 1/],
    [{ part_ids: [one.id, two.id], md5: '0'.repeat(32) }, 'md5', /e2fc714c4727ee9395f324cd2e7f331f/],
    [{ part_ids: [one.id, two.id], md5: 'x' }, 'md5', /pattern/],
  ] as const;
  for (const [body, param, message] of refusals) {
    await expect(client.uploads.complete(upload.id, body as never)).rejects.toMatchObject({
      status: 400,
      param,
      message: expect.stringMatching(message),
    });
  }
  expect((await client.files.list()).data).toEqual([]);
  expect(parts()).toHaveLength(3);
  expect((await client.uploads.complete(upload.id, { part_ids: [one.id, two.id] })).status).toBe('completed');
});

test('an upload that has ended takes nothing more', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { client, parts } = await start();
  const completed = await begin(client, 2);
  const part = await addPart(client, completed.id, Buffer.from('ab'));
  await client.uploads.complete(completed.id, { part_ids: [part.id] });
  const cancelled = await begin(client, 2);
  await addPart(client, cancelled.id, Buffer.from('ab'));
  expect(await client.uploads.cancel(cancelled.id)).toMatchObject({ status: 'cancelled', file: null });
  expect(parts()).toEqual([]);
  const expired = await begin(client, 2);
  const late = await addPart(client, expired.id, Buffer.from('ab'));
  vi.setSystemTime(Date.now() + 3600_000);
  for (const [{ id }, status] of [
    [completed, 'completed'],
    [cancelled, 'cancelled'],
    [expired, 'expired'],
  ] as const) {
    const refusal = { status: 400, param: 'upload_id', message: expect.stringContaining(status) };
    await expect(addPart(client, id, Buffer.from('x'))).rejects.toMatchObject(refusal);
    await expect(client.uploads.complete(id, { part_ids: [late.id] })).rejects.toMatchObject(refusal);
    await expect(client.uploads.cancel(id)).rejects.toMatchObject(refusal);
  }
  expect(parts()).toHaveLength(1);
  await app.drain(0);
  app = await app.restart();
  await expect.poll(parts).toEqual([]);
});

test('what an upload announces is checked, and so is the size of its parts', async () => {
  const { client, parts } = await start({ uploadBytes: 3_000_000, uploadPartBytes: 1_100_000 });
  const refusals = [
    [{ bytes: 3_000_001 }, 'bytes'],
    [{ bytes: 0 }, 'bytes'],
    [{ purpose: 'fun' as never }, 'purpose'],
    [{ purpose: 'batch' }, 'filename'],
    [{ filename: '..' }, 'filename'],
    [{ filename: 'a\0b' }, 'filename'],
    [{ mime_type: 'a/b\r\nx: y' }, 'mime_type'],
    [{ expires_after: { anchor: 'created_at', seconds: 1 } }, 'expires_after.seconds'],
  ] as const;
  for (const [more, param] of refusals) {
    await expect(begin(client, 10, more)).rejects.toMatchObject({ status: 400, param });
  }
  const { id } = await begin(client, 3_000_000);
  await expect(addPart(client, id, Buffer.alloc(1_100_001))).rejects.toMatchObject({ status: 413 });
  await addPart(client, id, Buffer.alloc(1_100_000));
  await addPart(client, id, Buffer.alloc(1_100_000));
  await expect(addPart(client, id, Buffer.alloc(1_100_000))).rejects.toMatchObject({
    status: 400,
    param: 'data',
  });
  expect(parts()).toHaveLength(2);
  await expect(client.uploads.cancel('upload_nothing')).rejects.toMatchObject({ status: 404 });
});

test('lines of an upload for training are JSON objects', async () => {
  const { client, parts } = await start();
  const upload = await begin(client, 8, { filename: 'a.jsonl', purpose: 'fine-tune' });
  const [good, bad] = [
    await addPart(client, upload.id, Buffer.from('{"a":1}\n')),
    await addPart(client, upload.id, Buffer.from('{"a":1}}')),
  ];
  await expect(client.uploads.complete(upload.id, { part_ids: [bad.id] })).rejects.toMatchObject({
    status: 400,
    param: 'part_ids',
    message: expect.stringContaining('line 1 is not well-formed JSON'),
  });
  // It can still be completed otherwise.
  expect(parts()).toHaveLength(2);
  const { file } = await client.uploads.complete(upload.id, { part_ids: [good.id] });
  expect(file).toMatchObject({ bytes: 8, purpose: 'fine-tune' });
});

test('a file of an upload expires as that was told to', async () => {
  const { client } = await start();
  const { id } = await begin(client, 2, { expires_after: { anchor: 'created_at', seconds: 7200 } });
  const part = await addPart(client, id, Buffer.from('ab'));
  const { file } = await client.uploads.complete(id, { part_ids: [part.id] });
  expect(file?.expires_at).toBe((file?.created_at ?? 0) + 7200);
});

test('an upload goes on after a crash', async () => {
  const { client, parts } = await start();
  const { id } = await begin(client, 4);
  const one = await addPart(client, id, Buffer.from('ab'));
  await app.drain(0);
  app = await app.restart();
  const later = new OpenAI({ apiKey: testKey, baseURL: `${await app.listen()}/openai/v1`, maxRetries: 0 });
  const two = await addPart(later, id, Buffer.from('cd'));
  const { file } = await later.uploads.complete(id, { part_ids: [two.id, one.id] });
  expect(await (await later.files.content(file?.id ?? '')).text()).toBe('cdab');
  expect(parts()).toEqual([]);
});
