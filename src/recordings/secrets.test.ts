import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editedParts } from './edits.ts';
import { secretMark } from './format.ts';
import { recordedAnswer } from './recorded-answer.ts';
import { Secrets } from './secrets.ts';

const scrubbed = (text: string, ...known: string[]) => {
  const secrets = new Secrets();
  for (const one of known) secrets.add(one);
  return secrets.scrubbed(text);
};

describe('what is taken out', () => {
  test.each([
    [
      '{"credential":{"sasUri":"https://a/x?sig=abc%3D&sp=r","type":"SAS"}}',
      `{"credential":{"sasUri":"https://a/x?sig=${secretMark}&sp=r","type":"SAS"}}`,
    ],
    ['{"api_key":"abc"}', `{"api_key":"${secretMark}"}`],
    ['{"a": [1, {"clientSecret" : "x\\"y"}]}', `{"a": [1, {"clientSecret" : "${secretMark}"}]}`],
    ['{"\\u0061pi-key":"abc"}', `{"\\u0061pi-key":"${secretMark}"}`],
    [
      '{"credentials":{"type":"CustomKeys","x":"abc"}}',
      `{"credentials":{"type":"CustomKeys","x":"${secretMark}"}}`,
    ],
    ['{"tools":[{"headers":{"x-any":"abc"}}]}', `{"tools":[{"headers":{"x-any":"${secretMark}"}}]}`],
    [
      'data: {"token":"abc"}\n\ndata: {"token":"def"}',
      `data: {"token":"${secretMark}"}\n\ndata: {"token":"${secretMark}"}`,
    ],
    [
      '{"arguments":"{\\"password\\":\\"hunter2\\"}"}',
      `{"arguments":"{\\"password\\":\\"${secretMark}\\"}"}`,
    ],
    ['https://a.blob/x?sv=1&sig=ab%2Bc%3D&se=2', `https://a.blob/x?sv=1&sig=${secretMark}&se=2`],
    ['"https://a.blob/x?sv=1\\u0026sig=abc"', `"https://a.blob/x?sv=1\\u0026sig=${secretMark}"`],
    ['AccountName=a;AccountKey=abc==;x=1', `AccountName=a;AccountKey=${secretMark};x=1`],
    ['Authorization: Bearer abcdefgh12345678xyz.', `Authorization: Bearer ${secretMark}`],
    ['it is sk-abcdefgh12345678xyz, said', `it is ${secretMark}, said`],
    ['eyJhbGciOiJub25lIn0.eyJhIjoxfQaa.sig-na_ture', secretMark],
    ['grant=x&client_secret=abc', `grant=x&client_secret=${secretMark}`],
    ['amqp://user:pass@host/x', `amqp://user:${secretMark}@host/x`],
  ])('%s', (text, expected) => {
    expect(scrubbed(text)).toBe(expected);
  });

  test('what a name has told to be a secret is one elsewhere too', () => {
    const text = '{"key":"0123456789abcdef0123","note":"use 0123456789abcdef0123"}';
    expect(scrubbed(text)).not.toContain('0123456789abcdef');
  });
});

test.each([
  '{"token":"Hello","logprob":-0.1,"bytes":[72]}',
  '{"type":"eq","key":"city","value":"Oslo"}',
  '{"max_output_tokens":"7","total_tokens":3,"continuation_token":"c","prompt_cache_key":"k"}',
  '{"responses":{"200":{"headers":{"x-rate":{"description":"abc"}}}}}',
  '{"authorization_schemes":[{"type":"Entra"}],"api_key":null,"password":""}',
  'A basic understanding of the bearer of bad news, and a design = sign',
  '{"not": json, "at all',
])('what only looks like one stays, byte for byte: %s', (text) => {
  expect(scrubbed(text)).toBe(text);
});

/** Of what keys and tokens are made of, and never a part of the text around. */
const secret = fc.stringMatching(/^[A-Za-z0-9_~.+/-]{12,40}$/).map((text) => `Zq9${text}`);
const prose = fc.string({ maxLength: 20 });
const place = fc.constantFrom<(secret: string) => string>(
  (one) => JSON.stringify({ deep: [{ text: `so ${one}.` }] }),
  (one) => JSON.stringify({ arguments: JSON.stringify({ note: one }) }),
  (one) => `data: ${JSON.stringify({ text: one })}\n\n`,
  (one) => `plain ${one} text`,
  (one) => `https://host/x?q=${encodeURIComponent(one)}`,
);

test('a secret that is known is nowhere, wherever it was and however the answer was cut', () => {
  const text = fc.array(
    fc.oneof(
      prose,
      place.map((of) => ({ of })),
    ),
    { maxLength: 6 },
  );
  fc.assert(
    fc.property(secret, text, fc.array(fc.nat(200), { maxLength: 8 }), (known, parts, cuts) => {
      const said = parts.map((part) => (typeof part === 'string' ? part : part.of(known))).join('\n');
      const secrets = new Secrets();
      secrets.add(known);
      const bytes = Buffer.from(said.toWellFormed());
      const ends = [...new Set([...cuts.filter((cut) => cut < bytes.length), bytes.length])].sort(
        (a, b) => a - b,
      );
      const chunks = ends.map((end, i) => ({ after: 0, bytes: bytes.subarray(ends[i - 1] ?? 0, end) }));
      const given = { status: 200, rawHeaders: ['x-echo', known], chunks, isWhole: true };
      const written = JSON.stringify(recordedAnswer(given, 'https://upstream.example', secrets));
      expect(written).not.toContain(known);
      expect(written).not.toContain(encodeURIComponent(known));
    }),
    { numRuns: 200 },
  );
});

test('a secret that a stream says in pieces is in none of them', () => {
  const event = (delta: string) => `data: ${JSON.stringify({ type: 'x.delta', item_id: 'i', delta })}\n\n`;
  const chat = (content: string) =>
    `data: ${JSON.stringify({ id: 'c', choices: [{ index: 0, delta: { content } }] })}\n\n`;
  fc.assert(
    fc.property(
      secret,
      fc.array(fc.nat(40), { maxLength: 5 }),
      fc.constantFrom(event, chat),
      (known, cuts, frame) => {
        const said = `It is ${known}, so "it" is.`;
        const ends = [...new Set([...cuts.filter((cut) => cut < said.length), said.length])].sort(
          (a, b) => a - b,
        );
        const secrets = new Secrets();
        secrets.add(known);
        const out = secrets.scrubbed(ends.map((end, i) => frame(said.slice(ends[i - 1] ?? 0, end))).join(''));
        const pieces = out
          .split('\n\n')
          .filter((one) => one !== '')
          .map((one) => JSON.parse(one.slice(6)));
        const text = pieces.map((piece) => piece.delta ?? piece.choices[0].delta.content).join('');
        expect(text).toBe(`It is ${secretMark}, so "it" is.`);
      },
    ),
    { numRuns: 100 },
  );
});

test('edits across parts leave all else where it was', () => {
  const edits = [
    { start: 2, end: 7, text: 'X' },
    { start: 5, end: 8, text: 'Y' },
    { start: 9, end: 9, text: '+' },
  ];
  expect(editedParts(['abc', 'def', 'ghij'], edits)).toEqual(['abX', '', 'i+j']);
});
