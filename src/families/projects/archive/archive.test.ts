import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerClient } from '@azure/storage-blob';
import { afterEach, expect, test } from 'vitest';
import { tarEnd, tarHeader, tarPadding } from '../../../kit/tar.ts';
import { openDatabase, openDatabaseToLook } from '../../../storage/database.ts';
import { migrations } from '../../index.ts';
import { testKey } from '../../testing/test-app.ts';
import { vectorStoreArchive } from '../../vector-stores/archive.ts';
import { furnished } from '../testing/furnished.ts';
import { type ProjectApp, projectApp } from '../testing/project-app.ts';

const opened: ProjectApp[] = [];
afterEach(async () => {
  for (const app of opened.splice(0)) await app.close();
});
async function start() {
  const app = await projectApp();
  opened.push(app);
  const origin = new URL(await app.listen()).origin;
  const headers = { 'api-key': testKey };
  return {
    app,
    origin,
    async archive(name: string): Promise<Buffer> {
      const reply = await fetch(`${origin}/admin/projects/${name}:export`, { headers });
      expect([reply.status, reply.headers.get('content-type')]).toEqual([200, 'application/x-tar']);
      return Buffer.from(await reply.arrayBuffer());
    },
    async take(name: string, bytes: Uint8Array<ArrayBuffer>) {
      const form = new FormData();
      form.set('file', new File([bytes], 'a.tar'));
      const url = `${origin}/admin/projects/${name}:import`;
      const reply = await fetch(url, { method: 'POST', headers, body: form });
      const json = (await reply.json()) as { error?: { message: string }; origin?: string };
      return { status: reply.status, json };
    },
  };
}

const bytesOf = (buffer: Buffer): Uint8Array<ArrayBuffer> => Uint8Array.from(buffer);
const tarOf = (files: Record<string, string>): Uint8Array<ArrayBuffer> =>
  bytesOf(
    Buffer.concat([
      ...Object.entries(files).flatMap(([name, content]) => {
        const bytes = Buffer.from(content);
        return [tarHeader({ name, bytes: bytes.length }), bytes, tarPadding(bytes.length)];
      }),
      tarEnd(),
    ]),
  );
const head = { format: 'bloomery-project', version: 1, project: 'a', created_at: 1 };
const archiveOfFiles = (files: Record<string, string>): Uint8Array<ArrayBuffer> => {
  const all = { 'archive.json': JSON.stringify(head), ...files };
  const entries = Object.entries(all).map(([name, content]) => {
    const sha256 = createHash('sha256').update(content).digest('hex');
    return { name, bytes: Buffer.byteLength(content), sha256 };
  });
  return tarOf({ ...all, 'manifest.json': JSON.stringify({ entries }) });
};

test('a project that was archived is the same in another server, but for its secrets', {
  timeout: 60_000,
}, async () => {
  const one = await start();
  const ids = await furnished(one.app, 'default');
  const here = (uri: string) => uri.replace(/^http:\/\/[^/]+/, one.origin);
  const begun = await one.app.in('default')('POST', '/datasets/data/versions/1/startPendingUpload', {
    pendingUploadType: 'BlobReference',
  });
  const { credential } = begun.json.blobReference as { credential: { sasUri: string } };
  const blob = new ContainerClient(here(credential.sasUri)).getBlockBlobClient('deep/a.txt');
  await blob.upload('hello', 5);
  const dataset = { type: 'uri_file', dataUri: blob.url.replace(/\?.*/, '') };
  expect((await one.app.in('default')('PATCH', '/datasets/data/versions/1', dataset)).status).toBe(201);
  const archive = await one.archive('default');
  expect(archive.includes('secret')).toBe(false);
  expect((await one.app.admin('GET', '/projects')).json.value).toHaveLength(1);

  const two = await start();
  await furnished(two.app, 'default');
  expect(await two.take('moved', bytesOf(archive))).toMatchObject({
    status: 201,
    json: { origin: 'import' },
  });
  await two.app.filled('moved', ids.store);
  for (const path of [
    '/agents?order=asc',
    '/agents/helper/versions',
    '/v1/conversations',
    `/v1/conversations/${ids.conversation}/items`,
    '/v1/responses',
    `/v1/responses/${ids.inConversation}/input_items`,
    '/v1/chat/completions?metadata[a]=b',
    '/v1/files',
    `/v1/files/${ids.file}/content`,
    `/v1/vector_stores/${ids.store}`,
    `/v1/vector_stores/${ids.store}/files`,
  ]) {
    const [before, after] = [
      await one.app.in('default')('GET', path),
      await two.app.in('moved')('GET', path),
    ];
    expect({ status: after.status, text: after.text }, path).toEqual({ status: 200, text: before.text });
  }
  const search = (app: ProjectApp, project: string) =>
    app.in(project)('POST', `/v1/vector_stores/${ids.store}/search`, { query: 'apple' });
  expect((await search(two.app, 'moved')).json).toEqual((await search(one.app, 'default')).json);
  const turn = { model: 'my-model', input: 'c', previous_response_id: ids.inConversation };
  expect((await two.app.in('moved')('POST', '/v1/responses', turn)).status).toBe(200);
  const connection = await two.app.in('moved')('POST', '/connections/search/getConnectionWithCredentials');
  expect([connection.status, connection.json.error?.message]).toEqual([
    409,
    expect.stringContaining('Set the connection again'),
  ]);
  const read = await two.app.in('moved')('POST', '/datasets/data/versions/1/credentials');
  const { credential: given } = read.json.blobReference as { credential: { sasUri: string } };
  const moved = new ContainerClient(given.sasUri.replace(/^http:\/\/[^/]+/, two.origin));
  expect((await moved.getBlobClient('deep/a.txt').downloadToBuffer()).toString()).toBe('hello');
});

test('batches of files have them in another server and in a fork, with those that others have, too', {
  timeout: 60_000,
}, async () => {
  const one = await start();
  const call = one.app.in('default');
  const files = [
    await one.app.upload('default', 'a.txt', 'x'),
    await one.app.upload('default', 'b.txt', 'y'),
  ];
  const store = String((await call('POST', '/v1/vector_stores', { name: 'both' })).json.id);
  const batches: string[] = [];
  for (const file_ids of [files, files.slice(1)]) {
    const { json } = await call('POST', `/v1/vector_stores/${store}/file_batches`, { file_ids });
    batches.push(String(json.id));
    await one.app.filled('default', store);
  }
  const two = await start();
  await two.take('moved', bytesOf(await one.archive('default')));
  await two.app.filled('moved', store);
  await one.app.admin('POST', '/projects/default:fork', { name: 'twin' });
  for (const [app, name] of [[two.app, 'moved'] as const, [one.app, 'twin'] as const]) {
    for (const batch of batches) {
      for (const path of ['', '/files']) {
        const at = `/v1/vector_stores/${store}/file_batches/${batch}${path}`;
        expect((await app.in(name)('GET', at)).json, at).toEqual((await call('GET', at)).json);
      }
    }
  }
});

test('an archive has no columns that older servers do not know', () => {
  const row = { file_id: 'file_1', batch_id: 'vsfb_1', asked_by: 'key' };
  expect(vectorStoreArchive.exported?.('vector_store_files', row, null)).toEqual({ file_id: 'file_1' });
  const member = { project: 'one', batch_id: 'vsfb_1', file_id: 'file_1' };
  expect(vectorStoreArchive.exported?.('vector_store_batch_files', member, null)).toEqual(member);
});

test('in the same server it is another project, whose contents are its own', async () => {
  const { app, archive, take } = await start();
  const ids = await furnished(app, 'default');
  const bytes = bytesOf(await archive('default'));
  expect((await take('default', bytes)).status).toBe(409);
  expect((await take('copy', bytes)).status).toBe(201);
  await app.in('default')('DELETE', `/v1/files/${ids.file}`);
  expect((await app.in('copy')('GET', `/v1/files/${ids.file}/content`)).status).toBe(200);
  await app.admin('DELETE', '/projects/copy');
  expect((await take('copy', bytes)).status).toBe(201);
});

test('an archive that was changed anywhere is refused, and nothing comes of it', {
  timeout: 60_000,
}, async () => {
  const { app, archive, take } = await start();
  await furnished(app, 'default');
  const bytes = await archive('default');
  const kept = readdirSync(join(app.directory, 'files')).sort();
  for (let n = 0; n < 25; n++) {
    const changed = bytesOf(bytes);
    // Within the entries: behind them there are zeros that mean nothing.
    const at = Math.floor((n / 25) * (bytes.length - 2048));
    changed[at] = (changed[at] ?? 0) ^ 0x21;
    const reply = await take('copy', changed);
    // What pads a block belongs to no entry.
    if (reply.status === 201) {
      expect(bytes[at], `${at}`).toBe(0);
      await app.admin('DELETE', '/projects/copy');
    } else expect(reply.status, `${at}`).toBe(400);
  }
  expect((await take('copy', bytesOf(bytes.subarray(0, bytes.length / 2)))).status).toBe(400);
  expect((await app.admin('GET', '/projects/copy')).status).toBe(404);
  await expect
    .poll(() => readdirSync(join(app.directory, 'files')).sort(), { timeout: 20_000 })
    .toEqual(kept);
  expect(readdirSync(join(app.directory, 'imports')).filter((name) => name !== 'drafts')).toEqual([]);
});

test.each([
  ['no archive', Uint8Array.from(Buffer.from('hello'))],
  ['nothing', new Uint8Array()],
  ['another archive', tarOf({ 'a.txt': 'hello' })],
  ['one that breaks off', tarOf({ 'archive.json': JSON.stringify(head) })],
  ['one of a newer version', tarOf({ 'archive.json': '{"format":"bloomery-project","version":3}' })],
  ['one that leads elsewhere', tarOf({ 'archive.json': JSON.stringify(head), '../../etc/passwd': 'x' })],
])('%s is refused in words', async (what, bytes) => {
  const { app, take } = await start();
  const { status, json } = await take('copy', bytes);
  expect([status, json.error?.message]).toEqual([400, expect.stringMatching(/archive|empty/i)]);
  if (what === 'one of a newer version') expect(json.error?.message).toContain('Update this server.');
  expect(existsSync(join(app.directory, '..', 'etc'))).toBe(false);
});

/** An archive as another server may have made it. */
function archiveOf(rows: Record<string, object[]>): Uint8Array<ArrayBuffer> {
  const files: Record<string, string> = { 'archive.json': JSON.stringify(head) };
  for (const [table, list] of Object.entries(rows)) {
    files[`rows/${table}/000001.ndjson`] = list.map((row) => `${JSON.stringify(row)}\n`).join('');
  }
  const entries = Object.entries(files).map(([name, content]) => ({
    ...{ name, bytes: Buffer.byteLength(content) },
    sha256: createHash('sha256').update(content).digest('hex'),
  }));
  return tarOf({ ...files, 'manifest.json': JSON.stringify({ entries }) });
}
type Looked = {
  projects: Record<'name' | 'origin' | 'seals', string> & { created_at: number };
  conversations: Record<'project' | 'id' | 'user_identity' | 'metadata', string> & { created_at: number };
  conversation_items: { project: string; id: string };
};
const conversation = `conv_${'a'.repeat(46)}`;
const conversations = [{ id: conversation, user_identity: '', created_at: 1, metadata: '{}' }];
const item = (seq: number, n: number) => {
  const content = [{ type: 'input_text', text: `${n}` }];
  const one = { id: `msg_${n}`, type: 'message', role: 'user', content };
  return { seq, conversation_id: conversation, id: one.id, type: one.type, item: JSON.stringify(one) };
};
const idsIn = async (app: ProjectApp, project: string) => {
  const { json } = await app.in(project)(
    'GET',
    `/v1/conversations/${conversation}/items?order=asc&limit=100`,
  );
  return (json.data as { id: string }[]).map(({ id }) => id);
};

test('the numbers in an archive tell no more than an order', async () => {
  const { app, take } = await start();
  const seqs = [9_007_199_254_740_991, -5, 9_007_199_254_740_900, 0];
  const archive = archiveOf({ conversations, conversation_items: seqs.map(item) });
  expect((await take('high', archive)).status).toBe(201);
  expect((await take('again', archive)).status).toBe(201);
  const made = await app.in('default')('POST', '/v1/conversations', {
    items: [{ role: 'user', content: 'Hi' }],
  });
  expect(made.status).toBe(200);
  for (const name of ['high', 'again']) {
    expect(await idsIn(app, name)).toEqual(['msg_1', 'msg_3', 'msg_2', 'msg_0']);
  }
});

test('while an archive is read others go on, and its project is nowhere', { timeout: 30_000 }, async () => {
  const { app, take } = await start();
  const count = 6000;
  const rows = Array.from({ length: count }, (_, n) => item(n + 1, n));
  const look = (await openDatabaseToLook(app.directory, migrations)).withTables<Looked>();
  const written = async () =>
    (await look.selectFrom('conversation_items').select('id').where('project', '=', 'copy').execute()).length;
  let isOver = false;
  const taken = take('copy', archiveOf({ conversations, conversation_items: rows })).finally(() => {
    isOver = true;
  });
  const seen = new Set<number>();
  while (!isOver) {
    const reply = await app.in('copy')('GET', `/v1/conversations/${conversation}`);
    if (reply.status !== 404) break;
    expect((await app.in('default')('POST', '/v1/conversations', {})).status).toBe(200);
    seen.add(await written());
  }
  expect((await taken).status).toBe(201);
  expect([...seen].filter((n) => n > 0 && n < count).length).toBeGreaterThan(1);
  expect(await written()).toBe(count);

  const twice = archiveOf({ conversations, conversation_items: [...rows, item(count + 1, 0)] });
  await app.admin('DELETE', '/projects/copy');
  expect((await take('copy', twice)).status).toBe(400);
  expect(await written()).toBe(0);
  await look.destroy();
  expect((await app.admin('POST', '/projects', { name: 'copy' })).status).toBe(201);
});

test('what was being read when the server died is gone at its next start, whoever has the name by then', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, migrations);
  const db = database.withTables<Looked>();
  for (const project of ['half', 'default']) {
    const origin = { origin: 'unfinished', created_at: 1, seals: '[]' };
    await db
      .insertInto('projects')
      .values({ name: project, ...origin })
      .execute();
    await db
      .insertInto('conversations')
      .values(conversations.map((one) => ({ ...one, project })))
      .execute();
  }
  await database.destroy();
  const app = await projectApp(undefined, { directory });
  opened.push(app);
  expect((await app.admin('GET', '/projects')).json.value).toMatchObject([
    { name: 'default', origin: 'configuration' },
  ]);
  expect((await app.in('default')('GET', '/v1/conversations')).json.data).toEqual([]);
  const look = (await openDatabaseToLook(directory, migrations)).withTables<Looked>();
  expect(await look.selectFrom('projects').select('name').execute()).toEqual([{ name: 'default' }]);
  expect(await look.selectFrom('conversations').select('id').execute()).toEqual([]);
  await look.destroy();
});

test.each([
  [
    'rows/agent_versions/000000.ndjson',
    `${JSON.stringify({ agent_name: 'a', version: 1, definition: 'nojson', metadata: '{}' })}\n`,
  ],
  ['rows/conversations/000000.ndjson', `${JSON.stringify({ id: 'conv_1', metadata: '7' })}\n`],
  ['blobs/c.names', '["a","../../x"]'],
  ['blobs/c.names', '{}'],
])('what %s has wrong is told by its name, and nothing comes of it', async (name, content) => {
  const { app, take } = await start();
  const { status, json } = await take('copy', archiveOfFiles({ [name]: content }));
  expect([status, json.error?.message]).toEqual([400, expect.stringContaining(`'${name}'`)]);
  expect((await app.admin('GET', '/projects/copy')).status).toBe(404);
});

test('a connection without credentials works where the archive is read, and one with is to be set again', async () => {
  const { app, archive, take } = await start();
  const set = (name: string, credentials: object) =>
    app.in('default')('PUT', `/connections/${name}`, {
      ...{ type: 'RemoteTool_Preview', target: 'https://tool.example', credentials },
    });
  await set('open', { type: 'None' });
  await set('closed', { type: 'ApiKey', key: 'secret' });
  await take('copy', bytesOf(await archive('default')));
  const get = (name: string) => app.in('copy')('POST', `/connections/${name}/getConnectionWithCredentials`);
  expect((await get('open')).json).toMatchObject({ name: 'open', credentials: { type: 'None' } });
  const { status, json } = await get('closed');
  expect([status, json.error?.message]).toEqual([409, expect.stringContaining('not in the archive')]);
});
