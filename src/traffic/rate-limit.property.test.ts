import fc from 'fast-check';
import { expect, test } from 'vitest';
import { RateLimit, takeAll } from './rate-limit.ts';

const terms = (limit: number, milliseconds: number) => ({
  unit: 'requests' as const,
  limit,
  milliseconds,
  description: 'A limit',
  target: 'limit',
  layer: 'test',
});

const asks = fc.array(
  fc.record({
    pause: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 0, max: 15_000 })),
    units: fc.integer({ min: 1, max: 4 }),
    project: fc.constantFrom('a', 'b', 'c'),
  }),
  { minLength: 1, maxLength: 300 },
);

test.each([false, true])('no stretch of the window ever has more than the limit (shared: %s)', (isShared) => {
  fc.assert(
    fc.property(
      asks,
      fc.integer({ min: 1, max: 30 }),
      fc.constantFrom(1000, 10_000, 60_000),
      (all, most, span) => {
        const limit = new RateLimit(terms(most, span), isShared);
        const taken: { at: number; units: number }[] = [];
        let now = 12_345.6;
        for (const { pause, units, project } of all) {
          now += pause;
          if (Array.isArray(takeAll([{ limit, units }], project, now))) taken.push({ at: now, units });
        }
        for (const { at } of taken) {
          const within = taken.filter((other) => other.at > at - span && other.at <= at);
          expect(within.reduce((sum, { units }) => sum + units, 0)).toBeLessThanOrEqual(most);
        }
      },
    ),
  );
});

test('nobody is told to wait longer than the window, and all of it is there when it has passed', () => {
  fc.assert(
    fc.property(asks, fc.integer({ min: 4, max: 30 }), fc.boolean(), (all, most, isShared) => {
      const limit = new RateLimit(terms(most, 60_000), isShared);
      let now = 0.25;
      for (const { pause, units, project } of all) {
        now += pause;
        expect(limit.wait(units, project, now)).toBeLessThanOrEqual(60_000);
        takeAll([{ limit, units }], project, now);
        expect(limit.untilReset(now)).toBeLessThanOrEqual(60_000);
      }
      expect(limit.remaining(now + 60_000)).toBe(most);
      expect(limit.wait(1, 'd', now + 60_000)).toBe(0);
    }),
  );
});

test('whoever waits as long as told gets through, and no sooner', () => {
  fc.assert(
    fc.property(asks, fc.integer({ min: 4, max: 30 }), (all, most) => {
      const limit = new RateLimit(terms(most, 10_000), false);
      let now = 0;
      for (const { pause, units } of all) {
        now += pause;
        const wait = limit.wait(units, '', now);
        if (wait > 0) {
          expect(limit.wait(units, '', now + wait - 0.01)).toBeGreaterThan(0);
          now += wait;
        }
        expect(limit.wait(units, '', now)).toBe(0);
        limit.take(units, '', now);
        expect(limit.remaining(now)).toBeGreaterThanOrEqual(0);
      }
    }),
  );
});

test('all of the limit can be had at once, and again when the window has passed', () => {
  const limit = new RateLimit(terms(500, 60_000), true);
  const burst = (now: number): number => {
    let count = 0;
    for (let i = 0; i < 1000; i++) {
      if (Array.isArray(takeAll([{ limit, units: 1 }], 'a', now + i / 100))) count++;
    }
    return count;
  };
  expect(burst(0)).toBe(500);
  expect(burst(30_000)).toBe(0);
  expect(burst(59_990)).toBe(0);
  expect(burst(60_005)).toBe(500);
});

test('who asks most does not get it all', () => {
  fc.assert(
    fc.property(fc.integer({ min: 4, max: 60 }), fc.integer({ min: 2, max: 20 }), (most, greed) => {
      const limit = new RateLimit(terms(most, 10_000), true);
      const got = { noisy: 0, quiet: 0 };
      const ask = (project: keyof typeof got, now: number): void => {
        const taken = takeAll([{ limit, units: 1 }], project, now);
        if (Array.isArray(taken) && now > 10_200) got[project]++;
      };
      for (let now = 0; now <= 40_000; now += 100) {
        for (let i = 0; i < greed; i++) ask('noisy', now);
        ask('quiet', now);
      }
      // It asks ten times as often as it may; half of what there is is its own.
      const windows = 3;
      expect(got.quiet).toBeGreaterThanOrEqual(Math.floor(most / 2) * (windows - 1));
    }),
    { numRuns: 10 },
  );
});

test('a project alone has all of it, although another was there before', () => {
  const limit = new RateLimit(terms(10, 10_000), true);
  expect(limit.wait(1, 'other', 0)).toBe(0);
  limit.take(1, 'other', 0);
  let count = 0;
  for (let i = 0; i < 20; i++) if (Array.isArray(takeAll([{ limit, units: 1 }], 'own', 25_000))) count++;
  expect(count).toBe(10);
});

test('where one limit refuses, none counts, and the longest wait is told', () => {
  const wide = new RateLimit(terms(5, 10_000), false);
  const narrow = new RateLimit(terms(2, 10_000), false);
  const narrowest = new RateLimit(terms(2, 60_000), false);
  const claims = [wide, narrow, narrowest].map((limit) => ({ limit, units: 1 }));
  for (let i = 0; i < 2; i++) expect(takeAll(claims, '', 0)).toHaveLength(3);
  expect(takeAll(claims, '', 1)).toEqual({ limit: narrowest, milliseconds: 59_999 });
  expect([wide, narrow, narrowest].map((limit) => limit.remaining(1))).toEqual([3, 0, 0]);
});

test('what was expected is corrected by what was used, as long as it counts', () => {
  const limit = new RateLimit(terms(100, 60_000), true);
  const taken = limit.take(80, 'a', 0);
  expect(limit.wait(30, 'a', 1)).toBeGreaterThan(0);
  limit.correct(taken, 20, 1000);
  expect(limit.wait(80, 'a', 1001)).toBe(0);
  expect(limit.remaining(1001)).toBe(80);
  limit.correct({ ...taken, units: 20 }, 130, 1002);
  expect(limit.remaining(1003)).toBe(0);
  limit.correct(taken, 0, 100_000);
  expect(limit.remaining(100_000)).toBe(100);
});

test('what is more than the whole limit never fits', () => {
  expect(new RateLimit(terms(5, 1000), false).wait(6, '', 0)).toBe(Number.POSITIVE_INFINITY);
});

test('a clock that goes back lets nothing through', () => {
  const limit = new RateLimit(terms(1, 1000), false);
  limit.take(1, '', 5000);
  expect(limit.wait(1, '', 100)).toBeGreaterThan(0);
  expect(limit.remaining(100)).toBe(0);
});
