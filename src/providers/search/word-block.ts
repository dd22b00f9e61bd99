/**
 * A block has words with where they occur, as bytes: of each word its length and itself in UTF-8, then the length of
 * its parts and these, one for each segment that it is in: the segment's number, a length, and postings. Words come in
 * the order of their hashes. What is in an index was written like this: it must not change.
 */
import type { GrowingBytes } from './growing-bytes.ts';

/** FNV-1a over UTF-8, mixed so that its first bits are as good as its last; from 0 up to 2³². */
export function hashedWord(bytes: Uint8Array, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Which of so many blocks a word is in. */
export const blockOf = (hash: number, blocks: number): number => Math.floor((hash * blocks) / 2 ** 32);

/** Moves the parts. */
export function writeWord(
  to: GrowingBytes,
  bytes: Uint8Array,
  start: number,
  end: number,
  parts: GrowingBytes,
): void {
  to.number(end - start);
  to.copy(bytes, start, end);
  to.number(parts.size);
  parts.moveTo(to);
}

export function writePart(
  to: GrowingBytes,
  segment: number,
  bytes: Uint8Array,
  start: number,
  end: number,
): void {
  to.number(segment);
  to.number(end - start);
  to.copy(bytes, start, end);
}

/** The same of postings that were just written; moves them. */
export function movePart(to: GrowingBytes, segment: number, postings: GrowingBytes): void {
  to.number(segment);
  to.number(postings.size);
  postings.moveTo(to);
}

/** Goes from word to word of a block. */
export class BlockCursor {
  readonly bytes: Uint8Array;
  wordStart = 0;
  wordEnd = 0;
  partsStart = 0;
  end = 0;
  /** Where what is read next begins. */
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  next(): boolean {
    if (this.end >= this.bytes.length) return false;
    this.at = this.end;
    const length = this.number();
    this.wordStart = this.at;
    this.wordEnd = this.at + length;
    this.at = this.wordEnd;
    const partsLength = this.number();
    this.partsStart = this.at;
    this.end = this.at + partsLength;
    return true;
  }

  is(bytes: Uint8Array, start: number, end: number): boolean {
    if (this.wordEnd - this.wordStart !== end - start) return false;
    for (let at = start; at < end; at++) {
      if (this.bytes[this.wordStart + at - start] !== bytes[at]) return false;
    }
    return true;
  }

  /** The parts of this word: where each begins, its postings begin, and both end. */
  readParts(take: (segment: number, start: number, postings: number, end: number) => void): void {
    this.at = this.partsStart;
    while (this.at < this.end) {
      const start = this.at;
      const segment = this.number();
      const length = this.number();
      const postings = this.at;
      this.at += length;
      take(segment, start, postings, this.at);
    }
  }

  number(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }
}
