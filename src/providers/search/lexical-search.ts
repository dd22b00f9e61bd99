import { type CollectionView, type HeldPostings, segmentAt } from './collection-view.ts';
import { addPostings, noPostings, type Postings, postingsBytes } from './postings.ts';
import { byRank, keepBest, type Ranked } from './ranking.ts';
import { blockNumber } from './run-file.ts';
import type { SearchFile } from './search-file.ts';
import { BlockCursor, blockOf, hashedWord } from './word-block.ts';
import { countWords } from './words.ts';

/** How soon more of the same word stops to matter, and how much the length of a chunk does. */
const k1 = 1.2;
const b = 0.75;
const mostQueryLetters = 100_000;
const mostQueryWords = 512;

/**
 * The best chunks by BM25, over all of the collections as if they were one. A score is the share of what a chunk
 * could have that is full of all the words, from 0 to 1; chunks without any of them are left out.
 */
export function createLexicalSearch(db: SearchFile) {
  const read = db.prepare('select data from words where block = ?');
  read.setReturnArrays(true);

  /** Adds those of segments after the one that what is held goes up to. */
  const addNewer = (view: CollectionView, word: string, held: HeldPostings, firsts: Map<number, number>) => {
    const own = new TextEncoder().encode(word);
    const hash = hashedWord(own, 0, own.length);
    for (const { number, newest, blocks } of view.runs) {
      if (newest <= held.through) continue;
      const row = read.get(blockNumber(number, blockOf(hash, blocks))) as unknown as [Uint8Array] | undefined;
      if (row === undefined) continue;
      for (const cursor = new BlockCursor(row[0]); cursor.next(); ) {
        if (!cursor.is(own, 0, own.length)) continue;
        cursor.readParts((segment, _, start, end) => {
          const first = segment > held.through ? firsts.get(segment) : undefined;
          if (first !== undefined) addPostings(held.postings, first, row[0], start, end);
        });
      }
    }
  };

  const postingsOf = (view: CollectionView, word: string, firstOf: () => Map<number, number>): Postings => {
    const held = takePostings(view, word) ?? { postings: noPostings(), through: 0 };
    if (held.through < view.newestSegment) addNewer(view, word, held, firstOf());
    view.postings.set(word, { ...held, through: view.newestSegment });
    view.postingsHeld += postingsBytes(held.postings);
    return held.postings;
  };

  return (views: readonly CollectionView[], text: string, depth: number): Ranked[] => {
    const words = [...countWords(text.slice(0, mostQueryLetters)).counts].slice(0, mostQueryWords);
    const chunks = views.reduce((sum, { live }) => sum + live, 0);
    const average = views.reduce((sum, { liveWords }) => sum + liveWords, 0) / chunks || 1;
    const scores = views.map(({ size }) => new Float64Array(size));
    const firsts = views.map(({ segments }) => {
      let known: Map<number, number> | null = null;
      return () => {
        known ??= new Map(segments.filter((one) => !one.removed).map((one) => [one.number, one.first]));
        return known;
      };
    });
    let possible = 0;
    for (const [word, repeated] of words) {
      const found = views.map((view, at) => postingsOf(view, word, firsts[at] ?? noSegments));
      const containing = found.reduce((sum, { size }) => sum + size, 0);
      const weight = repeated * Math.log(1 + (chunks - containing + 0.5) / (containing + 0.5)) * (k1 + 1);
      possible += weight;
      for (const [at, { chunks: numbers, counts, size }] of found.entries()) {
        const lengths = views[at]?.lengths;
        const sums = scores[at];
        if (lengths === undefined || sums === undefined) continue;
        for (let i = 0; i < size; i++) {
          const chunk = numbers[i] as number;
          const count = counts[i] as number;
          const norm = k1 * (1 - b + (b * (lengths[chunk] as number)) / average);
          sums[chunk] = (sums[chunk] as number) + (weight * count) / (count + norm);
        }
      }
    }
    return best(views, scores, possible, depth);
  };
}

const noSegments = () => new Map<number, number>();

/** Out of what is held, where it is put back as the latest that was used, unless it could not be completed. */
export function takePostings(view: CollectionView, word: string): HeldPostings | undefined {
  const held = view.postings.get(word);
  if (held === undefined) return undefined;
  view.postings.delete(word);
  view.postingsHeld -= postingsBytes(held.postings);
  return held;
}

function best(
  views: readonly CollectionView[],
  scores: Float64Array[],
  possible: number,
  depth: number,
): Ranked[] {
  const kept = keepBest<Ranked>(depth, byRank(views));
  for (const [collection, view] of views.entries()) {
    const sums = scores[collection];
    if (sums === undefined) continue;
    let least = kept.last()?.score ?? 0;
    for (let chunk = 0; chunk < view.size; chunk++) {
      const sum = sums[chunk] as number;
      if (sum === 0 || sum / possible < least || !segmentAt(view, chunk).file.passes) continue;
      kept.offer({ collection, chunk, score: sum / possible });
      least = kept.last()?.score ?? 0;
    }
  }
  return kept.sorted();
}
