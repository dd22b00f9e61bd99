import { expect, test } from 'vitest';
import { inTurns, ownTurn } from './in-turns.ts';

test('all is dealt with in order, and others have their turn between the slices', async () => {
  const seen: (number[] | string)[] = [];
  setImmediate(() => seen.push('another'));
  for await (const some of inTurns([1, 2, 3, 4, 5], 2)) seen.push(some);
  expect(seen).toEqual([[1, 2], 'another', [3, 4], [5]]);
});

test('of nothing there are no slices', async () => {
  for await (const some of inTurns([], 2)) expect.unreachable(`got ${some}`);
});

test('of all that waits for its own turn one goes on in each turn of the event loop', async () => {
  let turn = 0;
  const count = (): void => {
    if (++turn < 10) setImmediate(count);
  };
  setImmediate(count);
  const turns: number[] = [];
  const step = async (): Promise<void> => {
    await ownTurn();
    turns.push(turn);
  };
  await Promise.all([step(), step(), step().then(step)]);
  expect(turns).toHaveLength(4);
  expect(new Set(turns).size).toBe(4);
});
