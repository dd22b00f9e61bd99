import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doneFrame, frame } from '../../kit/sse-frame.ts';
import { EventLog } from './event-log.ts';
import { batchCharacters, logLines, logText } from './log-text.ts';

const event = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ type: fc.constant('response.output_text.delta'), delta: fc.string() }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constant('response.refusal.delta'),
      delta: fc.string({ unit: 'binary' }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      type: fc.constantFrom('response.output_item.added', 'response.output_item.done'),
      output_index: fc.nat(2),
      item: fc.record({ id: fc.string() }),
    }),
  },
  { arbitrary: fc.constant({ type: 'response.in_progress', change: { status: 'in_progress' } }), weight: 1 },
);

const linesOf = (events: object[]): string[] =>
  [{ type: 'response.created', response: { id: 'resp_1', output: [] } }, ...events].map((one, i) =>
    JSON.stringify({ ...one, sequence_number: i }),
  );

async function entriesOf(lines: string[], after: number): Promise<string> {
  let frames = '';
  for await (const { type, data } of EventLog.ended(lines.join('\n')).entries(after)) {
    frames += frame(type, data);
  }
  return frames + doneFrame;
}

const framesOf = (text: string, after: number): Promise<string[]> =>
  Array.fromAsync(EventLog.ended(text).frames(after));

test('what is stored is the log, to the byte, however it is read', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 30 }),
      fc.integer({ min: -1, max: 32 }),
      async (events, after) => {
        const lines = linesOf(events);
        const text = logText(lines);
        expect(logLines(text)).toEqual(lines);
        const frames = await entriesOf(lines, after);
        expect((await framesOf(text, after)).join('')).toBe(frames);
        // As it was stored before runs were.
        expect((await framesOf(lines.join('\n'), after)).join('')).toBe(frames);
        expect(EventLog.ended(text).response).toEqual(EventLog.ended(lines.join('\n')).response);
      },
    ),
    { numRuns: 300 },
  );
});

test('deltas in a row are stored without what they share', () => {
  const deltas = [' The', ' "quick"', ' br\town\n'];
  const lines = linesOf(
    deltas.map((delta) => ({ type: 'response.output_text.delta', item_id: 'msg_1', delta, logprobs: [] })),
  );
  expect(logText(lines).split('\n')[1]).toBe(
    `{"type":"response.output_text.delta","run":["{\\"type\\":\\"response.output_text.delta\\",\\"item_id\\":\\"msg_1\\",\\"delta\\":",",\\"logprobs\\":[],\\"sequence_number\\":"]}\t" The"\t" \\"quick\\""\t" br\\town\\n"`,
  );
});

test('a delta with members of its own stays whole', () => {
  const delta = (more: object) => ({ type: 'response.output_text.delta', delta: 'a', ...more });
  const lines = linesOf([delta({}), delta({ obfuscation: 'x' }), delta({ obfuscation: 'yy' }), delta({})]);
  expect(logLines(logText(lines))).toEqual(lines);
});

test('a long run is told in parts of a bounded size', async () => {
  const delta = 'x'.repeat(100_000);
  const lines = linesOf(Array.from({ length: 50 }, () => ({ type: 'response.output_text.delta', delta })));
  const parts = await framesOf(logText(lines), 2);
  expect(parts.join('')).toBe(await entriesOf(lines, 2));
  expect(parts.length).toBeGreaterThan(4);
  for (const part of parts) expect(part.length).toBeLessThan(batchCharacters + 2 * delta.length);
});
