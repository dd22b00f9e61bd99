import fc from 'fast-check';
import { expect, test } from 'vitest';
import { complaintIn, eventFrames } from './event-frames.ts';

async function* pieces(text: string, cuts: number[]): AsyncGenerator<Uint8Array> {
  const bytes = Buffer.from(text);
  let at = 0;
  for (const cut of cuts) {
    yield bytes.subarray(at, at + cut);
    at += cut;
  }
  yield bytes.subarray(at);
}

const frames = (text: string, cuts: number[] = []) => Array.fromAsync(eventFrames(pieces(text, cuts)));

const expected = ['event: a\ndata: {"b":"é😀"}\n\n', ': still here\n\n', 'data: [DONE]\n\n'];

test('the frames do not depend on the pieces or the line ends', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(9), { maxLength: 40 }),
      fc.constantFrom('\n', '\r\n'),
      async (cuts, lineEnd) => {
        expect(await frames(expected.join('').replaceAll('\n', lineEnd), cuts)).toEqual(expected);
      },
    ),
  );
});

test('a frame comes as soon as it is whole', async () => {
  let isOpen = true;
  async function* source() {
    yield Buffer.from('data: 1\n\n');
    isOpen = false;
    yield Buffer.from('data: 2\n\n');
  }
  const { value } = await eventFrames(source()).next();
  expect([value, isOpen]).toEqual(['data: 1\n\n', true]);
});

test('a last event without its blank line counts, empty lines do not', async () => {
  expect(await frames('\n\n\ndata: 1\n\n\n\n\ndata: 2')).toEqual(['data: 1\n\n', 'data: 2\n\n']);
  expect(await frames('data: 1\r')).toEqual(['data: 1\n\n']);
  expect(await frames('')).toEqual([]);
});

test('an event beyond the bound is refused', async () => {
  const reading = Array.fromAsync(eventFrames(pieces(`data: ${'x'.repeat(100)}`, [50, 10]), 80));
  await expect(reading).rejects.toMatchObject({ code: 'model_error' });
});

test.each([
  ['data: {"type":"a"}\n\n', null],
  ['data: {"text":"an \\"error\\""}\n\n', null],
  ['data: {"a":{"type":"x","error":null},"b":"error"}\n\n', null],
  ['data: {"error":{"message":"no"}}\n\n', { error: { message: 'no' } }],
  ['data:{"type":"error","message":"no"}\n\n', { type: 'error', message: 'no' }],
  ['event: error\ndata: {"message":"no"}\n\n', { message: 'no' }],
  ['event: error\ndata: no\n\n', { message: 'no' }],
])('case %#: complaints are told from events', (frame, complaint) => {
  expect(complaintIn(frame)).toEqual(complaint);
});
