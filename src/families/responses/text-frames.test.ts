import fc from 'fast-check';
import { expect, test } from 'vitest';
import { doneFrame, frame } from '../../kit/sse-frame.ts';
import { EventLog } from './event-log.ts';
import { batchCharacters } from './text-frames.ts';

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

async function framesOf(lines: string[], after: number): Promise<string[]> {
  return Array.fromAsync(EventLog.ended(lines.join('\n')).frames(after));
}

test('an ended log is told in the same frames, written over as a text or line by line', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(event, { maxLength: 30 }),
      fc.integer({ min: -1, max: 32 }),
      async (events, after) => {
        const lines = linesOf(events);
        expect((await framesOf(lines, after)).join('')).toBe(await entriesOf(lines, after));
      },
    ),
    { numRuns: 300 },
  );
});

test('a long run is told in parts of a bounded size', async () => {
  const delta = 'x'.repeat(100_000);
  const lines = linesOf(Array.from({ length: 50 }, () => ({ type: 'response.output_text.delta', delta })));
  const parts = await framesOf(lines, 2);
  expect(parts.join('')).toBe(await entriesOf(lines, 2));
  expect(parts.length).toBeGreaterThan(4);
  for (const part of parts) expect(part.length).toBeLessThan(batchCharacters + 3 * delta.length);
});
