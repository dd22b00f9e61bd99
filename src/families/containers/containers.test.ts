import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import OpenAI, { toFile } from 'openai';
import { afterEach, expect, test, vi } from 'vitest';
import { testKey } from '../testing/test-app.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';
import { filePath, uploadName } from './file-path.ts';

let app: WholeApp;
afterEach(async () => {
  vi.useRealTimers();
  await app?.close();
});

async function start(options: Parameters<typeof wholeApp>[1] = {}) {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-containers-'));
  app = await wholeApp({}, { directory, ...options });
  const url = await app.listen();
  const client = new OpenAI({ apiKey: testKey, baseURL: `${url}/openai/v1`, maxRetries: 0 });
  return { client, files: join(directory, 'containers') };
}

test('a container is created, read, listed and deleted', async () => {
  const { client } = await start();
  const made = await client.containers.create({ name: 'mine' });
  expect(made).toMatchObject({
    id: expect.stringMatching(/^cntr_/),
    object: 'container',
    name: 'mine',
    status: 'active',
    expires_after: { anchor: 'last_active_at', minutes: 20 },
    memory_limit: '1g',
  });
  expect(await client.containers.retrieve(made.id)).toEqual(made);
  const other = await client.containers.create({
    name: 'other',
    expires_after: { anchor: 'last_active_at', minutes: 5 },
  });
  const page = await client.containers.list({ limit: 1 });
  expect([page.data.map(({ id }) => id), page.has_more]).toEqual([[other.id], true]);
  expect((await Array.fromAsync(client.containers.list({ limit: 1 }))).map(({ id }) => id)).toEqual([
    other.id,
    made.id,
  ]);
  expect((await client.containers.list({ name: 'mine' })).data).toEqual([made]);
  await client.containers.delete(made.id);
  await expect(client.containers.retrieve(made.id)).rejects.toMatchObject({ status: 404, code: 'not_found' });
});

test('files are uploaded, listed, read and deleted, and go with their container', async () => {
  const { client, files } = await start();
  const { id } = await client.containers.create({ name: 'mine' });
  const content = Buffer.from(Array.from({ length: 3000 }, (_, i) => i % 256));
  const file = await client.containers.files.create(id, {
    file: await toFile(content, '../../etc/data.bin'),
  });
  expect(file).toMatchObject({
    id: expect.stringMatching(/^cfile_/),
    object: 'container.file',
    container_id: id,
    bytes: 3000,
    path: '/mnt/data/data.bin',
    source: 'user',
  });
  expect(await client.containers.files.retrieve(file.id, { container_id: id })).toEqual(file);
  expect((await client.containers.files.list(id)).data).toEqual([file]);
  const reply = await client.containers.files.content.retrieve(file.id, { container_id: id });
  expect(reply.headers.get('content-length')).toBe('3000');
  expect(Buffer.from(await reply.arrayBuffer())).toEqual(content);

  const again = await client.containers.files.create(id, {
    file: await toFile(Buffer.from('new'), 'data.bin'),
  });
  expect([again.id, again.bytes]).toEqual([file.id, 3]);
  expect(readdirSync(join(files, id, 'files'))).toHaveLength(1);
  await client.containers.files.delete(file.id, { container_id: id });
  await expect(client.containers.files.retrieve(file.id, { container_id: id })).rejects.toMatchObject({
    status: 404,
    param: 'file_id',
  });
  await client.containers.files.create(id, { file: await toFile(Buffer.from('x'), 'x') });
  await client.containers.delete(id);
  expect(existsSync(join(files, id))).toBe(false);
});

test('a file belongs to its container only', async () => {
  const { client } = await start();
  const [one, two] = [
    await client.containers.create({ name: 'one' }),
    await client.containers.create({ name: 'two' }),
  ];
  const file = await client.containers.files.create(one.id, { file: await toFile(Buffer.from('x'), 'x') });
  const reading = client.containers.files.content.retrieve(file.id, { container_id: two.id });
  await expect(reading).rejects.toMatchObject({ status: 404 });
});

test('users and projects do not see the containers of each other', async () => {
  const { client } = await start();
  const as = (user: string) => ({ headers: { 'x-ms-user-identity': user } });
  const { id } = await client.containers.create({ name: 'mine' }, as('anna'));
  expect((await client.containers.retrieve(id, as('anna'))).id).toBe(id);
  await expect(client.containers.retrieve(id, as('bert'))).rejects.toMatchObject({ status: 404 });
  await expect(client.containers.retrieve(id)).rejects.toMatchObject({ status: 404 });
  expect((await client.containers.list({}, as('bert'))).data).toEqual([]);
});

test('a container expires by its own clock, and what was in it is removed', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { client, files } = await start();
  const { id } = await client.containers.create({
    name: 'mine',
    expires_after: { anchor: 'last_active_at', minutes: 5 },
  });
  const file = await client.containers.files.create(id, { file: await toFile(Buffer.from('x'), 'x') });
  vi.setSystemTime(Date.now() + 4 * 60_000);
  await client.containers.files.content.retrieve(file.id, { container_id: id });
  vi.setSystemTime(Date.now() + 4 * 60_000);
  expect((await client.containers.retrieve(id)).status).toBe('active');
  vi.setSystemTime(Date.now() + 60_000);
  expect((await client.containers.retrieve(id)).status).toBe('expired');
  await expect(client.containers.files.content.retrieve(file.id, { container_id: id })).rejects.toMatchObject(
    {
      status: 404,
      code: 'not_found',
      message: expect.stringContaining('has expired'),
    },
  );
  await app.drain(0);
  const later = await app.restart();
  expect(existsSync(join(files, id))).toBe(false);
  await later.drain(0);
});

test.each<[object, string, string]>([
  [{}, 'missing_required_parameter', 'name'],
  [{ name: '' }, 'invalid_payload', 'name'],
  [
    { name: 'x', expires_after: { anchor: 'created_at', minutes: 5 } },
    'invalid_payload',
    'expires_after.anchor',
  ],
  [
    { name: 'x', expires_after: { anchor: 'last_active_at', minutes: 0 } },
    'invalid_payload',
    'expires_after.minutes',
  ],
  [{ name: 'x', memory_limit: '2g' }, 'invalid_payload', 'memory_limit'],
  [{ name: 'x', memory_limit: '64g' }, 'unsupported_parameter', 'memory_limit'],
  [
    { name: 'x', network_policy: { type: 'allowlist', allowed_domains: ['a.b'] } },
    'unsupported_parameter',
    'network_policy',
  ],
])('case %#: a wrong value is refused by its name', async (body, code, param) => {
  await start();
  const { status, json } = await app.call('POST', '/openai/v1/containers', body);
  expect([status, json.error]).toMatchObject([400, { code, param }]);
});

test('uploaded files are copied into a container, each under a name of its own', async () => {
  const { client } = await start();
  const upload = async (text: string) =>
    (await client.files.create({ file: await toFile(Buffer.from(text), 'a.csv'), purpose: 'assistants' })).id;
  const [one, two] = [await upload('1'), await upload('22')];
  const { id } = await client.containers.create({ name: 'mine', file_ids: [one] });
  const copied = await client.containers.files.create(id, { file_id: two });
  expect(copied).toMatchObject({ path: `/mnt/data/${two}-a.csv`, bytes: 2, source: 'user' });
  await client.files.delete(one);
  await client.files.delete(two);
  const { data } = await client.containers.files.list(id, { order: 'asc' });
  expect(data.map(({ path, bytes }) => [path, bytes])).toEqual([
    ['/mnt/data/a.csv', 1],
    [`/mnt/data/${two}-a.csv`, 2],
  ]);
  const reply = await client.containers.files.content.retrieve(data[0]?.id ?? '', { container_id: id });
  expect(await reply.text()).toBe('1');
  const missing = client.containers.create({ name: 'other', file_ids: [one] });
  await expect(missing).rejects.toMatchObject({ status: 404, param: 'file_ids[0]' });
  await expect(client.containers.files.create(id, { file_id: one })).rejects.toMatchObject({
    status: 404,
    param: 'file_id',
  });
  expect((await client.containers.list()).data).toHaveLength(1);
});

test('bad cursors, unknown files and uploads without a file are refused', async () => {
  const { client } = await start();
  const { id } = await client.containers.create({ name: 'mine' });
  const at = `/openai/v1/containers/${id}`;
  const replies = [
    await app.call('GET', '/openai/v1/containers?after=nothing'),
    await app.call('GET', `${at}/files?limit=0`),
    await app.call('POST', `${at}/files`, { file_id: 'file-1' }),
    await app.call('POST', `${at}/files`, {}),
    await app.call('DELETE', `${at}/files/cfile_1`),
    await app.call('GET', '/openai/v1/containers/cntr_1/files'),
  ];
  expect(replies.map(({ status, json }) => [status, json.error?.param])).toEqual([
    [400, 'after'],
    [400, 'limit'],
    [404, 'file_id'],
    [400, 'file_id'],
    [404, 'file_id'],
    [404, 'container_id'],
  ]);
});

test('a container takes so many files and no more', async () => {
  const { client } = await start();
  const { id } = await client.containers.create({ name: 'mine' });
  for (let i = 0; i < 100; i++) {
    await client.containers.files.create(id, { file: await toFile(Buffer.from('x'), `${i}`) });
  }
  const more = client.containers.files.create(id, { file: await toFile(Buffer.from('x'), 'more') });
  await expect(more).rejects.toMatchObject({ status: 400, param: 'file' });
});

test('no name leads out of the folder', () => {
  const wild = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 300 }),
    fc
      .array(fc.constantFrom('..', '.', '/', '\\', '\0', 'a', 'ü', '\n', '\ud800', '//'), { maxLength: 12 })
      .map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(wild, (given) => {
      const upload = uploadName(given);
      expect(filePath(upload)).toBe(upload);
      expect(upload).not.toContain('/');
      const path = filePath(given);
      if (path === null) return;
      expect(
        new URL(path.split('/').map(encodeURIComponent).join('/'), 'file:///mnt/data/').pathname,
      ).toMatch(/^\/mnt\/data\/[^/]/);
      expect(path.split('/')).not.toContain('..');
    }),
  );
});
