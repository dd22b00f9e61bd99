import { describe, expect, test } from 'vitest';
import type { Exchange, RecordedRequest } from './format.ts';
import { isMiss, Library } from './library.ts';
import { missed } from './miss.ts';
import { keyOf } from './recorded-request.ts';

const post = (json: unknown, path = '/v1/responses'): RecordedRequest => ({
  method: 'POST',
  path,
  body: { json },
});
const get = (path: string, query?: string): RecordedRequest => ({
  method: 'GET',
  path,
  ...(query ? { query } : {}),
});

/** Each after the one before has ended, unless `at` says otherwise. */
const recorded = (request: RecordedRequest, number: number, at = number * 10): Exchange => ({
  ...{ number, at, took: 5, request },
  answer: { status: 200, headers: [], chunks: [[0, String(number)]], end: 'whole' },
});

const library = (requests: RecordedRequest[], isLenient = false, at?: number[]) => {
  const held = new Library(
    requests.map((request, i) => recorded(request, i + 1, at?.[i])),
    isLenient,
  );
  /** The number of what answers, or the message of the miss. */
  return (request: RecordedRequest): number | string => {
    const found = held.take(keyOf(request), () => request);
    return isMiss(found) ? missed(found).message : found.exchange.number;
  };
};

describe('strict', () => {
  test('the same question has its answers in their order, each once', () => {
    const take = library([get('/v1/a'), get('/v1/b'), get('/v1/a')]);
    expect([take(get('/v1/a')), take(get('/v1/a')), take(get('/v1/b'))]).toEqual([1, 3, 2]);
    expect(take(get('/v1/a'))).toMatch(/no more answers to this: the last one was number 3, GET \/v1\/a/);
  });

  test('the order of the members of JSON and of a query says nothing', () => {
    const take = library([post({ a: 1, b: { c: [1], d: 2 } }), get('/v1/a', 'x=1&y=2')]);
    expect([take(post({ b: { d: 2, c: [1] }, a: 1 })), take(get('/v1/a', 'y=2&x=1'))]).toEqual([1, 2]);
  });

  test('of one method and path nothing comes before its turn', () => {
    const take = library([post({ n: 1 }), post({ n: 2 })]);
    expect(take(post({ n: 2 }))).toMatch(/This is number 2, .* but number 1, .* was answered before it/);
    expect([take(post({ n: 1 })), take(post({ n: 2 }))]).toEqual([1, 2]);
  });

  test('what was under way at once may come in any order', () => {
    const take = library([post({ n: 1 }), post({ n: 2 }), post({ n: 3 })], false, [10, 12, 20]);
    expect(take(post({ n: 3 }))).toMatch(/but number 1/);
    expect([take(post({ n: 2 })), take(post({ n: 1 })), take(post({ n: 3 }))]).toEqual([2, 1, 3]);
  });

  test('a field more is another question', () => {
    expect(library([post({ n: 1 })])(post({ n: 1, more: true }))).toMatch(
      /body\.more: recorded nothing, asked true/,
    );
  });
});

describe('lenient', () => {
  test('the order is free, and the last answer is repeated', () => {
    const take = library([post({ n: 1 }), post({ n: 2 }), post({ n: 2 })], true);
    expect([2, 2, 2, 1, 1].map((n) => take(post({ n })))).toEqual([2, 3, 3, 1, 1]);
  });

  test('what is no part of the question is passed over; what decides is not', () => {
    const take = library(
      [post({ input: 'a', user: 'x', at: '2026-01-01T00:00:00Z' }), get('/v1/a', 'api-version=v1')],
      true,
    );
    expect(take(post({ input: 'a', user: 'y', at: '2026-02-02T10:00:00Z', newer: { field: 1 } }))).toBe(1);
    expect(take(get('/v1/a', 'api-version=2025-05-01'))).toBe(2);
    expect(take(post({ input: 'b' }))).toMatch(/body\.input: recorded "a", asked "b"/);
    expect(take(post({ input: 'a', user: 'x', stream: true }))).toMatch(/body\.stream/);
  });

  test('of several that could do the one with the least difference does', () => {
    const take = library([post({ input: 'a' }), post({ input: 'a', tools: [] })], true);
    expect([take(post({ input: 'a', tools: [], more: 1 })), take(post({ input: 'a', more: 1 }))]).toEqual([
      2, 1,
    ]);
  });
});

describe('lists and lanes', () => {
  test('a lenient replay takes no longer list for the same question', () => {
    const asked = (...input: string[]) => post({ input: input.map((content) => ({ content })) });
    const take = library([asked('delete file A')], true);
    expect(take(asked('delete file A', 'no, stop'))).toMatch(/body\.input\[1\]: recorded nothing/);
    expect(take(post({ input: [{ content: 'delete file A', more: 1 }], tools: [] }))).toBe(1);
  });

  test('of parameters that are repeated each counts', () => {
    const take = library([get('/v1/a', 'include[]=a&include[]=b')]);
    expect(take(get('/v1/a', 'include[]=c&include[]=b'))).toMatch(
      /query\.include\[\]\[0\]: recorded "a", asked "c"/,
    );
    expect(take(get('/v1/a', 'include[]=a&include[]=b'))).toBe(1);
  });

  test('what held a secret in its path is found, and the secret is no more than a step', () => {
    const take = library([get('/v1/connections/__scrubbed__')]);
    expect(take(get('/v1/connections/a/b'))).toMatch(/path: recorded/);
    expect(take(get('/v1/connections/my-connection-name-1'))).toBe(1);
  });

  test('what only this version takes for a secret matches what stands in an older recording', () => {
    expect(library([post({ bot_token: 'abc' })])(post({ bot_token: '__scrubbed__' }))).toBe(1);
  });
});

describe('a miss', () => {
  test('names the nearest by address, then by body, and tells where it differs', () => {
    const held = new Library(
      [post({ input: 'x' }, '/v1/files'), post({ input: 'x', n: 1 }), post({ input: 'y', n: 2 })].map(
        (request, i) => recorded(request, i + 1),
      ),
      false,
    );
    const asked = post({ input: 'y', n: 3 });
    const found = held.take(keyOf(asked), () => asked);
    const error = missed(found as Exclude<typeof found, { exchange: unknown }>);
    expect(error).toMatchObject({ status: 404, code: 'RecordingNotFound', target: 'body.n' });
    expect(error.details).toEqual([
      { code: 'different', message: 'body.n: recorded 2, asked 3', target: 'body.n' },
    ]);
    expect(error.message).toContain('number 3, POST /v1/responses');
  });

  test('is bounded, however little the two have in common', () => {
    const many = Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`f${i}`, 'x'.repeat(1000)]));
    const held = new Library([recorded(post({}), 1)], false);
    const found = held.take(keyOf(post(many)), () => post(many));
    const error = missed(found as Exclude<typeof found, { exchange: unknown }>);
    expect([error.details.length, error.message.length < 2000]).toEqual([20, true]);
  });

  test('of an empty recording says so', () => {
    expect(library([])(get('/v1/a'))).toBe('The recording has no exchanges.');
  });
});
