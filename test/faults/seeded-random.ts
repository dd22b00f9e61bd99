import { seededNumbers } from '../../src/kit/seeded-numbers.ts';

/** Chance that can be repeated: the same seed gives the same sequence. */
export interface SeededRandom {
  /** An integer from 0 to `limit - 1`. */
  below(limit: number): number;
  /** True once in so many times. */
  oneIn(times: number): boolean;
  pick<T>(list: readonly T[]): T;
  /** A sequence of its own, so that who asks first makes no difference to it. */
  fork(): SeededRandom;
}

export function seededRandom(seed: number): SeededRandom {
  const next = seededNumbers(seed);
  const below = (limit: number): number => Math.floor((next() / 2 ** 32) * limit);
  return {
    below,
    oneIn: (times) => below(times) === 0,
    pick<T>(list: readonly T[]): T {
      if (list.length === 0) throw new Error('There is nothing to pick from.');
      return list[below(list.length)] as T;
    },
    fork: () => seededRandom(next()),
  };
}
