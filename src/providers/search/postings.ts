import type { GrowingBytes } from './growing-bytes.ts';

/**
 * Adds a chunk of a segment that a word occurs in, by how many chunks it comes after the one before, and how often it
 * does. Small numbers take a byte.
 */
export function writePosting(to: GrowingBytes, further: number, count: number): void {
  to.number(further);
  to.number(count);
}

/** Where a word occurs in a collection: chunks by their numbers in memory, and how often. Grows at its end. */
export interface Postings {
  chunks: Uint32Array;
  counts: Uint32Array;
  size: number;
}

export const noPostings = (): Postings => ({
  chunks: new Uint32Array(4),
  counts: new Uint32Array(4),
  size: 0,
});

/** Adds those of a segment whose first chunk has the number `first`. */
export function addPostings(
  to: Postings,
  first: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  let at = start;
  const read = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  let chunk = first;
  while (at < end) {
    chunk += read();
    if (to.size === to.chunks.length) {
      to.chunks = enlarged(to.chunks);
      to.counts = enlarged(to.counts);
    }
    to.chunks[to.size] = chunk;
    to.counts[to.size] = read();
    to.size++;
  }
}

function enlarged(numbers: Uint32Array): Uint32Array {
  const larger = new Uint32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}

/** What holding them takes, about. */
export const postingsBytes = ({ chunks }: Postings): number => chunks.length * 8 + 300;
