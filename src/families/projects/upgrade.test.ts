import { mkdirSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { openDatabase } from '../../storage/database.ts';
import { createSealer } from '../../trust/sealing.ts';
import { migrations } from '../index.ts';
import { type ProjectApp, projectApp } from './testing/project-app.ts';

const hex = (digit: string) => digit.repeat(46);
const before = Object.fromEntries(Object.entries(migrations).filter(([name]) => name < '0020'));
// biome-ignore lint/suspicious/noExplicitAny: rows of tables as they once were.
type Old = any;

let app: ProjectApp;
afterEach(() => app?.close());

test('what was stored before rows had their project in the key is there, and can be forked', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, before);
  const db = database as Old;
  const project = 'default';
  const conversation = `conv_${hex('a')}`;
  const file = `file_${hex('b')}`;
  const store = `vs_${hex('c')}`;
  const batch = `vsfb_${hex('d')}`;
  const add = (table: string, row: object) => db.insertInto(table).values(row).execute();
  await add('conversations', {
    ...{ id: conversation, project, user_identity: '', created_at: 1, metadata: '{"old":"yes"}' },
  });
  for (const n of [1, 2]) {
    const item = {
      id: `msg_${n}`,
      type: 'message',
      role: 'user',
      content: [{ type: 'input_text', text: `${n}` }],
    };
    const key = { conversation_id: conversation, id: item.id, type: item.type };
    await add('conversation_items', { ...key, item: JSON.stringify(item) });
  }
  await add('files', {
    ...{ id: file, project, filename: 'a.txt', bytes: 5, purpose: 'assistants', media_type: 'text/plain' },
    ...{ sha256: 'x', created_at: 1, expires_at: null },
  });
  mkdirSync(join(directory, 'files'));
  writeFileSync(join(directory, 'files', file), 'apple');
  await add('vector_stores', {
    ...{ id: store, project, name: 'old', metadata: '{}', embeddings: '', created_at: 1, last_active_at: 1 },
    state: 'active',
  });
  await add('vector_store_files', {
    ...{ store_id: store, file_id: file, key: 'vsf_1', project, created_at: 1, status: 'in_progress' },
    ...{ attributes: '{}', max_tokens: 800, overlap_tokens: 400 },
  });
  await add('vector_store_batches', { id: batch, store_id: store, created_at: 1 });
  await add('vector_store_batch_files', { batch_id: batch, file_id: file });
  await database.destroy();

  app = await projectApp(undefined, { directory });
  await app.admin('POST', '/projects/default:fork', { name: 'twin' });
  for (const name of ['default', 'twin']) {
    const call = app.in(name);
    expect((await call('GET', `/v1/conversations/${conversation}`)).json.metadata).toEqual({ old: 'yes' });
    const { data } = (await call('GET', `/v1/conversations/${conversation}/items?order=asc`)).json;
    expect((data as { id: string }[]).map(({ id }) => id)).toEqual(['msg_1', 'msg_2']);
    expect((await call('GET', `/v1/files/${file}/content`)).text).toBe('apple');
    expect((await app.filled(name, store)).file_counts).toMatchObject({ completed: 1, total: 1 });
    const { json } = await call('GET', `/v1/vector_stores/${store}/file_batches/${batch}`);
    expect(json).toMatchObject({ status: 'completed', file_counts: { completed: 1 } });
    const hits = (await call('POST', `/v1/vector_stores/${store}/search`, { query: 'apple' })).json.data;
    expect(hits).toHaveLength(1);
  }
});

test('a project that is not configured just now is there with what it had', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const database = await openDatabase(directory, before);
  const project = 'idle';
  const content = {
    ...{ name: 'search', target: 'https://search.example' },
    credentials: { type: 'ApiKey', apiKey: 'secret' },
  };
  const sealed = createSealer([Buffer.alloc(32, 7)]).seal(JSON.stringify(content), 'connection', project);
  await (database as Old)
    .insertInto('connections')
    .values({
      ...{ project, name: 'search', type: 'ApiKey', target: content.target, is_default: 0, metadata: '{}' },
      ...{ credential_type: 'ApiKey', sealed },
    })
    .execute();
  await database.destroy();

  app = await projectApp(undefined, { directory });
  const { value } = (await app.admin('GET', '/projects')).json;
  expect((value as { name: string }[]).map(({ name }) => name)).toEqual(['default', project]);
  await app.admin('POST', '/projects/idle:fork', { name: 'twin' });
  for (const name of [project, 'twin']) {
    const { json } = await app.in(name)('POST', '/connections/search/getConnectionWithCredentials');
    expect(json.credentials, name).toEqual({ type: 'ApiKey', key: 'secret' });
  }
});
