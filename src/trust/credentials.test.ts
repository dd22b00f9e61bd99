import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiKeys, newApiKey } from './api-keys.ts';
import { credentialsFile, ensureCredentials } from './credentials.ts';
import { apiKeysFile } from './key-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const accepts = (keys: ApiKeys, key: string | null) => keys.verify(key ?? '') !== null;
/** What lasts, as data. */
const stateOf = ({ apiKey, identityHeader, keys }: ReturnType<typeof ensureCredentials>) => ({
  ...{ apiKey, identityHeader, keys: keys.list().map(({ id, name, grants }) => ({ id, name, grants })) },
});

test('keys are random and long', () => {
  expect(newApiKey()).toMatch(/^blm_[\w-]{43}$/);
  expect(newApiKey()).not.toBe(newApiKey());
});

test('the first start makes a key that later starts keep', () => {
  const first = ensureCredentials(directory);
  expect(accepts(first.keys, first.apiKey)).toBe(true);
  expect(stateOf(ensureCredentials(directory))).toEqual(stateOf(first));
  const mode = (file: string) => statSync(file).mode & 0o777;
  expect([mode(credentialsFile(directory)), mode(apiKeysFile(directory))]).toEqual([0o600, 0o600]);
  expect(readFileSync(apiKeysFile(directory), 'utf8')).not.toContain(first.apiKey);
});

test('without the owner’s copy the key goes on working, but is told no more', () => {
  const first = ensureCredentials(directory);
  unlinkSync(credentialsFile(directory));
  const second = ensureCredentials(directory);
  expect(second.apiKey).toBeNull();
  expect(accepts(second.keys, first.apiKey)).toBe(true);
  expect(stateOf(ensureCredentials(directory))).toEqual(stateOf(second));
});

test('without the hashes the owner’s copy is taken over', () => {
  const first = ensureCredentials(directory);
  unlinkSync(apiKeysFile(directory));
  expect(stateOf(ensureCredentials(directory))).toEqual(stateOf(first));
});

test('a fixed key is the only one of its run and is not written', () => {
  const first = ensureCredentials(directory);
  const fixed = ensureCredentials(directory, { fixedKey: 'my-key' });
  expect(fixed.identityHeader).toBe(first.identityHeader);
  expect([accepts(fixed.keys, 'my-key'), accepts(fixed.keys, first.apiKey)]).toEqual([true, false]);
  expect(stateOf(ensureCredentials(directory))).toEqual(stateOf(first));
});

test('a first start with a fixed key leaves the random one to the next', () => {
  ensureCredentials(directory, { fixedKey: 'my-key' });
  const next = ensureCredentials(directory);
  expect(next.apiKey).toMatch(/^blm_/);
  expect(accepts(next.keys, 'my-key')).toBe(false);
});

test('bad input is refused with the remedy', () => {
  expect(() => ensureCredentials(directory, { fixedKey: 'with space' })).toThrow('printable ASCII');
  ensureCredentials(directory);
  writeFileSync(credentialsFile(directory), JSON.stringify({ apiKey: 'blm_other', identityHeader: 'x' }));
  expect(() => ensureCredentials(directory)).toThrow('Delete the latter');
  writeFileSync(apiKeysFile(directory), '{"keys":[{"sha256":"00"}]}');
  expect(() => ensureCredentials(directory)).toThrow('api-keys.json is damaged');
  writeFileSync(credentialsFile(directory), '[]');
  expect(() => ensureCredentials(directory)).toThrow('credentials.json is damaged');
});
