import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createApiKeys, mostKeys } from './api-keys.ts';
import { credentialsFile, ensureCredentials } from './credentials.ts';
import { apiKeysFile, type KeyFile } from './key-file.ts';
import { everything } from './principal.ts';

const start = Date.UTC(2026, 0, 1);
const reader = [{ role: 'Reader', project: 'one' }];
let time: number;
let saved: KeyFile;
const now = () => time;

function open(file: KeyFile = { keys: [], revoked: [] }) {
  return createApiKeys(file, {
    now,
    save(changed) {
      saved = JSON.parse(JSON.stringify(changed));
    },
  });
}

beforeEach(() => {
  time = start;
});

describe('a key', () => {
  test('carries its roles, is listed without itself, and says when it was used', () => {
    const keys = open();
    const { key, id } = keys.create({ name: 'ci', grants: reader, lifetimeSeconds: null });
    expect(key).toMatch(/^blm_[\w-]{43}$/);
    expect(JSON.stringify([saved, keys.list()])).not.toContain(key);
    expect(keys.list()).toMatchObject([{ id, name: 'ci', lastUsedAt: null, expiresAt: null }]);
    time += 90_000;
    expect(keys.verify(key)).toEqual({ kind: 'key', id, name: 'ci', grants: reader });
    expect(keys.list()).toMatchObject([{ lastUsedAt: '2026-01-01T00:01:00.000Z' }]);
    expect([keys.verify(`${key}x`), keys.verify('')]).toEqual([null, null]);
    expect(open(saved).verify(key)).toMatchObject({ id, grants: reader });
  });

  test('expires, and says so', () => {
    const keys = open();
    const { key } = keys.create({ name: 'ci', grants: reader, lifetimeSeconds: 60 });
    time += 59_999;
    expect(keys.verify(key)).not.toBeNull();
    time += 1;
    expect(keys.verify(key)).toBeNull();
    expect(keys.refusal(key)).toContain("'ci' expired at 2026-01-01T00:01:00.000Z");
    expect(() => keys.rotate('ci', 0)).toThrow('has expired');
  });

  test('is replaced under its name and id, at once or after a while', () => {
    const keys = open();
    const { key: first, id } = keys.create({ name: 'ci', grants: reader, lifetimeSeconds: null });
    const { key: second } = keys.rotate('ci', 60);
    expect([keys.verify(first)?.id, keys.verify(second)?.id]).toEqual([id, id]);
    time += 60_000;
    expect(keys.verify(first)).toBeNull();
    expect(keys.refusal(first)).toContain('Use the new one');
    const { key: third } = keys.rotate('ci', 0);
    expect([keys.verify(second), keys.verify(third)?.grants]).toEqual([null, reader]);
    expect(keys.refusal(second)).toMatch(/was replaced at .* Use the new one/);
  });

  test('is revoked with the one before it, and stays so', () => {
    const keys = open();
    const { key: first } = keys.create({ name: 'ci', grants: reader, lifetimeSeconds: null });
    const { key: second } = keys.rotate('ci', 600);
    keys.revoke('ci');
    for (const opened of [keys, open(saved)]) {
      expect([opened.verify(first), opened.verify(second), opened.list()]).toEqual([null, null, []]);
      expect(opened.refusal(second)).toBe("This API key, 'ci', was revoked at 2026-01-01T00:00:00.000Z.");
    }
    expect(keys.create({ name: 'ci', grants: reader, lifetimeSeconds: null }).key).not.toBe(first);
  });

  test('that can’t be saved is none', () => {
    const keys = createApiKeys(
      { keys: [], revoked: [] },
      {
        save() {
          throw new Error('disk full');
        },
      },
    );
    expect(() => keys.create({ name: 'ci', grants: reader, lifetimeSeconds: null })).toThrow('disk full');
    expect(keys.list()).toEqual([]);
  });

  test('is refused with the reason', () => {
    const keys = open();
    const wanted = { name: 'ci', grants: reader, lifetimeSeconds: null };
    keys.create(wanted);
    expect(() => keys.create(wanted)).toThrow(expect.objectContaining({ status: 409, target: 'name' }));
    expect(() => keys.create({ ...wanted, name: 'a b' })).toThrow(expect.objectContaining({ status: 400 }));
    for (const act of [() => keys.revoke('x'), () => keys.rotate('x', 0)])
      expect(act).toThrow(expect.objectContaining({ status: 404 }));
    const [one] = saved.keys;
    const full = Array.from({ length: mostKeys }, (_, n) => ({ ...one, name: `k${n}` })) as KeyFile['keys'];
    expect(() => open({ keys: full, revoked: [] }).create(wanted)).toThrow(`${mostKeys} API keys`);
  });
});

describe('in the data directory', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const noted = () => JSON.parse(readFileSync(credentialsFile(directory), 'utf8')).apiKey;

  test('a file from before keys had names stays valid: its keys may do everything', () => {
    const { apiKey } = ensureCredentials(directory);
    const file = JSON.parse(readFileSync(apiKeysFile(directory), 'utf8'));
    expect(Object.keys(file.keys[0])).toEqual(['sha256', 'createdAt']);
    const more = { sha256: 'ab'.repeat(32), createdAt: '2026-01-01T00:00:00.000Z' };
    writeFileSync(apiKeysFile(directory), JSON.stringify({ keys: [...file.keys, more] }));
    const { keys, hasChosenKey } = ensureCredentials(directory);
    expect(keys.verify(apiKey ?? '')?.grants).toEqual(everything);
    expect(keys.list().map(({ name }) => name)).toEqual(['default', `key_${'ab'.repeat(8)}`]);
    expect(hasChosenKey).toBe(false);
  });

  test('the owner’s copy follows the owner’s key', () => {
    const owner = ensureCredentials(directory);
    const told: unknown[] = [];
    owner.onApiKeyChanged((key) => told.push(key));
    owner.keys.create({ name: 'ci', grants: reader, lifetimeSeconds: null });
    owner.keys.rotate('ci', 0);
    const { key } = owner.keys.rotate('default', 60);
    expect([owner.apiKey, noted(), told]).toEqual([key, key, [key]]);
    expect(ensureCredentials(directory)).toMatchObject({ apiKey: key, hasChosenKey: true });
    owner.keys.revoke('default');
    expect([owner.apiKey, noted(), told]).toEqual([null, null, [key, null]]);
    // As when a crash came between the two files.
    writeFileSync(credentialsFile(directory), JSON.stringify({ apiKey: key, identityHeader: 'x' }));
    expect(ensureCredentials(directory).apiKey).toBeNull();
  });

  test('no key is made where none is to be', () => {
    expect(ensureCredentials(directory, { makeKey: false })).toMatchObject({
      apiKey: null,
      hasChosenKey: false,
    });
    expect(ensureCredentials(directory, { makeKey: false }).keys.list()).toEqual([]);
  });

  test('with a fixed key none can be made or revoked', () => {
    const { keys } = ensureCredentials(directory, { fixedKey: 'my-key' });
    expect(() => keys.create({ name: 'ci', grants: reader, lifetimeSeconds: null })).toThrow('--api-key');
    expect(() => keys.revoke('default')).toThrow(expect.objectContaining({ status: 409 }));
    expect(keys.verify('my-key')).not.toBeNull();
  });

  test.each([
    [{ grants: undefined }],
    [{ grants: [{ role: 'Reader' }] }],
    [{ expiresAt: undefined }],
    [{ expiresAt: 'soon' }],
    [{ previous: { sha256: 'x', expiresAt: '2026-01-01' } }],
    [{ id: 7 }],
  ])('an entry that lost something, %j, stops the start', (change) => {
    const { keys } = ensureCredentials(directory);
    keys.create({ name: 'ci', grants: reader, lifetimeSeconds: 60 });
    const file = JSON.parse(readFileSync(apiKeysFile(directory), 'utf8'));
    Object.assign(file.keys[1], change);
    writeFileSync(apiKeysFile(directory), JSON.stringify(file));
    expect(() => ensureCredentials(directory)).toThrow('api-keys.json is damaged');
  });
});
