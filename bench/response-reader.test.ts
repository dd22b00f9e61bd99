import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createResponseReader } from './response-reader.ts';

interface Read {
  status: number;
  body: string;
}

function readAll(pieces: Buffer[]): { answers: Read[]; bodiesBegun: number } {
  const answers: Read[] = [];
  let bodiesBegun = 0;
  const reader = createResponseReader({
    body: () => {
      bodiesBegun++;
    },
    end: ({ status, body }) => answers.push({ status, body: Buffer.concat(body).toString('latin1') }),
  });
  for (const piece of pieces) reader.read(piece);
  return { answers, bodiesBegun };
}

function cut(bytes: Buffer, places: number[]): Buffer[] {
  const ends = [...places.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end));
}

const sized = ({ status, body }: Read): string =>
  `HTTP/1.1 ${status} Any reason\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

const chunked = ({ status, body }: Read, chunkSize: number): string => {
  const chunks = body.match(new RegExp(`[^]{1,${chunkSize}}`, 'g')) ?? [];
  const parts = [...chunks, ''].map(
    (chunk) => `${chunk.length.toString(16)}\r\n${chunk}${chunk === '' ? '' : '\r\n'}`,
  );
  return `HTTP/1.1 ${status} OK\r\ntransfer-encoding: chunked\r\n\r\n${parts.join('')}\r\n`;
};

const answer = fc.record({
  status: fc.integer({ min: 200, max: 599 }),
  body: fc.oneof(
    fc.string({ unit: 'binary-ascii', maxLength: 60 }),
    fc.constantFrom('\r\n\r\n', '0\r\n\r\n', 'HTTP/1.1 200 OK\r\n'),
  ),
});

describe('the response reader', () => {
  test('reads the same answers wherever the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ answer, chunkSize: fc.integer({ min: 0, max: 20 }) }), { maxLength: 4 }),
        fc.array(fc.nat({ max: 2000 }), { maxLength: 12 }),
        (sent, places) => {
          const wire = sent.map(({ answer, chunkSize }) =>
            chunkSize === 0 ? sized(answer) : chunked(answer, chunkSize),
          );
          const read = readAll(cut(Buffer.from(wire.join(''), 'latin1'), places));
          expect(read.answers).toEqual(sent.map(({ answer }) => answer));
          expect(read.bodiesBegun).toBe(sent.filter(({ answer }) => answer.body !== '').length);
        },
      ),
    );
  });

  test('tells of the body as soon as its first byte is here, once', () => {
    const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n';
    expect(readAll([Buffer.from(head)]).bodiesBegun).toBe(0);
    expect(readAll([Buffer.from(head), Buffer.from('h')])).toEqual({ answers: [], bodiesBegun: 1 });
    expect(readAll([Buffer.from(head), Buffer.from('he'), Buffer.from('llo\r\n1\r\n!')]).bodiesBegun).toBe(1);
  });

  test.each([
    ['no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['a body without a length', 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\nhello'],
    ['a chunk without a size', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nhello\r\n'],
    [
      'a chunk that is longer than it says',
      'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nhello\r\n',
    ],
    ['a head without an end', `HTTP/1.1 200 OK\r\nx: ${'x'.repeat(70_000)}`],
  ])('refuses %s', (_, text) => {
    expect(() => readAll([Buffer.from(text)])).toThrow('The answer');
  });
});
