import { chunkKey, type Ranked } from './ranking.ts';

const k = 60;

/** One way of searching, and how much its ranking counts. */
export interface Half {
  weight: number;
  ranked: readonly Ranked[];
}

/**
 * One ranking out of several, by reciprocal ranks. The score is the share of what the first of every ranking would
 * have, from 0 to 1; of a single ranking the scores are its own.
 */
export function fuse(halves: readonly Half[]): Ranked[] {
  const [only, other] = halves;
  if (only !== undefined && other === undefined) {
    return only.ranked.map((one) => ({ ...one, score: Math.min(1, Math.max(0, one.score)) }));
  }
  const best = halves.reduce((sum, { weight }) => sum + weight / (k + 1), 0);
  const fused = new Map<number, Ranked>();
  for (const { weight, ranked } of halves) {
    for (const [at, one] of ranked.entries()) {
      const share = weight / (k + at + 1) / best;
      const score = (fused.get(chunkKey(one))?.score ?? 0) + share;
      fused.set(chunkKey(one), { ...one, score: Math.min(1, score) });
    }
  }
  return [...fused.values()];
}
