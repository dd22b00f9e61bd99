import { GrowingBytes } from './growing-bytes.ts';
import { writePosting } from './postings.ts';
import type { RunFile } from './run-file.ts';
import { segmentChunks } from './search-file.ts';
import type { SegmentWords } from './segment-words.ts';
import type { Vocabulary } from './vocabulary.ts';
import { movePart, writeWord } from './word-block.ts';

export interface TakenSegment {
  segment: number;
  words: SegmentWords;
}

/** Writes the words of several segments as one run. */
export function writeRun(
  file: RunFile,
  collection: number,
  taken: readonly TakenSegment[],
  vocabulary: Vocabulary,
): void {
  const { bytes, starts, hashes } = vocabulary.words();
  const { words, ends, places } = sortedPlaces(taken, vocabulary.size(), hashes);
  const partsUpTo = partsReader(taken, places);
  const written = new GrowingBytes();
  const writtenHashes = new Uint32Array(words.length);
  const writtenEnds = new Uint32Array(words.length);
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    const parts = partsUpTo(ends[word] as number);
    writeWord(written, bytes, starts[word] as number, starts[word + 1] as number, parts);
    writtenHashes[at] = hashes[word] as number;
    writtenEnds[at] = written.size;
  }
  file.write(
    collection,
    taken.map(({ segment }) => segment),
    { bytes: written.taken(), hashes: writtenHashes, ends: writtenEnds },
  );
}

/** Answers, for one word after the other, its parts; its places are those up to `end` that were not read yet. */
function partsReader(taken: readonly TakenSegment[], places: Uint32Array): (end: number) => GrowingBytes {
  const firstChunks = chunksOfWords(taken, places.length);
  /** Of one word and segment: how often it is in each chunk. */
  const counts = new Uint32Array(segmentChunks);
  const postings = new GrowingBytes();
  const parts = new GrowingBytes();
  let place = 0;

  const writeCounted = (first: number, behind: number): void => {
    let before = 0;
    for (let chunk = first; chunk < behind; chunk++) {
      const count = counts[chunk] as number;
      if (count === 0) continue;
      writePosting(postings, chunk - before, count);
      before = chunk;
      counts[chunk] = 0;
    }
  };

  return (end) => {
    let start = 0;
    for (let at = 0; place < end; at++) {
      const { segment, words } = taken[at] as TakenSegment;
      const next = start + words.words.length;
      if ((places[place] as number) < next) {
        const first = firstChunks[places[place] as number] as number;
        let chunk = first;
        for (; place < end && (places[place] as number) < next; place++) {
          const word = places[place] as number;
          chunk = firstChunks[word] as number;
          do (counts[chunk++] as number)++;
          while ((words.starts[chunk] as number) <= word - start);
        }
        writeCounted(first, chunk);
        movePart(parts, segment, postings);
      }
      start = next;
    }
    return parts;
  };
}

/** Where all words are: words in the order of their hashes, their places in the order of the text. */
function sortedPlaces(taken: readonly TakenSegment[], known: number, hashes: Uint32Array) {
  const total = taken.reduce((sum, { words: { words } }) => sum + words.length, 0);
  /** Of each word of the vocabulary first how often it occurs, then where its next place is to be. */
  const ends = new Uint32Array(known);
  const different = new Int32Array(Math.min(total, known));
  let found = 0;
  for (const { words } of taken) {
    for (const word of words.words) if ((ends[word] as number)++ === 0) different[found++] = word;
  }
  const words = byHash(different.subarray(0, found), hashes);
  let start = 0;
  for (const word of words) {
    const count = ends[word] as number;
    ends[word] = start;
    start += count;
  }
  const places = new Uint32Array(total);
  let index = 0;
  for (const { words } of taken) {
    for (const word of words.words) places[(ends[word] as number)++] = index++;
  }
  return { words, ends, places };
}

/** Of each word of all segments the first chunk that it is in. */
function chunksOfWords(taken: readonly TakenSegment[], total: number): Uint16Array {
  const chunks = new Uint16Array(total);
  let start = 0;
  for (const { words } of taken) {
    let begin = start;
    for (const [chunk, end] of words.ends.entries()) {
      if (start + end > begin) chunks.fill(chunk, begin, start + end);
      begin = Math.max(begin, start + end);
    }
    start += words.words.length;
  }
  return chunks;
}

const bucketBits = 16;
/** More in one bucket than these were chosen to be there, and must not take the square of their time. */
const fewWords = 16;

/** Sorts words: first into many buckets, then those that are in one. */
function byHash(words: Int32Array, hashes: Uint32Array): Int32Array {
  const hashOf = (word: number): number => hashes[word] as number;
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
