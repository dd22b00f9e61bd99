import fc from 'fast-check';
import { expect, test } from 'vitest';
import { window } from './extent-files.ts';

test('a window of extents has the bytes that the whole has there', () => {
  const extents = fc.array(
    fc.record({ id: fc.constantFrom('a', 'b', 'c'), offset: fc.nat(50), count: fc.nat(20) }),
    { maxLength: 8 },
  );
  const bytesOf = (parts: { id: string; offset: number; count: number }[]) =>
    parts.flatMap(({ id, offset, count }) => Array.from({ length: count }, (_, at) => `${id}${offset + at}`));
  fc.assert(
    fc.property(extents, fc.nat(100), fc.nat(100), (parts, offset, count) => {
      expect(bytesOf(window(parts, offset, count))).toEqual(bytesOf(parts).slice(offset, offset + count));
    }),
  );
});
