import fc from 'fast-check';
import { expect, test } from 'vitest';
import { FairGauge } from './fair-gauge.ts';

const fill = (gauge: FairGauge, project: string): number => {
  for (let count = 0; ; count++) if (gauge.enter(project) !== 'entered') return count;
};

test('a project alone gets its share', () => {
  const gauge = new FairGauge(1000, 80);
  expect(fill(gauge, 'noisy')).toBe(800);
  expect(gauge.enter('noisy')).toBe('share');
  expect(gauge.share).toBe(800);
});

test.each([1, 2, 3, 4])('a bound of %s is had in full', (most) => {
  const gauge = new FairGauge(most, 80);
  expect(fill(gauge, 'own')).toBe(most);
  expect(gauge.enter('other')).toBe('all');
});

test('100 percent is no share', () => {
  expect(fill(new FairGauge(1000, 100), 'own')).toBe(1000);
});

test('of those that come in turn, however many and greedy, none gets all: there is room for the next', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 100, max: 2000 }), (greedy, most) => {
      const gauge = new FairGauge(most, 80);
      const names = Array.from({ length: greedy }, (_, i) => `noisy-${i}`);
      while (names.filter((name) => gauge.enter(name) === 'entered').length > 0);
      expect(gauge.enter('quiet')).toBe('entered');
      expect(gauge.underWay).toBeLessThanOrEqual(most);
    }),
  );
});

test('what is left is free again', () => {
  const gauge = new FairGauge(2, 80);
  gauge.enter('a');
  gauge.enter('b');
  gauge.leave('a');
  gauge.leave('a');
  gauge.leave('nobody');
  expect([gauge.underWay, gauge.heldBy('a'), gauge.heldBy('b')]).toEqual([1, 0, 1]);
});
