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

const check = (hasChosenAuthentication: boolean) => () =>
  refuseUnguarded({ host: '10.0.0.5', directory, hasChosenAuthentication });

test('without a decision on who may call it is refused, with what to do', () => {
  expect(check(false)).toThrow(`bloomery key create NAME --data ${directory}`);
  expect(check(true)).not.toThrow();
});

test('with a secret that others can read it is refused by the name of the file', () => {
  const file = join(directory, 'trust', 'sealing.key');
  chmodSync(file, 0o640);
  expect(check(true)).toThrow(`${file} can be read by other users`);
});
