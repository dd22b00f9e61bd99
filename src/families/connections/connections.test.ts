import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ConnectionConfig } from '../../config.ts';
import { type Database, openDatabase } from '../../storage/database.ts';
import { createSealer } from '../../trust/sealing.ts';
import { type TestApp, testApp } from '../testing/test-app.ts';
import {
  type ConnectionDirectory,
  connectionBudget,
  connectionDirectory,
  connectionsFamily,
  migrations,
} from './index.ts';

const key = Buffer.alloc(32, 7);
const secret = 'sk-very-secret';

let directory: string;
let database: Database;
let connections: ConnectionDirectory;
let app: TestApp;

async function open(configured: ConnectionConfig[] = [], sealingKey = key): Promise<void> {
  connections = connectionDirectory(
    configured,
    database,
    createSealer([sealingKey]),
    connectionBudget({ projectConnections: 1000 }),
  );
  app = await testApp(connectionsFamily(connections));
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  database = await openDatabase(directory, migrations);
  await open();
});
afterEach(async () => {
  await app.close();
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const search = {
  type: 'CognitiveSearch',
  target: 'https://mine.search.windows.net/',
  metadata: { ApiType: 'Azure' },
  credentials: { type: 'ApiKey', key: secret },
};
const idOf = (name: string): string =>
  `/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/bloomery/providers/Microsoft.CognitiveServices/accounts/bloomery/projects/default/connections/${name}`;

const put = (name: string, changes: object = {}) =>
  app.call('PUT', `/connections/${name}`, { ...search, ...changes });
const withCredentials = (name: string) =>
  app.call('POST', `/connections/${name}/getConnectionWithCredentials`);
async function names(query = ''): Promise<unknown[]> {
  const { json } = await app.call('GET', `/connections${query}`);
  return (json.value as { name: string }[]).map(({ name }) => name);
}

const configured = (changes: Partial<ConnectionConfig> = {}): ConnectionConfig => ({
  name: 'fixed',
  project: null,
  type: 'CognitiveSearch',
  target: 'https://fixed',
  isDefault: true,
  metadata: {},
  credentials: { type: 'ApiKey', apiKey: 'configured-secret' },
  ...changes,
});

describe('a stored connection', () => {
  test('is made, read, listed and replaced, without its secrets', async () => {
    const made = await put('search');
    const shown = {
      ...search,
      name: 'search',
      id: idOf('search'),
      isDefault: false,
      credentials: { type: 'ApiKey' },
    };
    expect([made.status, made.json]).toEqual([201, shown]);
    expect((await app.call('GET', '/connections/search')).json).toEqual(shown);
    expect((await app.call('GET', '/connections')).json).toEqual({ value: [shown] });

    const replaced = await put('search', { target: 'other', metadata: null, credentials: null });
    expect([replaced.status, replaced.json]).toEqual([
      200,
      { ...shown, target: 'other', metadata: {}, credentials: { type: 'None' } },
    ]);
  });

  test.each([
    { type: 'ApiKey', key: secret },
    { type: 'SAS', SAS: secret },
    { type: 'CustomKeys', 'x-api-key': secret, Authorization: 'Bearer a b' },
    { type: 'AAD' },
    { type: 'None' },
    { type: 'AgenticIdentityToken_Preview' },
  ])('is read with its credentials as it was given: %j', async (credentials) => {
    await put('c', { credentials });
    const { status, json, headers } = await withCredentials('c');
    expect([status, json.credentials]).toEqual([200, credentials]);
    expect(json).toMatchObject({ name: 'c', id: idOf('c'), target: search.target, isDefault: false });
    expect(headers['cache-control']).toBe('no-store');
    expect((await app.call('GET', '/connections/c')).json.credentials).toEqual({ type: credentials.type });
  });

  test('has its secrets nowhere in the data directory', async () => {
    await put('search');
    expect((await withCredentials('search')).text).toContain(secret);
    const bytes = readdirSync(directory).map((file) => readFileSync(join(directory, file), 'latin1'));
    expect(bytes.join()).toContain(search.target);
    expect(bytes.join()).not.toContain(secret);
  });

  test('can be deleted, once', async () => {
    await put('search');
    const { status, text } = await app.call('DELETE', '/connections/search');
    expect([status, text]).toEqual([204, '']);
    expect(await app.call('DELETE', '/connections/search')).toMatchObject({
      status: 404,
      json: { error: { code: 'not_found', target: 'name' } },
    });
  });

  test('is 404 where there is none', async () => {
    for (const reply of [await app.call('GET', '/connections/nobody'), await withCredentials('nobody')]) {
      expect(reply).toMatchObject({ status: 404, json: { error: { code: 'not_found', target: 'name' } } });
    }
  });

  test('takes over as the default of its type', async () => {
    await put('a', { isDefault: true });
    await put('other', { isDefault: true, type: 'CosmosDB' });
    expect(await names('?defaultConnection=true')).toEqual(['a', 'other']);
    await put('b', { isDefault: true });
    expect(await names('?defaultConnection=true')).toEqual(['b', 'other']);
    expect(await names('?defaultConnection=true&connectionType=CognitiveSearch')).toEqual(['b']);
    await put('b');
    expect(await names('?defaultConnection=true')).toEqual(['other']);
  });

  test('is not given away when its key is another, or its target or name was changed', async () => {
    await put('search');
    await put('other', { target: 'https://other' });
    const table = database.withTables<{ connections: { name: string; target: string; sealed: string } }>();
    const sealedOf = async (name: string) =>
      table.selectFrom('connections').select('sealed').where('name', '=', name).executeTakeFirstOrThrow();
    await table
      .updateTable('connections')
      .set({ target: 'https://evil' })
      .where('name', '=', 'search')
      .execute();
    await table
      .updateTable('connections')
      .set(await sealedOf('search'))
      .where('name', '=', 'other')
      .execute();
    for (const name of ['search', 'other']) {
      const { status, json } = await withCredentials(name);
      expect([status, json.error?.code]).toEqual([409, 'conflict']);
    }

    await put('search');
    await app.close();
    await open([], Buffer.alloc(32, 8));
    expect((await withCredentials('search')).status).toBe(409);
    expect((await app.call('GET', '/connections/search')).status).toBe(200);
    await put('search');
    expect((await withCredentials('search')).status).toBe(200);
  });

  test('has room for a thousand in a project, and then tells so', { timeout: 60_000 }, async () => {
    const row = (i: number) => ({
      project: 'default',
      name: `n${i}`,
      type: 'ApiKey',
      target: 't',
      is_default: 0,
      metadata: '{}',
      credential_type: 'None',
      sealed: '',
    });
    const table = database.withTables<{ connections: ReturnType<typeof row> }>();
    const rows = Array.from({ length: 999 }, (_, i) => row(i));
    await table.insertInto('connections').values(rows).execute();
    expect((await put('last')).status).toBe(201);
    expect((await put('one-more')).json.error).toMatchObject({ code: 'quota_exceeded' });
    expect((await put('last')).status).toBe(200);
    const { json } = await app.call('GET', '/connections');
    expect(json.value).toHaveLength(100);
    expect(json.nextLink).toContain('skipToken=');
  });
});

describe('what is refused, by name', () => {
  test.each([
    [{ type: 'Fax' }, 'invalid_payload', 'type'],
    [{ target: undefined }, 'missing_required_parameter', 'target'],
    [{ target: '' }, 'invalid_payload', 'target'],
    [{ target: `https://me:${secret}@host/` }, 'invalid_payload', 'target'],
    [{ metadata: { a: 1 } }, 'invalid_payload', 'metadata.a'],
    [{ credentials: { key: secret } }, 'missing_required_parameter', 'credentials.type'],
    [{ credentials: { type: 'ApiKey' } }, 'missing_required_parameter', 'credentials.key'],
    [{ credentials: { type: 'ApiKey', key: '' } }, 'invalid_payload', 'credentials.key'],
    [{ credentials: { type: 'ApiKey', key: `${secret}\n` } }, 'invalid_payload', 'credentials.key'],
    [{ credentials: { type: 'AAD', key: secret } }, 'invalid_payload', 'credentials'],
    [{ credentials: { type: 'SAS', sas: secret } }, 'missing_required_parameter', 'credentials.SAS'],
    [{ credentials: { type: 'Password', key: secret } }, 'invalid_payload', 'credentials.type'],
    [{ credentials: { type: 'CustomKeys' } }, 'invalid_payload', 'credentials'],
    [{ credentials: { type: 'CustomKeys', a: 1 } }, 'invalid_payload', 'credentials.a'],
    [{ credentials: { type: 'CustomKeys', 'a\nb': secret } }, 'invalid_payload', 'credentials'],
  ])('%j', async (changes, code, target) => {
    const { status, json, text } = await put('c', changes);
    expect([status, json.error]).toMatchObject([400, { code, target }]);
    expect(text).not.toContain(secret);
    expect(await names()).toEqual([]);
  });

  test.each(['no%20spaces', '-a', 'a%2Fb', 'x'.repeat(65)])('the name %s', async (name) => {
    expect(await put(name)).toMatchObject({
      status: 400,
      json: { error: { code: 'invalid_parameter', target: 'name' } },
    });
  });

  test.each([
    ['connectionType=Fax', 'connectionType'],
    ['defaultConnection=perhaps', 'defaultConnection'],
    ['top=-1', 'top'],
    ['skipToken=*', 'skipToken'],
  ])('?%s', async (query, target) => {
    const { status, json } = await app.call('GET', `/connections?${query}`);
    expect([status, json.error]).toMatchObject([400, { code: 'invalid_parameter', target }]);
  });
});

test('pages follow their links, filters included', async () => {
  for (const name of ['c', 'a', 'b']) await put(name);
  await put('z', { type: 'CosmosDB' });
  const seen: unknown[] = [];
  let next: unknown = '/connections?connectionType=CognitiveSearch&defaultConnection=false&maxpagesize=2';
  for (let i = 0; i < 5 && next !== undefined; i++) {
    const { json } = await app.call('GET', String(next).replace(/^.*\/api\/projects\/default/, ''));
    seen.push((json.value as { name: string }[]).map(({ name }) => name));
    next = json.nextLink;
  }
  expect(seen).toEqual([['a', 'b'], ['c']]);
});

describe('a configured connection', () => {
  const reopen = async (...entries: ConnectionConfig[]) => {
    await app.close();
    await open(entries);
  };

  test('is shown like a stored one', async () => {
    await reopen(configured());
    const shown = {
      name: 'fixed',
      id: idOf('fixed'),
      type: 'CognitiveSearch',
      target: 'https://fixed',
      isDefault: true,
      metadata: {},
    };
    expect((await app.call('GET', '/connections/fixed')).json).toEqual({
      ...shown,
      credentials: { type: 'ApiKey' },
    });
    expect((await withCredentials('fixed')).json).toEqual({
      ...shown,
      credentials: { type: 'ApiKey', key: 'configured-secret' },
    });
  });

  test('can be neither replaced nor deleted, nor does it yield as a default', async () => {
    await reopen(configured());
    for (const reply of [await put('fixed'), await app.call('DELETE', '/connections/fixed')]) {
      expect(reply).toMatchObject({ status: 409, json: { error: { code: 'conflict', target: 'name' } } });
    }
    expect(await put('mine', { isDefault: true })).toMatchObject({
      status: 409,
      json: { error: { code: 'conflict', target: 'isDefault' } },
    });
    expect(await put('mine')).toMatchObject({ status: 201 });
    expect(await put('theirs', { type: 'CosmosDB', isDefault: true })).toMatchObject({ status: 201 });
  });

  test('stands before a stored one of its name and before the stored default of its type', async () => {
    await put('fixed', { isDefault: true });
    await put('mine', { isDefault: true });
    await reopen(configured());
    expect(await names()).toEqual(['fixed', 'mine']);
    expect(await names('?defaultConnection=true')).toEqual(['fixed']);
    expect((await app.call('GET', '/connections/mine')).json.isDefault).toBe(false);
    expect((await withCredentials('fixed')).text).not.toContain(secret);
    await reopen();
    expect(await names('?defaultConnection=true')).toEqual(['mine']);
  });

  test('of another project is not there', async () => {
    await reopen(configured({ project: 'another' }), configured({ name: 'here', project: 'default' }));
    expect(await names()).toEqual(['here']);
    expect((await withCredentials('fixed')).status).toBe(404);
    expect((await put('fixed')).status).toBe(201);
  });
});

describe('tools', () => {
  test('find a connection by name or by id, with its credentials', async () => {
    await put('search');
    const found = { ...search, name: 'search', credentials: { type: 'ApiKey', apiKey: secret } };
    const { tools } = connections;
    expect(await tools.get('default', 'search', 'tools[0]')).toEqual(found);
    expect(await tools.get('default', idOf('search'), 'tools[0]')).toEqual(found);
    const otherCase = idOf('search').replace('resourceGroups', 'resourcegroups');
    expect(await tools.get('default', otherCase, 'tools[0]')).toEqual(found);
  });

  test.each([
    ['default', 'nobody'],
    ['default', idOf('nobody')],
    ['default', `${idOf('search')}/more`],
    ['default', '/subscriptions/1/connections/search'],
    ['another', 'search'],
    ['another', idOf('search')],
    ['Default', idOf('search')],
    ['default', ''],
  ])('are told in project %s that there is no %j', async (project, wanted) => {
    await put('search');
    await expect(connections.tools.get(project, wanted, 'tools[0]')).rejects.toMatchObject({
      status: 404,
      code: 'not_found',
      target: 'tools[0]',
    });
  });
});

test('whatever custom keys are taken come back, and what is not taken is a 400', async () => {
  const text = fc.oneof(
    { weight: 6, arbitrary: fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9_. -]{0,9}$/) },
    { weight: 1, arbitrary: fc.string({ unit: 'grapheme', maxLength: 20 }) },
  );
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.dictionary(text, fc.oneof(text, text, fc.jsonValue()), { maxKeys: 4 }),
      async (keys) => {
        const credentials = { ...keys, type: 'CustomKeys' };
        const { status } = await put('c', { credentials });
        if (status === 400) return;
        taken++;
        expect([200, 201]).toContain(status);
        expect((await withCredentials('c')).json.credentials).toEqual(credentials);
      },
    ),
    { numRuns: 200 },
  );
  expect(taken).toBeGreaterThan(10);
});
