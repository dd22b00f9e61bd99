import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readEvents, type ServerEvent, SseParser } from './sse.ts';

/** The standard's rules over the whole text at once, as plainly as they can be said. */
function readWhole(text: string): ServerEvent[] {
  const events: ServerEvent[] = [];
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/);
  lines.pop();
  let type = '';
  let id = '';
  let data: string[] = [];
  for (const line of lines) {
    const [, field, value] = /^([^:]*)(?::\u0020?(.*))?$/s.exec(line) ?? [];
    if (line === '') {
      if (data.length > 0) events.push({ type: type || 'message', data: data.join('\n'), id });
      [type, data] = ['', []];
    } else if (field === 'data') data.push(value ?? '');
    else if (field === 'event') type = value ?? '';
    else if (field === 'id' && !value?.includes('\0')) id = value ?? '';
  }
  return events;
}

const lineEnd = fc.constantFrom('\n', '\r', '\r\n');
const value = fc
  .string({ unit: fc.constantFrom('a', ':', ' ', 'é', '語', '😀', '\0', '{"x":1}', '\u2028', '[DONE]') })
  .map((text) => text.replace(/[\r\n]/g, ''));
const line = fc.oneof(
  fc.tuple(fc.constantFrom('data', 'event', 'id', 'retry', 'other', ''), fc.constantFrom(':', ': '), value),
  fc.tuple(fc.constantFrom('data', 'event', ''), fc.constant(''), fc.constant('')),
);
const stream = fc
  .tuple(
    fc.boolean(),
    fc.array(
      fc.tuple(
        line.map((parts) => parts.join('')),
        lineEnd,
      ),
      { maxLength: 40 },
    ),
  )
  .map(([marked, lines]) => (marked ? '\uFEFF' : '') + lines.flat().join(''));

function cut<T>(whole: { length: number; slice(from: number, to: number): T }, at: number[]): T[] {
  const places = [...new Set([0, ...at.map((place) => place % (whole.length + 1)), whole.length])].sort(
    (a, b) => a - b,
  );
  return places.slice(1).map((to, index) => whole.slice(places[index] ?? 0, to));
}
const cuts = fc.array(fc.nat(), { maxLength: 30 });

describe('the parser', () => {
  test('finds the same events in bytes cut anywhere, within characters too', () => {
    fc.assert(
      fc.property(stream, cuts, (text, at) => {
        const parser = new SseParser();
        const pieces = cut(Buffer.from(text), at);
        // A carriage return at the very end may yet have been the first half of a line's end; it ends the line all the same.
        expect(pieces.flatMap((piece) => parser.push(piece))).toEqual(readWhole(text));
      }),
      { numRuns: 2000 },
    );
  });

  test('finds the same events in strings, one character at a time', () => {
    fc.assert(
      fc.property(stream, (text) => {
        const parser = new SseParser();
        expect([...text].flatMap((character) => parser.push(character))).toEqual(readWhole(text));
      }),
    );
  });

  test('finds whatever was written, in any line ends', () => {
    const event = fc.record({
      type: fc.string({ minLength: 1 }).filter((text) => !/^ |[\r\n]/.test(text)),
      data: fc.array(
        fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text)),
        { minLength: 1 },
      ),
    });
    fc.assert(
      fc.property(fc.array(event), lineEnd, cuts, (events, end, at) => {
        const text = events
          .map(({ type, data }) =>
            [`event: ${type}`, ': ping', ...data.map((one) => `data: ${one}`), '', ''].join(end),
          )
          .join('');
        const parser = new SseParser();
        const found = cut(Buffer.from(text), at).flatMap((piece) => parser.push(piece));
        expect(found).toEqual(events.map(({ type, data }) => ({ type, data: data.join('\n'), id: '' })));
      }),
    );
  });

  test('keeps what `retry` asks, and gives no event without its blank line', () => {
    const parser = new SseParser();
    expect(parser.push('retry: 1500\n\ndata: cut o')).toEqual([]);
    expect(parser.retryMs).toBe(1500);
  });

  test('refuses an event that is too large, in one line or many', () => {
    expect(() => new SseParser(100).push(`data: ${'x'.repeat(101)}`)).toThrow('larger than 100');
    expect(() => new SseParser(100).push('data: 1234567\n'.repeat(20))).toThrow('larger than 100');
    expect(new SseParser(100).push('data: 1234567\n\n'.repeat(20))).toHaveLength(20);
  });
});

describe('a body', () => {
  test('that falls silent is let go of', async () => {
    let cancelled = false;
    const body = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(Buffer.from('data: 1\n\n')),
      cancel: () => {
        cancelled = true;
      },
    });
    const found: string[] = [];
    await expect(async () => {
      for await (const { data } of readEvents(body, 10)) found.push(data);
    }).rejects.toThrow('silent');
    expect([found, cancelled]).toEqual([['1'], true]);
  });
});
