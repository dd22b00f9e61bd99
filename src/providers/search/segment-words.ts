import { createKnownParts, hashedOn, hashSeed, longestKnown } from '../texts/known-parts.ts';
import type { TextParts } from '../texts/packed-texts.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';
import { stemmed, wordsIn } from './words.ts';

/**
 * The words of a segment in their order, by their numbers in the vocabulary. Where a chunk repeats the end of the one
 * before it, they have words in common: it begins before that one ends.
 */
export interface SegmentWords {
  words: Int32Array;
  /** Of each chunk where its words begin, and where they end. */
  starts: Uint32Array;
  ends: Uint32Array;
}

export interface WordCounter {
  readonly vocabulary: Vocabulary;
  /** Of the texts from `first` on, up to `behind`. */
  count(texts: TextParts, first: number, behind: number): SegmentWords;
  /** Forgets all words. What was counted before can't be read any more. */
  reset(): void;
}

/** What a letter or digit is in small letters, 0 for anything else. */
const smallOf = Uint8Array.from({ length: 256 }, (_, code) => {
  const letter = String.fromCharCode(code).toLowerCase();
  return code < 0x80 && /[a-z0-9]/.test(letter) ? letter.charCodeAt(0) : 0;
});
const blank = 0x20;

/** A chunk whose words have been counted. */
interface Counted {
  /** Where its words begin. */
  start: number;
  /** Whether all of it is ASCII, so that it is known where its words are. */
  isPlain: boolean;
}

const none: Counted = { start: 0, isPlain: false };

/** Counts words as `countWords` does, for all chunks of a segment; what one repeats of another is looked at once. */
export function createWordCounter(): WordCounter {
  const vocabulary = createVocabulary();
  const known = createKnownParts('bytes', 65_536);
  const words = wordList();
  const encoder = new TextEncoder();
  let bytes = Buffer.alloc(65_536);

  const numberOf = (start: number, end: number, hash: number): number => {
    if (end - start > longestKnown) return vocabulary.numberOf(stemmed(bytes.toString('latin1', start, end)));
    const number = known.find(bytes, start, end, hash);
    if (number >= 0) return number;
    const added = vocabulary.numberOf(stemmed(bytes.toString('latin1', start, end)));
    known.note(bytes, start, end, hash, added);
    return added;
  };

  /** Of signs that are all ASCII and begin at `from` of the text. What follows the end is none of a word. */
  const countPlain = (begin: number, end: number, from: number): void => {
    for (let at = begin; at < end; at++) {
      const start = at;
      let hash = hashSeed;
      for (let code = smallOf[bytes[at] as number]; code !== 0; code = smallOf[bytes[++at] as number]) {
        bytes[at] = code as number;
        hash = hashedOn(hash, code as number);
      }
      if (at === start) continue;
      words.add(numberOf(start, at, hash), from + start);
    }
  };

  /** Nothing that makes words of signs looks over a blank. */
  const countMixed = (end: number): void => {
    for (let at = 0; at < end; at++) {
      const start = at;
      let all = 0;
      for (; (bytes[at] as number) > blank; at++) all |= bytes[at] as number;
      if (all < 0x80) countPlain(start, at, 0);
      else
        for (const word of wordsIn(bytes.toString('utf8', start, at)))
          words.add(vocabulary.numberOf(word), 0);
    }
  };

  /** Makes `bytes` those of a part of the text. How many there are: as many as units if all of it is ASCII. */
  const take = ({ ascii, slice }: TextParts, start: number, end: number): number => {
    const units = end - start;
    if (bytes.length <= units * 3) bytes = Buffer.alloc(units * 4);
    let written = units;
    if (ascii === null) ({ written } = encoder.encodeInto(slice(start, end), bytes));
    else bytes.set(ascii.subarray(start, end));
    bytes[written] = 0;
    return written;
  };

  /** Takes over the words that a chunk repeats, and counts the rest; where its words begin, or null if that can't be. */
  const countRest = (texts: TextParts, start: number, end: number, before: Counted): number | null => {
    const first = words.from(start, before.start);
    const last = words.size() - 1;
    if (!before.isPlain || last < first || isInWord(texts, start)) return null;
    // The last word is looked at again: it may go on.
    const rest = words.offset(last);
    if (take(texts, rest, end) > end - rest) return null;
    const ended = words.takeLast();
    countPlain(0, end - rest, rest);
    return words.number(last) === ended ? first : words.repeat(first, last, ended);
  };

  const countWhole = (texts: TextParts, start: number, end: number): boolean => {
    const size = take(texts, start, end);
    const isPlain = size === end - start;
    if (isPlain) countPlain(0, size, start);
    else countMixed(size);
    return isPlain;
  };

  return {
    vocabulary,
    count(texts, first, behind) {
      const starts = new Uint32Array(behind - first);
      const ends = new Uint32Array(behind - first);
      let before = none;
      words.clear();
      for (let at = first; at < behind; at++) {
        const from = texts.starts[at] as number;
        const to = texts.ends[at] as number;
        const isRepeating = at > first && from < (texts.ends[at - 1] as number);
        const repeated = isRepeating ? countRest(texts, from, to, before) : null;
        const start = repeated ?? words.size();
        before = { start, isPlain: repeated !== null || countWhole(texts, from, to) };
        starts[at - first] = start;
        ends[at - first] = words.size();
      }
      return { words: words.numbers(), starts, ends };
    },
    reset() {
      vocabulary.clear();
      known.clear();
    },
  };
}

function isInWord({ slice }: TextParts, at: number): boolean {
  const around = slice(Math.max(0, at - 1), at + 1);
  return around.length === 2 && smallOf[around.charCodeAt(0)] !== 0 && smallOf[around.charCodeAt(1)] !== 0;
}

/** Words in order, with where they begin in the text; that means nothing where there is more than ASCII in it. */
function wordList() {
  let numbers = new Int32Array(32_768);
  let offsets = new Int32Array(32_768);
  let size = 0;

  const add = (number: number, offset: number): void => {
    if (size === numbers.length) {
      numbers = enlarged(numbers);
      offsets = enlarged(offsets);
    }
    numbers[size] = number;
    offsets[size++] = offset;
  };

  return {
    size: () => size,
    number: (at: number) => numbers[at] as number,
    offset: (at: number) => offsets[at] as number,
    add,
    /** The first one that begins there or behind, of those from `start` on. */
    from(offset: number, start: number): number {
      let [low, high] = [start, size];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((offsets[middle] as number) < offset) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    takeLast: (): number => numbers[--size] as number,
    /** Puts a word in at `last`, and behind it those from `first` on once more; where these begin. */
    repeat(first: number, last: number, word: number): number {
      const behind = numbers.slice(last, size);
      const places = offsets.slice(last, size);
      size = last;
      add(word, places[0] as number);
      for (let at = first; at < last; at++) add(numbers[at] as number, offsets[at] as number);
      for (const [at, number] of behind.entries()) add(number, places[at] as number);
      return last + 1;
    },
    numbers: () => numbers.slice(0, size),
    clear(): void {
      size = 0;
    },
  };
}

function enlarged(numbers: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(numbers.length * 2);
  larger.set(numbers);
  return larger;
}
