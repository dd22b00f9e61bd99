/** In which chunks of a segment a word occurs, and how often, as bytes: small numbers take one. */
export function encodePostings(places: readonly number[], counts: readonly number[]): Uint8Array {
  const bytes: number[] = [];
  const write = (value: number): void => {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
    bytes.push(rest);
  };
  let before = 0;
  for (const [at, place] of places.entries()) {
    write(place - before);
    write(counts[at] ?? 0);
    before = place;
  }
  return Uint8Array.from(bytes);
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
export function addPostings(to: Postings, first: number, bytes: Uint8Array): void {
  let at = 0;
  const read = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = bytes[at++] ?? 0;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
  };
  let chunk = first;
  while (at < bytes.length) {
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
