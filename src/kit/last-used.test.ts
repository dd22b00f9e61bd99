import { expect, test } from 'vitest';
import { lastUsed } from './last-used.ts';

test('what was used last is kept, and failures are not', () => {
  const of = lastUsed<string>(2);
  const made: string[] = [];
  const use = (key: string) => of(key, () => `${key}${made.push(key)}`);
  expect([use('a'), use('b'), use('a'), use('c'), use('a'), use('b')]).toEqual([
    'a1',
    'b2',
    'a1',
    'c3',
    'a1',
    'b4',
  ]);
  const fail = () => {
    throw new Error('no');
  };
  expect(() => of('d', fail)).toThrow('no');
  expect(of('d', () => 'd')).toBe('d');
});
