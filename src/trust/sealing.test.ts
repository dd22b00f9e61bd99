import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createSealer, sealingKey } from './sealing.ts';

const sealer = createSealer(Buffer.alloc(32, 1));

test('what was sealed can be opened for the same purpose and project only', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const sealed = sealer.seal(text, 'reasoning', 'p');
      expect(sealer.open(sealed, 'reasoning', 'p')).toBe(Buffer.from(text).toString());
      expect(sealer.open(sealed, 'compaction', 'p')).toBeNull();
      expect(sealer.open(sealed, 'reasoning', 'q')).toBeNull();
      expect(createSealer(Buffer.alloc(32, 2)).open(sealed, 'reasoning', 'p')).toBeNull();
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
  const key = sealingKey(directory);
  expect(sealingKey(directory)).toEqual(key);
  const file = join(directory, 'trust/sealing.key');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  writeFileSync(file, 'short');
  expect(() => sealingKey(directory)).toThrow('damaged');
  rmSync(directory, { recursive: true });
});
