import fc from 'fast-check';
import { expect, test } from 'vitest';
import { GrowingBytes } from './growing-bytes.ts';
import { addPostings, noPostings, writePosting } from './postings.ts';

const list = fc
  .uniqueArray(fc.record({ place: fc.nat(70_000), count: fc.integer({ min: 1, max: 100_000 }) }), {
    selector: ({ place }) => place,
  })
  .map((entries) => entries.toSorted((a, b) => a.place - b.place));

test('postings of several segments come back as they were, moved to where each begins', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(1_000_000), list), { maxLength: 5 }), (segments) => {
      const read = noPostings();
      for (const [first, entries] of segments) {
        const written = new GrowingBytes();
        for (const [at, { place, count }] of entries.entries()) {
          writePosting(written, place - (entries[at - 1]?.place ?? 0), count);
        }
        const bytes = written.taken();
        addPostings(read, first, bytes, 0, bytes.length);
      }
      const expected = segments.flatMap(([first, entries]) =>
        entries.map(({ place, count }) => [first + place, count]),
      );
      const found = Array.from({ length: read.size }, (_, at) => [read.chunks[at], read.counts[at]]);
      expect(found).toEqual(expected);
    }),
  );
});
