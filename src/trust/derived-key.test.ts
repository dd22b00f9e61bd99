import { expect, test } from 'vitest';
import { derivedKey } from './derived-key.ts';

test('a derived key is always the same for one key and purpose, and another one for any other', () => {
  const key = Buffer.alloc(32, 1);
  const derived = derivedKey(key, 'blob account', 64);
  expect(derived).toHaveLength(64);
  expect(derivedKey(key, 'blob account', 64)).toEqual(derived);
  expect(derivedKey(key, 'something else', 64)).not.toEqual(derived);
  expect(derivedKey(Buffer.alloc(32, 2), 'blob account', 64)).not.toEqual(derived);
});
