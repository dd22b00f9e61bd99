import { isAscii } from 'node:buffer';
import { overlapsOf } from './overlaps.ts';

/**
 * Texts in UTF-8, one behind the other: held and handed to another thread at next to no cost, however many. What one
 * repeats of the one before it is there once.
 */
export interface PackedTexts {
  bytes: Uint8Array;
  /** Of each text, in UTF-16 code units. */
  lengths: Uint32Array;
  /** With how many units each text repeats the end of the one before it. */
  overlaps: Uint32Array;
}

/** Texts as parts of one, in units of that. */
export interface TextParts {
  starts: Uint32Array;
  ends: Uint32Array;
  slice(start: number, end: number): string;
  /** Its bytes, a unit each; null where there is more than ASCII in it. */
  ascii: Uint8Array | null;
}

/** What is half of a character is replaced. */
export function packTexts(texts: readonly string[]): PackedTexts {
  const wellFormed = texts.map((text) => text.toWellFormed());
  const overlaps = overlapsOf(wellFormed);
  return {
    bytes: Buffer.from(wellFormed.map((text, at) => text.slice(overlaps[at])).join('')),
    lengths: Uint32Array.from(wellFormed, ({ length }) => length),
    overlaps,
  };
}

/**
 * Whether lengths and overlaps are those of the texts, and these have at most so many units together; for texts that
 * nobody vouches for.
 */
export function areSound({ bytes, lengths, overlaps }: PackedTexts, mostUnits: number): boolean {
  let before = 0;
  let total = 0;
  let repeated = 0;
  for (const [at, length] of lengths.entries()) {
    const overlap = overlaps[at] as number;
    if (length === 0 || overlap > Math.min(before, length)) return false;
    before = length;
    total += length;
    repeated += overlap;
  }
  return total <= mostUnits && total - repeated === unitsOf(bytes);
}

const unitsOf = (bytes: Uint8Array): number =>
  isAscii(bytes) ? bytes.length : asBuffer(bytes).toString().length;

const asBuffer = ({ buffer, byteOffset, byteLength }: Uint8Array): Buffer =>
  Buffer.from(buffer, byteOffset, byteLength);

/** Throws where the lengths are not those of the texts. */
export function textParts({ bytes, lengths, overlaps }: PackedTexts): TextParts {
  const starts = new Uint32Array(lengths.length);
  const ends = new Uint32Array(lengths.length);
  let end = 0;
  for (let at = 0; at < lengths.length; at++) {
    starts[at] = end - (overlaps[at] as number);
    end = (starts[at] as number) + (lengths[at] as number);
    ends[at] = end;
  }
  const own = asBuffer(bytes);
  // As many bytes as units: all of it is ASCII.
  if (end === own.length) {
    return { starts, ends, slice: (from, to) => own.toString('latin1', from, to), ascii: own };
  }
  const whole = own.toString('utf8');
  if (whole.length !== end) throw new Error('The lengths of texts are not theirs.');
  return { starts, ends, slice: (from, to) => whole.slice(from, to), ascii: null };
}

export function unpackTexts(texts: PackedTexts): string[] {
  const { starts, ends, slice } = textParts(texts);
  return Array.from(starts, (start, at) => slice(start, ends[at] as number));
}
