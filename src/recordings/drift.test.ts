import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pairsOf } from './call-pairs.ts';
import { breaks, driftOf } from './drift.ts';
import type { Exchange, RecordedAnswer } from './format.ts';
import type { Recording } from './recording.ts';

type Call = {
  path?: string;
  method?: string;
  asked?: unknown;
  status?: number;
  headers?: [string, string][];
} & ({ json: unknown } | { events: object[]; end?: RecordedAnswer['end'] });

const recording = (...calls: Call[]): Recording => ({
  heading: { bloomery_recording: 1, base: '', recordedAt: '2026-01-01T00:00:00Z' },
  isTorn: false,
  exchanges: calls.map((call, i): Exchange => {
    const { path = '/v1/x', method = 'GET', status = 200, headers = [], asked } = call;
    const body = asked === undefined ? {} : { body: { json: asked } };
    const isStream = 'events' in call;
    const text = isStream
      ? call.events.map((event) => `data: ${JSON.stringify(event)}\n\n`).join('')
      : JSON.stringify(call.json);
    const type: [string, string] = [
      'Content-Type',
      isStream ? 'text/event-stream' : 'application/json; charset=utf-8',
    ];
    return {
      ...{ number: i + 1, at: i, took: 0, request: { method, path, ...body } },
      answer: {
        status,
        headers: [type, ...headers],
        chunks: [[0, text]],
        end: isStream ? (call.end ?? 'whole') : 'whole',
      },
    };
  }),
});

const lines = (a: Call[], b: Call[]) =>
  driftOf(recording(...a), recording(...b)).differences.map(
    (one) => `${breaks(one) ? 'breaking' : 'additive'} ${one.at.replace('GET /v1/x · 200', '')}: ${one.what}`,
  );

const id = (prefix: string, n: number) => `${prefix}_${String(n).repeat(24)}`;

test('two runs of the same differ in nothing: ids, times and addresses are compared by their form', () => {
  const run = (n: number): Call[] => [
    { json: { id: id('conv', n), created_at: n, at: `2026-01-0${n}T00:00:00Z`, link: `https://h${n}/x` } },
    { path: `/v1/conversations/${id('conv', n)}/items`, json: { id: id('conv', n) } },
    { path: `/v1/agents/${n === 1 ? 'one' : 'two'}`, json: { name: 'x' } },
    { method: 'POST', path: '/v1/agents', json: { id: n === 1 ? 'one' : 'two' } },
  ];
  const { differences, unpaired } = driftOf(recording(...run(1)), recording(...run(2)));
  expect(differences.map(({ at }) => at)).toEqual(['POST /v1/agents · 200.id']);
  expect(unpaired).toEqual([]);
});

test.each<[string, unknown, unknown, string[]]>([
  ['a field is gone', { a: 1, b: 2 }, { a: 1 }, ['breaking .b: removed']],
  ['a field is new', { a: 1 }, { a: 1, b: { c: 2 } }, ['additive .b: new']],
  ['a type is another', { a: { b: '1' } }, { a: { b: 1 } }, ['breaking .a.b: string → number']],
  ['a value is null once', { a: null }, { a: 'x' }, ['additive .a: null → string']],
  [
    'a word is another',
    { status: 'completed' },
    { status: 'failed' },
    ['additive .status: "completed" → "failed"'],
  ],
  [
    'an id is of another kind',
    { id: id('resp', 1) },
    { id: id('r', 2) },
    ['breaking .id: an id ‘resp’ → an id ‘r’'],
  ],
  [
    'an id has no form any more',
    { id: id('resp', 1) },
    { id: 'agent-1' },
    ['breaking .id: an id ‘resp’ → "agent-1"'],
  ],
  ['an id has no digit by chance', { id: id('resp', 1) }, { id: 'resp_abcdefghijklmn' }, []],
  ['a text is no address', { text: 'https://x' }, { text: 'y' }, ['additive .text: "https://x" → "y"']],
  [
    'elements are compared by their kind',
    { output: [{ type: 'reasoning' }, { type: 'message', a: 1 }] },
    { output: [{ type: 'message' }] },
    ['additive .output[](‘reasoning’): 1 → 0 elements', 'breaking .output[](‘message’).a: removed'],
  ],
])('%s', (_, old, now, expected) => {
  expect(lines([{ json: old }], [{ json: now }])).toEqual(expected);
});

test('statuses, media types, headers and streams', () => {
  expect(lines([{ json: 1 }], [{ json: 1, status: 201 }])).toEqual(['breaking GET /v1/x: 200 → 201']);
  expect(
    driftOf(recording({ json: 1 }), recording({ json: 1, status: 400 })).differences.map(({ rule }) => rule),
  ).toEqual(['tightened']);
  expect(lines([{ json: 1, status: 404 }], [{ json: 1 }])).toEqual(['additive GET /v1/x: 404 → 200']);
  expect(lines([{ json: 1 }], [{ events: [] }])).toEqual(['breaking : application/json → text/event-stream']);
  expect(
    lines([{ json: 1, headers: [['Operation-Location', 'x']] }], [{ json: 1, headers: [['x-new', '1']] }]),
  ).toEqual(['breaking  · header operation-location: removed', 'additive  · header x-new: new']);
  const delta = { type: 'delta', delta: 'a', sequence_number: 1 };
  expect(
    lines(
      [{ events: [{ type: 'begun' }, delta, delta] }],
      [{ events: [{ ...delta, sequence_number: 2, more: 1 }, { type: 'other' }], end: 'cut' }],
    ),
  ).toEqual([
    'breaking  · event begun: removed',
    'additive  · event delta.more: new',
    'additive  · event other: new',
    'breaking : broken off',
  ]);
});

test('a project may have another name at another service', () => {
  const at = (base: string) => {
    const made = recording({ path: `${base}/agents`, json: 1 });
    return { ...made, heading: { ...made.heading, base } };
  };
  expect(driftOf(at('/api/projects/a'), at('/api/projects/b'))).toEqual({ differences: [], unpaired: [] });
});

test('calls that only one recording has are told apart', () => {
  const { unpaired } = driftOf(
    recording({ json: 1 }, { json: 1 }),
    recording({ json: 1 }, { path: '/v1/y', json: 1 }),
  );
  expect(unpaired).toEqual([
    { operation: 'GET /v1/x', a: 2, b: 1 },
    { operation: 'GET /v1/y', a: 0, b: 1 },
  ]);
});

test('calls are paired by what they ask for, whichever order they come in', () => {
  const call = (asked: object, answer: object): Call => ({ method: 'POST', asked, json: answer });
  const [first, second] = [call({ input: 'a', n: 1 }, { one: 1 }), call({ input: 'b', n: 2 }, { two: 2 })];
  expect(driftOf(recording(first, second), recording(second, first)).differences).toEqual([]);
  // Not in the same words: what has the most in common.
  const [other, another] = [call({ input: 'c', n: 1 }, { one: 1 }), call({ input: 'd', n: 2 }, { two: 2 })];
  const third = call({ input: 'e', n: 3 }, { three: 3 });
  const { differences, unpaired } = driftOf(recording(first, second), recording(third, another, other));
  expect(differences).toEqual([]);
  expect(unpaired).toEqual([{ operation: 'POST /v1/x', a: 2, b: 3 }]);
});

test.each([429, 503])(
  'a %i that was followed by the same request is left out, any other is not',
  (status) => {
    const busy: Call = { json: { error: {} }, status };
    const calls: Call[] = [{ json: { a: 1 } }, { json: { b: 1 }, path: '/v1/z' }];
    const none = { differences: [], unpaired: [] };
    expect(driftOf(recording(...calls), recording(busy, busy, ...calls))).toEqual(none);
    expect(driftOf(recording(busy, ...calls), recording(...calls))).toEqual(none);
    expect(lines([{ json: 1 }], [busy])).toEqual([`breaking GET /v1/x: 200 → ${status}`]);
  },
);

test('a name is no part of an operation where the other recording has no such path', () => {
  const run = (name: string): Call[] => [
    { method: 'POST', path: '/v1/agents', json: { name } },
    { path: `/v1/agents/${name}`, json: { name } },
    { path: '/v1/agents', json: { data: [{ name: 'agents' }] } },
  ];
  expect(driftOf(recording(...run('one')), recording(...run('two'))).unpaired).toEqual([]);
});

test('each call is paired once, as long as there are others, and none is lost when all change places', () => {
  const asks = fc.uniqueArray(fc.json({ maxDepth: 1 }), { maxLength: 30 });
  fc.assert(
    fc.property(asks, fc.infiniteStream(fc.nat()), fc.nat(40), (all, places, most) => {
      // Each asks for another thing and gets another answer.
      const calls = all.map((asked, i): Call => ({ asked: { asked, i }, json: { [`of${i}`]: 1 } }));
      const moved = calls
        .map((call) => ({ call, place: places.next().value }))
        .sort((x, y) => x.place - y.place)
        .map(({ call }) => call);
      expect(driftOf(recording(...calls), recording(...moved)).differences).toEqual([]);
      const [a, b] = [recording(...calls).exchanges, recording(...moved.slice(0, most)).exchanges];
      const pairs = pairsOf(a, b);
      expect(pairs).toHaveLength(Math.min(a.length, b.length));
      expect(new Set(pairs.flat()).size).toBe(2 * pairs.length);
    }),
  );
});

test('very many calls that have nothing in common are paired all the same', () => {
  const calls = (word: string): Call[] =>
    Array.from({ length: 3000 }, (_, i) => ({ asked: `${word} ${i}`, json: 1 }));
  expect(driftOf(recording(...calls('a')), recording(...calls('b')))).toEqual({
    ...{ differences: [], unpaired: [] },
  });
});
