import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openSearchIndex } from '../../src/providers/search/open-search-index.ts';
import { createClient } from './client.ts';
import { purge } from './purge-check.ts';
import { type ServedProcess, startProcess } from './served-process.ts';

const word = 'zanzibarquokka';
const bloomery = join(import.meta.dirname, '../../bin/bloomery.js');

let directory: string;
let data: string;
let server: ServedProcess;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-purge-'));
  data = join(directory, 'data');
  server = await startProcess(directory, { scripted: false });
});
afterEach(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

async function upload(text: string): Promise<string> {
  const form = new FormData();
  form.set('purpose', 'assistants');
  form.set('file', new Blob([text]), `${word}.txt`);
  const headers = { 'api-key': server.apiKey };
  const reply = await fetch(`${server.base}/openai/v1/files`, { method: 'POST', headers, body: form });
  return ((await reply.json()) as { id: string }).id;
}

/** A file in a store, in a container and in a response. */
async function makeAll() {
  const client = createClient(server);
  const file = await upload(`${word} `.repeat(2000));
  const store = await client.ask('POST', '/openai/v1/vector_stores', { name: word, file_ids: [file] });
  const path = `/openai/v1/vector_stores/${store.id}`;
  while ((await client.ask('GET', path)).status !== 'completed');
  const container = await client.ask('POST', '/openai/v1/containers', { name: word, file_ids: [file] });
  const response = await client.ask('POST', '/openai/v1/responses', { model: 'builtin', input: word });
  return [
    `/openai/v1/files/${file}`,
    path,
    `/openai/v1/containers/${container.id}`,
    `/openai/v1/responses/${response.id}`,
  ];
}

/** All files with what is in them, but the lock. */
const snapshot = (): Record<string, string> =>
  Object.fromEntries(
    readdirSync(data, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'lock')
      .map((entry) => join(entry.parentPath, entry.name))
      .map((path) => [path, readFileSync(path, 'latin1')]),
  );

test('what was deleted is in no byte of the directory any more, even after a kill', {
  timeout: 240_000,
}, async () => {
  const paths = await makeAll();
  for (const path of paths) await createClient(server).ask('DELETE', path);
  await server.kill();
  expect(purge(directory, '--verify', '--contains', word)).toEqual({
    left: expect.arrayContaining([expect.stringContaining('bytes in the logs')]),
    found: expect.arrayContaining([{ in: 'the log of the database', files: 1 }]),
  });
  expect(purge(directory, '--contains', word)).toEqual({ left: [], found: [] });
  expect(purge(directory, '--verify', '--contains', word)).toEqual({ left: [], found: [] });
});

test('what nothing names is counted without a change, then removed; the rest stays', {
  timeout: 240_000,
}, async () => {
  await makeAll();
  await server.stop();
  const index = openSearchIndex({ directory: data });
  const stray = { id: 'file-stray', filename: 'a', attributes: {} };
  await index.put({ project: 'default', id: 'vs_stray' }, stray, [{ text: 'stray', vector: null }]);
  await index.close();
  const made = [
    'files/file-1',
    'files/drafts/1',
    'uploads/part-1',
    'blobs/extents/0-1',
    'containers/c/files/r',
  ];
  for (const path of made) {
    mkdirSync(join(data, path, '..'), { recursive: true });
    writeFileSync(join(data, path), 'stray');
  }
  const before = snapshot();
  const seen = purge(directory, '--verify', '--contains', word);
  expect(seen.left).toEqual([
    '2 contents of files',
    '1 parts of uploads',
    '2 chunks and vectors in the search index',
    '1 files of containers',
    '1 blobs of datasets and models',
  ]);
  expect(seen.found.length).toBeGreaterThan(2);
  expect(snapshot()).toEqual(before);
  expect(purge(directory)).toEqual({ left: [], found: [] });
  for (const path of made) expect(Object.keys(snapshot())).not.toContain(join(data, path));
  expect(purge(directory, '--verify', '--contains', word)).toEqual({ left: [], found: seen.found });
});

test('what an export that was killed has copied goes, and rows of projects that are not there', {
  timeout: 240_000,
}, async () => {
  const client = createClient(server);
  const kept = await client.ask('POST', '/openai/v1/conversations', { metadata: { a: 'kept' } });
  await server.stop();
  const database = new DatabaseSync(join(data, 'bloomery.db'));
  database.exec(`
    insert into projects (name, created_at, origin, seals) values ('~snapshot_1', 1, 'snapshot', '[]');
    insert into conversations (id, project, user_identity, created_at, metadata) values
      ('conv_1', '~snapshot_1', '', 1, '{"a":"${word}"}'), ('conv_2', 'gone', '', 1, '{"a":"${word}"}');
    insert into uploads (id, project, filename, purpose, bytes, media_type, status, created_at, expires_at)
      values ('upload_1', 'gone', '${word}', 'assistants', 1, 'text/plain', 'pending', 1, 4102444800);
    insert into upload_parts (id, upload_id, bytes, created_at) values ('part_1', 'upload_1', 1, 1);
  `);
  database.close();
  expect(purge(directory, '--verify').left).toEqual([
    '1 snapshots of exports',
    '2 rows of projects that are gone',
  ]);
  expect(purge(directory, '--contains', word)).toEqual({ left: [], found: [] });
  server = await startProcess(directory, { scripted: false });
  const path = `/openai/v1/conversations/${kept.id}`;
  expect((await createClient(server).ask('GET', path)).metadata).toEqual({ a: 'kept' });
});

test('nothing goes before it is known which projects there are', { timeout: 240_000 }, async () => {
  await createClient(server).ask('POST', '/openai/v1/conversations', { metadata: { a: word } });
  await server.stop();
  const database = new DatabaseSync(join(data, 'bloomery.db'));
  // As an older version has left it.
  database.exec('delete from projects');
  database.close();
  expect(purge(directory, '--contains', word).found).not.toEqual([]);
});

test('a directory that a server uses is not touched, and one without data neither', {
  timeout: 120_000,
}, () => {
  const run = (where: string) => {
    const given = [bloomery, 'purge', '--verify', '--data', where];
    return spawnSync(process.execPath, given, { cwd: directory, encoding: 'utf8' });
  };
  const used = run(data);
  expect([used.status, used.stderr]).toEqual([5, expect.stringContaining('Stop it, and repeat')]);
  const empty = run(join(directory, 'none'));
  expect([empty.status, empty.stderr]).toEqual([1, expect.stringContaining('no data of a server')]);
  expect(readdirSync(directory)).not.toContain('none');
});
