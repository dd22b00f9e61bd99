import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addPostings, encodePostings, noPostings } from './postings.ts';

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
        const places = entries.map(({ place }) => place);
        const counts = entries.map(({ count }) => count);
        addPostings(read, first, encodePostings(places, counts));
      }
      const expected = segments.flatMap(([first, entries]) =>
        entries.map(({ place, count }) => [first + place, count]),
      );
      const found = Array.from({ length: read.size }, (_, at) => [read.chunks[at], read.counts[at]]);
      expect(found).toEqual(expected);
    }),
  );
});
