import { createKnownParts, hashedOn, hashSeed, longestKnown } from '../texts/known-parts.ts';
import { growingBytes } from './growing-bytes.ts';
import { writePosting } from './postings.ts';
import { createVocabulary, type Vocabulary } from './vocabulary.ts';
import { stemmed, wordsIn } from './words.ts';

/** The words of a segment with where they occur, and how many words each of its chunks has. */
export interface SegmentWords {
  /** Each once, by their numbers in the vocabulary. */
  words: Int32Array;
  /** Of each word's postings in `bytes`, which follow each other. */
  ends: Uint32Array;
  bytes: Uint8Array;
  lengths: Uint32Array;
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

/** Counts words as `countWords` does, for all chunks of a segment; what one repeats of another is looked at once. */
export function createWordCounter(): WordCounter {
  const vocabulary = createVocabulary();
  const known = createKnownParts('bytes', 65_536);
  const found = createFindings();
  const encoder = new TextEncoder();
  let bytes = Buffer.alloc(65_536);
  /** Of the chunk at hand and the one before: their words in order; none where there is more than ASCII in it. */
  let words = wordList();
  let wordsBefore = wordList();

  const numberOf = (start: number, end: number, hash: number): number => {
    if (end - start > longestKnown) return vocabulary.numberOf(stemmed(bytes.toString('latin1', start, end)));
    const number = known.find(bytes, start, end, hash);
    if (number >= 0) return number;
    const added = vocabulary.numberOf(stemmed(bytes.toString('latin1', start, end)));
    known.note(bytes, start, end, hash, added);
    return added;
  };

  /** Of signs that are all ASCII and begin at `from` of the chunk. What follows the end is none of a word. */
  const countPlain = (begin: number, end: number, from: number): void => {
    for (let at = begin; at < end; at++) {
      const start = at;
      let hash = hashSeed;
      for (let code = smallOf[bytes[at] as number]; code !== 0; code = smallOf[bytes[++at] as number]) {
        bytes[at] = code as number;
        hash = hashedOn(hash, code as number);
      }
      if (at === start) continue;
      const number = numberOf(start, at, hash);
      words.add(number, from + start);
      found.add(number);
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
        for (const word of wordsIn(bytes.toString('utf8', start, at))) found.add(vocabulary.numberOf(word));
    }
    words.clear();
  };

  /** How many bytes it has: as many as the text has units if all of it is ASCII. */
  const encode = (text: string): number => {
    if (bytes.length <= text.length * 3) bytes = Buffer.alloc(text.length * 4);
    const { written } = encoder.encodeInto(text, bytes);
    bytes[written] = 0;
    return written;
  };

  /** Counts what a chunk repeats, but for a word that may go on behind it; where the rest begins. */
  const countRepeated = (text: string, before: string, overlap: number): number => {
    const begin = before.length - overlap;
    const first = wordsBefore.from(begin);
    const last = wordsBefore.size() - 1;
    if (last < first || (isOfWord(before, begin - 1) && isOfWord(text, 0))) return 0;
    const rest = wordsBefore.start(last) - begin;
    if (encode(text.slice(rest)) > text.length - rest) return 0;
    for (let at = first; at < last; at++) {
      const number = wordsBefore.number(at);
      words.add(number, wordsBefore.start(at) - begin);
      found.add(number);
    }
    return rest;
  };

  const countChunk = (text: string, before: string, overlap: number): number => {
    [words, wordsBefore] = [wordsBefore, words];
    words.clear();
    found.nextChunk();
    const from = overlap > 0 ? countRepeated(text, before, overlap) : 0;
    if (from > 0) countPlain(0, text.length - from, from);
    else {
      const size = encode(text);
      if (size === text.length) countPlain(0, size, 0);
      else countMixed(size);
    }
    return found.wordsOfChunk();
  };

  return {
    vocabulary,
    count(texts, overlaps) {
      found.nextSegment();
      const lengths = Uint32Array.from(texts, (text, at) =>
        countChunk(text, texts[at - 1] ?? '', overlaps[at] ?? 0),
      );
      return { lengths, ...found.encoded() };
    },
    reset() {
      vocabulary.clear();
      known.clear();
      found.clear();
    },
  };
}

function isOfWord(text: string, at: number): boolean {
  return at >= 0 && smallOf[text.charCodeAt(at)] !== 0;
}

/** Words with where they begin, in order. */
function wordList() {
  let numbers = new Int32Array(4096);
  let starts = new Int32Array(4096);
  let size = 0;
  return {
    size: () => size,
    number: (at: number) => numbers[at] as number,
    start: (at: number) => starts[at] as number,
    add(number: number, start: number): void {
      if (size === numbers.length) {
        numbers = enlarged(numbers, size * 2);
        starts = enlarged(starts, size * 2);
      }
      numbers[size] = number;
      starts[size++] = start;
    },
    /** The first one that begins there or behind. */
    from(start: number): number {
      let [low, high] = [0, size];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((starts[middle] as number) < start) low = middle + 1;
        else high = middle;
      }
      return low;
    },
    clear(): void {
      size = 0;
    },
  };
}

/** Of each word of the vocabulary: the segment it was in last, and its first and last finding there. */
const wordNumbers = 4;
/** Of each finding: the chunk, how often, and the word's next finding. */
const findingNumbers = 4;

/** The occurrences of a segment's words in its chunks, as lists in flat arrays, one list for each word. */
function createFindings() {
  let ofWords = new Int32Array(65_536 * wordNumbers);
  let findings = new Int32Array(65_536 * findingNumbers);
  const bytes = growingBytes();
  let words: number[] = [];
  let size = 0;
  let segment = 0;
  let place = -1;
  let total = 0;

  const find = (): number => {
    if (size === findings.length) findings = enlarged(findings, size * 2);
    const finding = size;
    findings[finding] = place;
    findings[finding + 1] = 1;
    findings[finding + 2] = -1;
    size += findingNumbers;
    return finding;
  };

  return {
    nextSegment() {
      segment++;
      words = [];
      size = 0;
      place = -1;
    },
    nextChunk() {
      place++;
      total = 0;
    },
    wordsOfChunk: () => total,

    add(word: number): void {
      total++;
      const own = word * wordNumbers;
      if (own >= ofWords.length) ofWords = enlarged(ofWords, own * 2);
      if (ofWords[own] !== segment) {
        ofWords[own] = segment;
        words.push(word);
        ofWords[own + 1] = ofWords[own + 2] = find();
        return;
      }
      const last = ofWords[own + 2] as number;
      if (findings[last] === place) findings[last + 1] = (findings[last + 1] as number) + 1;
      else findings[last + 2] = ofWords[own + 2] = find();
    },

    encoded(): Omit<SegmentWords, 'lengths'> {
      const ends = new Uint32Array(words.length);
      for (let index = 0; index < words.length; index++) {
        let before = 0;
        let at = ofWords[(words[index] as number) * wordNumbers + 1] as number;
        while (at >= 0) {
          const here = findings[at] as number;
          writePosting(bytes, here - before, findings[at + 1] as number);
          before = here;
          at = findings[at + 2] as number;
        }
        ends[index] = bytes.size();
      }
      return { words: Int32Array.from(words), ends, bytes: bytes.taken() };
    },
    clear: () => void ofWords.fill(0),
  };
}

function enlarged(numbers: Int32Array<ArrayBuffer>, size: number): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(size);
  larger.set(numbers);
  return larger;
}
