import { growingBytes } from './growing-bytes.ts';
import type { RunFile } from './run-file.ts';
import type { SegmentWords } from './segment-words.ts';
import type { Vocabulary } from './vocabulary.ts';
import { writePart, writeWord } from './word-block.ts';

export interface TakenSegment {
  segment: number;
  words: SegmentWords;
}

/** What a word takes beside its postings and itself, about. */
const wordBytes = 4;
const partBytes = 4;
/** What a segment takes in the run's list of them. */
const segmentBytes = 4;
/** Of a place where a word occurs: the next one, the segment, and where its postings begin and end. */
const placeNumbers = 4;

/** Writes the words of several segments as one run. */
export function writeRun(
  file: RunFile,
  collection: number,
  taken: readonly TakenSegment[],
  vocabulary: Vocabulary,
): void {
  const total = taken.reduce((sum, { words: { words } }) => sum + words.length, 0);
  /** Of each word of the vocabulary where it occurs first, then from there on; 0 where nothing follows. */
  const heads = new Int32Array(vocabulary.size());
  const places = new Int32Array((total + 1) * placeNumbers);
  const different = new Int32Array(total);
  let place = 0;
  let words = 0;
  let bytes = total * partBytes + taken.length * segmentBytes;
  // From the last, as what is added to a list comes first in it.
  for (let index = taken.length - 1; index >= 0; index--) {
    const segment = (taken[index] as TakenSegment).words;
    let start = 0;
    for (let at = 0; at < segment.words.length; at++) {
      const word = segment.words[at] as number;
      const end = segment.ends[at] as number;
      const head = heads[word] as number;
      if (head === 0) {
        different[words++] = word;
        bytes += vocabulary.end(word) - vocabulary.start(word) + wordBytes;
      }
      place += placeNumbers;
      places[place] = head;
      places[place + 1] = index;
      places[place + 2] = start;
      places[place + 3] = end;
      heads[word] = place;
      start = end;
    }
    bytes += segment.bytes.length;
  }
  const segments = taken.map(({ segment }) => segment);
  const run = file.begin(collection, segments, bytes);
  const parts = growingBytes();
  for (const word of byHash(different.subarray(0, words), vocabulary)) {
    for (let at = heads[word] as number; at > 0; at = places[at] as number) {
      const { segment, words: of } = taken[places[at + 1] as number] as TakenSegment;
      writePart(parts, segment, of.bytes, places[at + 2] as number, places[at + 3] as number);
    }
    const block = run.blockFor(vocabulary.hash(word));
    writeWord(block, vocabulary.bytes(), vocabulary.start(word), vocabulary.end(word), parts);
  }
  run.end();
}

const bucketBits = 16;
/** More in one bucket than these were chosen to be there, and must not take the square of their time. */
const fewWords = 16;

/** Sorts words: first into many buckets, then those that are in one. */
function byHash(words: Int32Array, { hash: hashOf }: Vocabulary): Int32Array {
  const bucketOf = (word: number): number => hashOf(word) >>> (32 - bucketBits);
  const starts = new Int32Array(2 ** bucketBits + 1);
  for (const word of words) (starts[bucketOf(word) + 1] as number)++;
  for (let bucket = 1; bucket < starts.length; bucket++) {
    starts[bucket] = (starts[bucket] as number) + (starts[bucket - 1] as number);
  }
  const sorted = new Int32Array(words.length);
  for (const word of words) {
    const bucket = bucketOf(word);
    const at = starts[bucket] as number;
    sorted[at] = word;
    starts[bucket] = at + 1;
  }
  for (let start = 0; start < sorted.length; ) {
    const bucket = bucketOf(sorted[start] as number);
    let end = start + 1;
    while (end < sorted.length && bucketOf(sorted[end] as number) === bucket) end++;
    const inBucket = sorted.subarray(start, end);
    if (end - start > fewWords) inBucket.sort((a, b) => hashOf(a) - hashOf(b));
    else if (end - start > 1) sortFew(inBucket, hashOf);
    start = end;
  }
  return sorted;
}

function sortFew(words: Int32Array, hashOf: (word: number) => number): void {
  for (let at = 1; at < words.length; at++) {
    const word = words[at] as number;
    const hash = hashOf(word);
    let to = at;
    for (; to > 0 && hashOf(words[to - 1] as number) > hash; to--) words[to] = words[to - 1] as number;
    words[to] = word;
  }
}
