import { expect, test } from 'vitest';
import { inTurns } from './in-turns.ts';

test('all is dealt with in order, and others have their turn between the slices', async () => {
  const seen: (number[] | string)[] = [];
  setImmediate(() => seen.push('another'));
  for await (const some of inTurns([1, 2, 3, 4, 5], 2)) seen.push(some);
  expect(seen).toEqual([[1, 2], 'another', [3, 4], [5]]);
});

test('of nothing there are no slices', async () => {
  for await (const some of inTurns([], 2)) expect.unreachable(`got ${some}`);
});
