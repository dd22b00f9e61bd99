import { createKnownParts, hashedOn, hashSeed, longestKnown } from '../texts/known-parts.ts';
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
  /** `overlaps`: with how many units each text repeats the end of the one before it. */
  count(texts: readonly string[], overlaps: Uint32Array): SegmentWords;
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
  text: string;
  /** Where it begins, in units of the segment's text; what is repeated is in that once. */
  begin: number;
  /** Where its words begin. */
  start: number;
  /** Whether all of it is ASCII, so that it is known where its words are. */
  isPlain: boolean;
}

const none: Counted = { text: '', begin: 0, start: 0, isPlain: false };

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

  /** Of signs that are all ASCII and begin at `from` of the segment's text. What follows the end is none of a word. */
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

  /** How many bytes it has: as many as the text has units if all of it is ASCII. */
  const encode = (text: string): number => {
    if (bytes.length <= text.length * 3) bytes = Buffer.alloc(text.length * 4);
    const { written } = encoder.encodeInto(text, bytes);
    bytes[written] = 0;
    return written;
  };

  /** Takes over the words that a chunk repeats, and counts the rest; where its words begin, or null if that can't be. */
  const countRest = (text: string, overlap: number, before: Counted): number | null => {
    const begin = before.begin + before.text.length - overlap;
    const first = words.from(begin, before.start);
    const last = words.size() - 1;
    if (!before.isPlain || last < first) return null;
    if (isOfWord(before.text, before.text.length - overlap - 1) && isOfWord(text, 0)) return null;
    // The last word is looked at again: it may go on.
    const rest = words.offset(last) - begin;
    if (encode(text.slice(rest)) > text.length - rest) return null;
    const ended = words.takeLast();
    countPlain(0, text.length - rest, begin + rest);
    return words.number(last) === ended ? first : words.repeat(first, last, ended);
  };

  const countWhole = (text: string, begin: number): boolean => {
    const size = encode(text);
    const isPlain = size === text.length;
    if (isPlain) countPlain(0, size, begin);
    else countMixed(size);
    return isPlain;
  };

  return {
    vocabulary,
    count(texts, overlaps) {
      const starts = new Uint32Array(texts.length);
      const ends = new Uint32Array(texts.length);
      let before = none;
      words.clear();
      for (const [at, text] of texts.entries()) {
        const overlap = overlaps[at] ?? 0;
        const begin = before.begin + before.text.length - overlap;
        const repeated = overlap > 0 ? countRest(text, overlap, before) : null;
        const start = repeated ?? words.size();
        before = { text, begin, start, isPlain: repeated !== null || countWhole(text, begin) };
        starts[at] = start;
        ends[at] = words.size();
      }
      return { words: words.numbers(), starts, ends };
    },
    reset() {
      vocabulary.clear();
      known.clear();
    },
  };
}

function isOfWord(text: string, at: number): boolean {
  return at >= 0 && smallOf[text.charCodeAt(at)] !== 0;
}

/** Words with where they begin, in order. */
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
