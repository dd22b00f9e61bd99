import { mkdtempSync, readFileSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createKeyVerifier, hashKey, newApiKey } from './api-keys.ts';
import { apiKeysFile, credentialsFile, ensureCredentials } from './credentials.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const accepts = (keyHashes: Buffer[], key: string | null) =>
  createKeyVerifier(keyHashes).verify(key ?? '') !== null;

test('keys are random and long', () => {
  expect(newApiKey()).toMatch(/^blm_[\w-]{43}$/);
  expect(newApiKey()).not.toBe(newApiKey());
});

test('a verifier takes each of its keys and nothing else', () => {
  const verifier = createKeyVerifier([hashKey('one'), hashKey('two')]);
  expect(verifier.verify('one')).toMatchObject({ kind: 'key', name: 'API key' });
  expect(verifier.verify('two')?.id).not.toBe(verifier.verify('one')?.id);
  expect([verifier.verify('three'), verifier.verify(''), createKeyVerifier([]).verify('')]).toEqual([
    null,
    null,
    null,
  ]);
});

test('the first start makes a key that later starts keep', () => {
  const first = ensureCredentials(directory, null);
  expect(accepts(first.keyHashes, first.apiKey)).toBe(true);
  expect(ensureCredentials(directory, null)).toEqual(first);
  const mode = (file: string) => statSync(file).mode & 0o777;
  expect([mode(credentialsFile(directory)), mode(apiKeysFile(directory))]).toEqual([0o600, 0o600]);
  expect(readFileSync(apiKeysFile(directory), 'utf8')).not.toContain(first.apiKey);
});

test('without the owner’s copy the key goes on working, but is told no more', () => {
  const first = ensureCredentials(directory, null);
  unlinkSync(credentialsFile(directory));
  const second = ensureCredentials(directory, null);
  expect(second.apiKey).toBeNull();
  expect(accepts(second.keyHashes, first.apiKey)).toBe(true);
  expect(ensureCredentials(directory, null)).toEqual(second);
});

test('without the hashes the owner’s copy is taken over', () => {
  const first = ensureCredentials(directory, null);
  unlinkSync(apiKeysFile(directory));
  expect(ensureCredentials(directory, null)).toEqual(first);
});

test('a fixed key is the only one of its run and is not written', () => {
  const first = ensureCredentials(directory, null);
  const fixed = ensureCredentials(directory, 'my-key');
  expect(fixed.identityHeader).toBe(first.identityHeader);
  expect([accepts(fixed.keyHashes, 'my-key'), accepts(fixed.keyHashes, first.apiKey)]).toEqual([true, false]);
  expect(ensureCredentials(directory, null)).toEqual(first);
});

test('a first start with a fixed key leaves the random one to the next', () => {
  ensureCredentials(directory, 'my-key');
  const next = ensureCredentials(directory, null);
  expect(next.apiKey).toMatch(/^blm_/);
  expect(accepts(next.keyHashes, 'my-key')).toBe(false);
});

test('bad input is refused with the remedy', () => {
  expect(() => ensureCredentials(directory, 'with space')).toThrow('printable ASCII');
  ensureCredentials(directory, null);
  writeFileSync(credentialsFile(directory), JSON.stringify({ apiKey: 'blm_other', identityHeader: 'x' }));
  expect(() => ensureCredentials(directory, null)).toThrow('Delete the latter');
  writeFileSync(apiKeysFile(directory), '{"keys":[{"sha256":"00"}]}');
  expect(() => ensureCredentials(directory, null)).toThrow('api-keys.json is damaged');
  writeFileSync(credentialsFile(directory), '[]');
  expect(() => ensureCredentials(directory, null)).toThrow('credentials.json is damaged');
});
