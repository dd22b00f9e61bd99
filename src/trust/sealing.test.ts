import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSealer } from './sealing.ts';
import { addSealingKey, forgetOldSealingKeys, sealingKeys } from './sealing-keys.ts';

const sealer = createSealer([Buffer.alloc(32, 1)]);

test('what was sealed can be opened for the same purpose and project only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const sealed = sealer.seal(text, 'reasoning', 'p');
      expect(sealer.open(sealed, 'reasoning', 'p')).toBe(Buffer.from(text).toString());
      expect(sealer.open(sealed, 'compaction', 'p')).toBeNull();
      expect(sealer.open(sealed, 'reasoning', 'q')).toBeNull();
      expect(createSealer([Buffer.alloc(32, 2)]).open(sealed, 'reasoning', 'p')).toBeNull();
    }),
  );
});

test('a change anywhere is noticed', () => {
  const sealed = sealer.seal('some text', 'reasoning', 'p');
  for (let i = 5; i < sealed.length - 1; i++) {
    const other = sealed[i] === 'A' ? 'B' : 'A';
    expect(sealer.open(sealed.slice(0, i) + other + sealed.slice(i + 1), 'reasoning', 'p')).toBeNull();
  }
  for (const nonsense of ['', 'blm1.', 'blm1.AAAA', 'gAAAAABo']) {
    expect(sealer.open(nonsense, 'reasoning', 'p')).toBeNull();
  }
});

test('the key stays with its directory and its owner', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const keys = sealingKeys(directory, undefined);
  expect(keys).toHaveLength(1);
  expect(sealingKeys(directory, undefined)).toEqual(keys);
  const file = join(directory, 'trust/sealing.key');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, 'short');
  expect(() => sealingKeys(directory, undefined)).toThrow('damaged');
  rmSync(directory, { recursive: true });
});

test('a replaced key goes on opening what it sealed, until it is forgotten', () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const [old] = sealingKeys(directory, undefined);
  const sealed = createSealer([old]).seal('text', 'reasoning', 'p');
  const keys = addSealingKey(directory);
  expect(keys).toHaveLength(2);
  expect(createSealer(keys).open(sealed, 'reasoning', 'p')).toBe('text');
  const renewed = createSealer(keys).seal('text', 'reasoning', 'p');
  const left = createSealer(forgetOldSealingKeys(directory));
  expect(left.open(sealed, 'reasoning', 'p')).toBeNull();
  expect(left.open(renewed, 'reasoning', 'p')).toBe('text');
  for (let i = 0; i < 20; i++) addSealingKey(directory);
  expect(sealingKeys(directory, undefined)).toHaveLength(10);
  rmSync(directory, { recursive: true });
});

test('keys of the environment come before those of the directory, and are checked', () => {
  const given = Buffer.alloc(32, 5).toString('base64');
  expect(sealingKeys('/nowhere', given)).toEqual([Buffer.alloc(32, 5)]);
  expect(sealingKeys('/nowhere', `${given}, ${given}`)).toHaveLength(2);
  expect(() => sealingKeys('/nowhere', 'short')).toThrow('BLOOMERY_SEALING_KEY');
});
