import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { connectionBudget, connectionDirectory, migrations } from './families/index.ts';
import { wholeApp } from './families/testing/whole-app.ts';
import { rotateSecrets, rotateTokens } from './server-secrets.ts';
import { lockDataDirectory } from './storage/data-lock.ts';
import { openDatabase } from './storage/database.ts';
import { ensureCredentials } from './trust/credentials.ts';
import { createSealer } from './trust/sealing.ts';
import { type SealingKeys, sealingKeys } from './trust/sealing-keys.ts';
import { createTokenVerifier } from './trust/token-verifier.ts';
import { createTokenIssuer } from './trust/tokens.ts';

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

test('tokens are signed with a new key; what the older one signed is good for a day, or is refused at once', async () => {
  const before = await createTokenIssuer({ directory });
  const { identityHeader } = ensureCredentials(directory);
  const request = { audience: 'https://ai.azure.com', lifetimeSeconds: 86_400 };
  const { accessToken: old } = await before.issue(request);
  await rotateTokens(directory, false);
  expect(ensureCredentials(directory).identityHeader).not.toBe(identityHeader);
  const verified = async (token: string, later = 0) => {
    const issuer = await createTokenIssuer({ directory, now: () => Date.now() + later });
    const verifier = createTokenVerifier([issuer], { now: () => Date.now() + later });
    return (async () => (await verifier.verify(token)).id)().catch(({ code }) => code);
  };
  const after = await createTokenIssuer({ directory });
  const { accessToken: fresh } = await after.issue(request);
  expect([await verified(old), await verified(fresh)]).toEqual(['developer', 'developer']);
  const [header = '', payload = '', signature] = old.split('.');
  const [, other] = fresh.split('.');
  expect(await verified([header, payload, fresh.split('.')[2]].join('.'))).toBe('invalid_credential');
  expect(await verified([header, other, signature].join('.'))).toBe('invalid_credential');

  // An issuer that runs on lets the older key go when its time is over.
  let now = Date.now();
  const running = await createTokenIssuer({ directory, now: () => now });
  const { iss } = JSON.parse(Buffer.from(payload, 'base64url').toString());
  expect(running.knows(iss)).toBe(true);
  now += 90_000_000;
  expect(running.knows(iss)).toBe(false);

  await rotateTokens(directory, true);
  expect([await verified(old), await verified(fresh)]).toEqual(['invalid_credential', 'invalid_credential']);
});
