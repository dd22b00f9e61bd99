import fc from 'fast-check';
import { expect, test } from 'vitest';
import { EventStream } from '../kit/operation.ts';
import { cutAfter, malformedAt } from './faulty-streams.ts';
import { BrokenOff } from './sse.ts';

const eventOf = (n: number) => `event: e\ndata: {"n":${n}}\n\n`;

/** The same events in elements of any size. */
const chunked = fc
  .record({
    count: fc.integer({ min: 0, max: 12 }),
    breaks: fc.array(fc.boolean(), { minLength: 12, maxLength: 12 }),
  })
  .map(({ count, breaks }) => {
    const elements: string[] = [];
    for (let n = 1; n <= count; n++) {
      if (elements.length > 0 && !breaks[n - 1]) elements[elements.length - 1] += eventOf(n);
      else elements.push(eventOf(n));
    }
    return { count, elements };
  });

const streamOf = (elements: string[]): EventStream =>
  new EventStream(
    (async function* () {
      yield* elements;
    })(),
    () => '',
  );

async function read({ frames }: EventStream) {
  let text = '';
  try {
    for await (const frame of frames) text += frame;
    return { text, broke: false };
  } catch (error) {
    expect(error).toBeInstanceOf(BrokenOff);
    return { text, broke: true };
  }
}

const allUpTo = (n: number) => Array.from({ length: n }, (_, at) => eventOf(at + 1)).join('');

test('a cut lets exactly so many events through, however they come', () =>
  fc.assert(
    fc.asyncProperty(chunked, fc.integer({ min: 0, max: 14 }), async ({ count, elements }, event) => {
      const broke = Math.max(event, 1) <= count;
      expect(await read(cutAfter(streamOf(elements), event))).toEqual({
        text: allUpTo(Math.min(event, count)),
        broke,
      });
    }),
  ));

test('one event is malformed, and only that one', () =>
  fc.assert(
    fc.asyncProperty(chunked, fc.integer({ min: 1, max: 14 }), async ({ count, elements }, event) => {
      const { text } = await read(malformedAt(streamOf(elements), event));
      const events = text.split(/(?<=\n\n)/).filter((one) => one !== '');
      expect(events).toHaveLength(count);
      events.forEach((one, at) => {
        const data = one.slice(one.indexOf('data: ') + 'data: '.length);
        if (at + 1 === event) expect(() => JSON.parse(data)).toThrow();
        else expect(one).toBe(eventOf(at + 1));
      });
    }),
  ));
