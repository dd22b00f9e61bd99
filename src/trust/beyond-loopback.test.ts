import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { refuseUnguarded } from './beyond-loopback.ts';
import { sealingKeys } from './sealing-keys.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  sealingKeys(directory, undefined);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const check =
  (hasChosenAuthentication: boolean, fixedKey: string | null = null, isTemporary = false) =>
  () =>
    refuseUnguarded({ host: '10.0.0.5', directory, hasChosenAuthentication, fixedKey, isTemporary });

test('without a decision on who may call it is refused, with what to do', () => {
  expect(check(false)).toThrow(`bloomery key create NAME --data ${directory}`);
  expect(check(true)).not.toThrow();
});

test('a directory that goes away is none to make a key in', () => {
  expect(check(false, null, true)).toThrow('--api-key');
  expect(check(false, null, true)).not.toThrow('key create');
});

test('a key that could be guessed is refused, with how to make one', () => {
  expect(check(true, 'a')).toThrow(/has 1 characters and needs at least 32 .*openssl rand/);
  expect(check(true, 'a'.repeat(31))).toThrow('31');
  expect(check(true, 'a'.repeat(32))).not.toThrow();
});

test('with a secret that others can read it is refused by the name of the file', () => {
  const file = join(directory, 'trust', 'sealing.key');
  chmodSync(file, 0o640);
  expect(check(true)).toThrow(`${file} can be read by other users`);
});
