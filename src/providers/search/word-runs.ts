import { GrowingBytes } from './growing-bytes.ts';
import { mergeRuns } from './merge-runs.ts';
import { createRunFile, type Run } from './run-file.ts';
import type { SearchFile } from './search-file.ts';
import type { SegmentWords } from './segment-words.ts';
import type { Vocabulary } from './vocabulary.ts';
import { BlockCursor, writeWord } from './word-block.ts';
import { type TakenSegment, writeRun } from './write-run.ts';

/** The words of collections' segments. */
export interface WordRuns {
  /** Keeps the words of a segment until they are written. */
  take(collection: number, segment: number, words: SegmentWords): void;
  /** Bytes that were taken and not written. */
  taken(): number;
  /** Writes all that was taken. */
  write(): void;
  /** Forgets what was taken. */
  clear(): void;
  /** Takes segments out of the runs that they are in. */
  remove(collection: number, segments: ReadonlySet<number>): void;
  removeAll(collection: number): void;
}

/**
 * Eight runs of a collection that are about as large are made one, so that there are few to look a word up in; not so
 * when they are large, as a file that is removed changes all of its run.
 */
const runsToMerge = 8;
const sizes = [32_768, 262_144, 2_097_152];
const mostMergedBytes = 4_194_304;
/** At a time, as others wait for it. */
const mostMerges = 4;

export function createWordRuns(db: SearchFile, vocabulary: Vocabulary): WordRuns {
  const file = createRunFile(db);
  const taken = new Map<number, TakenSegment[]>();
  let takenBytes = 0;

  const mergeFull = (collection: number): void => {
    let runs = file.ofCollection(collection, 0, sizes.at(-1));
    let merges = 0;
    for (const [at, size] of sizes.entries()) {
      const least = sizes[at - 1] ?? 0;
      while (merges < mostMerges) {
        const alike = runs.filter(({ bytes }) => bytes >= least && bytes < size);
        if (alike.length < runsToMerge) break;
        mergeRuns(file, collection, togetherOf(alike));
        merges++;
        runs = file.ofCollection(collection, 0, sizes.at(-1));
      }
    }
  };

  const clear = (): void => {
    taken.clear();
    takenBytes = 0;
  };

  const removeFrom = (run: Run, segments: ReadonlySet<number>): void => {
    const left = run.segments.filter((segment) => !segments.has(segment));
    if (left.length === run.segments.length) return;
    if (left.length === 0) {
      file.remove(run);
      return;
    }
    let bytes = run.bytes;
    for (const { block, data } of file.blocks(run)) {
      const kept = blockWithout(data, segments);
      if (kept === null) continue;
      bytes -= data.length - kept.length;
      file.setBlock(block, kept);
    }
    file.setSegments({ ...run, bytes: Math.max(0, bytes) }, left);
  };

  return {
    take(collection, segment, words) {
      const segments = taken.get(collection) ?? [];
      segments.push({ segment, words });
      taken.set(collection, segments);
      takenBytes += words.words.byteLength;
    },
    taken: () => takenBytes,
    write() {
      for (const [collection, segments] of taken) {
        writeRun(file, collection, segments, vocabulary);
        mergeFull(collection);
      }
      clear();
    },
    clear,
    remove(collection, segments) {
      let oldest = Number.POSITIVE_INFINITY;
      for (const segment of segments) oldest = Math.min(oldest, segment);
      for (const run of file.ofCollection(collection, oldest)) removeFrom(run, segments);
    },
    removeAll(collection) {
      for (const run of file.ofCollection(collection)) file.remove(run);
    },
  };
}

/** The oldest ones, as many as may be one: two at least. */
function togetherOf(runs: readonly Run[]): Run[] {
  const together: Run[] = [];
  let bytes = 0;
  for (const run of runs.slice(0, runsToMerge)) {
    bytes += run.bytes;
    if (together.length >= 2 && bytes > mostMergedBytes) break;
    together.push(run);
  }
  return together;
}

/** Null where none of the segments is in it. */
function blockWithout(block: Uint8Array, segments: ReadonlySet<number>): Uint8Array | null {
  const kept = new GrowingBytes();
  const parts = new GrowingBytes();
  let found = false;
  for (const cursor = new BlockCursor(block); cursor.next(); ) {
    cursor.readParts((segment, start, _, end) => {
      if (segments.has(segment)) found = true;
      else parts.copy(block, start, end);
    });
    if (parts.size > 0) writeWord(kept, block, cursor.wordStart, cursor.wordEnd, parts);
  }
  return found ? kept.taken() : null;
}
