import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Frame, frameBytes, frameReader } from './frames.ts';

const bounds = { headerBytes: 10_000, bodyBytes: 10_000 };
const header = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.boolean()), {
  maxKeys: 5,
  noNullPrototype: true,
});

test('frames arrive as they were sent, however they are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ header, body: fc.uint8Array({ maxLength: 200 }) }), { maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 20 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map((frame) => frameBytes(frame.header, frame.body)));
        const read = frameReader(bounds);
        const got: Frame[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const end = at + (cuts[i % cuts.length] ?? 1);
          got.push(...read(bytes.subarray(at, end)));
          at = end;
        }
        expect(got.map((frame) => [JSON.stringify(frame.header), [...frame.body]])).toEqual(
          frames.map((frame) => [JSON.stringify(frame.header), [...frame.body]]),
        );
      },
    ),
  );
});

test('lengths beyond the bounds are refused before their bytes are waited for', () => {
  const prefix = (first: number, second: number) => {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(first, 0);
    bytes.writeUInt32BE(second, 4);
    return bytes;
  };
  expect(() => frameReader(bounds)(prefix(10_001, 0))).toThrow('too large');
  expect(() => frameReader(bounds)(prefix(1, 0xffffffff))).toThrow('too large');
});

test.each(['', '7', 'null', '{'])('a header that is no object is refused: %j', (text) => {
  const bytes = Buffer.alloc(8 + text.length);
  bytes.writeUInt32BE(text.length, 0);
  bytes.write(text, 8);
  expect(() => frameReader(bounds)(bytes)).toThrow();
});

test('any bytes give frames or an error, never more', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 8 }), (chunks) => {
      const read = frameReader(bounds);
      try {
        for (const chunk of chunks) for (const { header } of read(chunk)) expect(header).toBeTypeOf('object');
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});
