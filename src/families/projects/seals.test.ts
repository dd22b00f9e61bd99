import { expect, test } from 'vitest';
import { createSealer } from '../../trust/sealing.ts';
import { forkedSeals, mostInherited, newSeal, projectSealer } from './seals.ts';

test('a fork opens what its origin sealed, and nobody else opens anything of another', () => {
  const origin = [newSeal()];
  const seals: Record<string, string[]> = { origin, fork: forkedSeals(origin), other: [newSeal()] };
  const { seal, open } = projectSealer(createSealer([Buffer.alloc(32, 1)]), (name) => seals[name] ?? [name]);
  const byOrigin = seal('a', 'x', 'origin');
  const byFork = seal('b', 'x', 'fork');
  const opened = (sealed: string) => ['origin', 'fork', 'other'].map((name) => open(sealed, 'x', name));
  expect(opened(byOrigin)).toEqual(['a', 'a', null]);
  expect(opened(byFork)).toEqual([null, 'b', null]);
  expect(open(byOrigin, 'y', 'origin')).toBeNull();
  // Deleted, and another one made of the same name.
  seals.origin = [newSeal()];
  expect(opened(byOrigin)).toEqual([null, 'a', null]);
});

test('a fork that could not open all of its origin is refused', () => {
  let seals = [newSeal()];
  for (let n = 0; n < mostInherited; n++) {
    const before = seals;
    seals = forkedSeals(before);
    expect(seals.slice(1)).toEqual(before);
  }
  expect(() => forkedSeals(seals)).toThrow(/fork/);
});
