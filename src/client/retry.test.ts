import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { backOff, type Failure, isRepeatable, noAnswerOf, retryAfter, waitBeforeNext } from './retry.ts';

const policy = { attempts: 5, baseMs: 100, capMs: 2000, totalMs: 60_000 };
const failing = (outcome: Failure['outcome'], other: Partial<Failure> = {}): Failure => ({
  outcome,
  isRepeatable: true,
  attempts: 1,
  elapsedMs: 0,
  now: 0,
  ...other,
});
const answer = (status: number, headers: Record<string, string> = {}) => ({
  status,
  headers: new Headers(headers),
});
const half = () => 0.5;

describe('back-off', () => {
  const anyPolicy = fc.record({
    baseMs: fc.integer({ min: 1, max: 100_000 }),
    capMs: fc.integer({ min: 1, max: 1_000_000 }),
  });
  const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });

  test('is never more than its bound, which doubles up to the cap', () => {
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 2000 }), random, (given, attempts, drawn) => {
        const wait = backOff(attempts, given, () => drawn);
        expect(wait).toBeGreaterThanOrEqual(0);
        expect(wait).toBeLessThan(given.capMs);
        if (attempts < 40) expect(wait).toBeLessThan(given.baseMs * 2 ** (attempts - 1));
      }),
    );
  });

  test('is full jitter: any part of the bound, in proportion to what was drawn', () => {
    fc.assert(
      fc.property(anyPolicy, fc.integer({ min: 1, max: 50 }), random, (given, attempts, drawn) => {
        const bound = backOff(attempts, given, () => 1);
        expect(bound).toBe(Math.min(given.capMs, given.baseMs * 2 ** (attempts - 1)));
        expect(backOff(attempts, given, () => drawn)).toBeCloseTo(drawn * bound, 5);
      }),
    );
  });

  test('attempts and time end, whatever the service says', () => {
    const anyHeaders = fc.dictionary(
      fc.constantFrom('retry-after', 'retry-after-ms', 'x-should-retry', 'x-ms-retry-after-ms'),
      fc.oneof(fc.nat().map(String), fc.string({ unit: 'grapheme-ascii' }), fc.constantFrom('true', 'false')),
    );
    const anyOutcome = fc.oneof(
      fc.constantFrom('unreached' as const, 'lost' as const),
      fc
        .tuple(fc.integer({ min: 400, max: 599 }), anyHeaders)
        .map(([status, headers]) => answer(status, headers)),
    );
    fc.assert(
      fc.property(fc.infiniteStream(anyOutcome), random, (outcomes, drawn) => {
        let elapsedMs = 0;
        let attempts = 1;
        for (const outcome of outcomes) {
          const wait = waitBeforeNext(failing(outcome, { attempts, elapsedMs }), policy, () => drawn);
          if (wait === null) break;
          expect(wait).toBeGreaterThanOrEqual(0);
          elapsedMs += wait;
          attempts++;
        }
        expect(attempts).toBeLessThanOrEqual(policy.attempts);
        expect(elapsedMs).toBeLessThanOrEqual(policy.totalMs);
      }),
    );
  });
});

describe('what is sent again', () => {
  test.each([
    [answer(429, { 'retry-after': '12' }), false, 12_000],
    [answer(429), false, 50],
    [answer(408), false, 50],
    [answer(503, { 'retry-after': '1' }), false, 1000],
    ['unreached', false, 50],
    [answer(503), true, 50],
    [answer(500), true, 50],
    [answer(502), true, 50],
    [answer(504), true, 50],
    ['lost', true, 50],
    [answer(409, { 'x-should-retry': 'true' }), true, 50],
    [answer(503), false, null],
    [answer(500), false, null],
    ['lost', false, null],
    [answer(409, { 'x-should-retry': 'true' }), false, null],
    [answer(500, { 'x-should-retry': 'false' }), true, null],
    [answer(429, { 'x-should-retry': 'false', 'retry-after': '1' }), true, null],
    [answer(400), true, null],
    [answer(401), true, null],
    [answer(404), true, null],
    [answer(409), true, null],
    [answer(422), true, null],
    [answer(501), true, null],
    [answer(505), true, null],
    [answer(302), true, null],
    [answer(429, { 'retry-after': '61' }), true, null],
  ] as [Failure['outcome'], boolean, number | null][])(
    '%j, repeatable %j: %j',
    (outcome, repeatable, wait) => {
      expect(waitBeforeNext(failing(outcome, { isRepeatable: repeatable }), policy, half)).toBe(wait);
    },
  );

  test('a POST is only with an id, a read or a PUT always', () => {
    expect(['GET', 'HEAD', 'PUT', 'DELETE', 'POST', 'PATCH'].map((one) => isRepeatable(one, false))).toEqual([
      true,
      true,
      true,
      true,
      false,
      false,
    ]);
    expect(isRepeatable('POST', true)).toBe(true);
  });

  test('a connection that never came about is told from one that was lost', () => {
    const caused = (code: string) =>
      new TypeError('fetch failed', { cause: Object.assign(new Error(), { code }) });
    expect(noAnswerOf(caused('ECONNREFUSED'))).toBe('unreached');
    expect(noAnswerOf(caused('ENOTFOUND'))).toBe('unreached');
    expect(noAnswerOf(caused('ECONNRESET'))).toBe('lost');
    expect(noAnswerOf('thrown')).toBe('lost');
  });
});

describe('Retry-After', () => {
  const now = Date.parse('2026-01-01T00:00:00Z');
  test.each([
    [{ 'retry-after': '12' }, 12_000],
    [{ 'retry-after': '0' }, 0],
    [{ 'retry-after': '0.5' }, 500],
    [{ 'retry-after': 'Thu, 01 Jan 2026 00:00:07 GMT' }, 7000],
    [{ 'retry-after': 'Wed, 31 Dec 2025 23:59:59 GMT' }, 0],
    [{ 'retry-after-ms': '250', 'retry-after': '9' }, 250],
    [{ 'x-ms-retry-after-ms': '125', 'retry-after': '9' }, 125],
    [{ 'retry-after-ms': 'soon', 'retry-after': '9' }, 9000],
    [{ 'retry-after': '-1' }, null],
    [{ 'retry-after': 'soon' }, null],
    [{ 'retry-after': '1e3' }, null],
    [{ 'retry-after': '' }, null],
    [{}, null],
  ])('%j is %j ms', (headers, expected) => {
    expect(retryAfter(new Headers(headers as Record<string, string>), now)).toBe(expected);
  });
});
