import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectionBudget, connectionDirectory, migrations } from './families/index.ts';
import { wholeApp } from './families/testing/whole-app.ts';
import { rotateSecrets } from './server-secrets.ts';
import { lockDataDirectory } from './storage/data-lock.ts';
import { openDatabase } from './storage/database.ts';
import { createSealer } from './trust/sealing.ts';
import { type SealingKeys, sealingKeys } from './trust/sealing-keys.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

async function withConnections<T>(
  keys: SealingKeys,
  use: (connections: ReturnType<typeof connectionDirectory>) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(directory, migrations);
  try {
    return await use(
      connectionDirectory([], database, createSealer(keys), connectionBudget({ projectConnections: 9 })),
    );
  } finally {
    await database.destroy();
  }
}

const connection = {
  name: 'search',
  type: 'CognitiveSearch',
  target: 'https://search',
  isDefault: false,
  metadata: {},
  credentials: { type: 'ApiKey', apiKey: 'sk-secret' },
} as const;
const set = (keys: SealingKeys) => withConnections(keys, (all) => all.set('p', connection));
const read = (keys: SealingKeys) =>
  withConnections(keys, async (all) => (await all.findWithCredentials('p', 'search'))?.credentials);

test('secrets are sealed with a new key; the older one is kept, or forgotten', async () => {
  const [old] = sealingKeys(directory, undefined);
  await set([old]);
  expect(await rotateSecrets(directory, false)).toEqual({
    connections: 1,
    unreadable: [],
    forgotten: false,
  });
  const [current, ...older] = sealingKeys(directory, undefined);
  expect(older).toEqual([old]);
  expect(await read([current])).toEqual(connection.credentials);
  await expect(read([old])).rejects.toThrow("can't be read");
  expect(await rotateSecrets(directory, true)).toMatchObject({ forgotten: true });
  const keys = sealingKeys(directory, undefined);
  expect(keys).toHaveLength(1);
  expect(await read(keys)).toEqual(connection.credentials);
});

test('what nobody can read is named, and left as it is', async () => {
  await set([Buffer.alloc(32, 9)]);
  expect(await rotateSecrets(directory, false)).toMatchObject({ unreadable: ['p/search'] });
  expect(await read([Buffer.alloc(32, 9)])).toEqual(connection.credentials);
});

test('not while a server runs', async () => {
  const lock = lockDataDirectory(directory);
  await expect(rotateSecrets(directory, false)).rejects.toThrow('in use');
  lock.release();
});

test('secrets of the tools of agents are sealed anew, too', async () => {
  const [old] = sealingKeys(directory, undefined);
  const app = await wholeApp({}, { directory, sealingKey: old });
  const tools = [{ type: 'mcp', server_label: 'a', server_url: 'https://a.example', authorization: 'hush' }];
  const definition = { kind: 'prompt', model: 'm', tools };
  expect((await app.call('POST', '/agents/helper/versions', { definition })).status).toBe(200);
  await app.stop();
  expect(await rotateSecrets(directory, true)).toMatchObject({ unreadable: [], forgotten: true });
  const [key] = sealingKeys(directory, undefined);
  const again = await wholeApp({}, { directory, sealingKey: key });
  const { json } = await again.call('GET', '/agents/helper/versions/1');
  expect(json).toMatchObject({ definition: { tools } });
  await again.stop();
});
