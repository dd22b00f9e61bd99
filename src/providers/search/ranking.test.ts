import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fuse } from './fusion.ts';
import { keepBest } from './ranking.ts';

test('those that are kept are those that a sort would put first', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 50 })), fc.integer({ min: 1, max: 20 }), (items, most) => {
      const kept = keepBest<number>(most, (a, b) => b - a);
      for (const item of items) kept.offer(item);
      const sorted = items.toSorted((a, b) => b - a);
      expect(kept.sorted()).toEqual(sorted.slice(0, most));
      expect(kept.last()).toBe(sorted.length < most ? undefined : sorted[most - 1]);
    }),
  );
});

const ranked = (...chunks: number[]) =>
  chunks.map((chunk, at) => ({ collection: 0, chunk, score: 1 - at / 10 }));

test('the first of both rankings has the score 1, of one of them its share', () => {
  const halves = [
    { weight: 3, ranked: ranked(7, 8) },
    { weight: 1, ranked: ranked(7, 9) },
  ];
  const scores = Object.fromEntries(fuse(halves).map(({ chunk, score }) => [chunk, score]));
  expect(scores[7]).toBeCloseTo(1, 12);
  expect(scores[8]).toBeCloseTo((0.75 * 61) / 62, 12);
  expect(scores[9]).toBeCloseTo((0.25 * 61) / 62, 12);
});

test('a ranking that is alone keeps its scores, within 0 and 1', () => {
  const alone = [
    { collection: 0, chunk: 1, score: 1.0000001 },
    { collection: 0, chunk: 2, score: 0.25 },
    { collection: 0, chunk: 3, score: -0.5 },
  ];
  expect(fuse([{ weight: 0.1, ranked: alone }]).map(({ score }) => score)).toEqual([1, 0.25, 0]);
});
