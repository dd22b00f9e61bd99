import { GrowingBytes } from './growing-bytes.ts';
import type { Run, RunFile } from './run-file.ts';
import { BlockCursor, hashedWord, writeWord } from './word-block.ts';

/** Goes through the words of a run. */
interface RunCursor {
  word: BlockCursor;
  hash: number;
  next(): boolean;
}

/** Makes one run of several. */
export function mergeRuns(file: RunFile, collection: number, runs: readonly Run[]): void {
  const cursors = runs.map((run) => runCursor(file.blocks(run).map(({ data }) => data)));
  // Before it is written, so that its pages are used again.
  for (const run of runs) file.remove(run);
  const merged = file.begin(
    collection,
    runs.flatMap(({ segments }) => segments).sort((a, b) => a - b),
    runs.reduce((sum, { bytes }) => sum + bytes, 0),
  );
  const parts = new GrowingBytes();
  let left = cursors.filter((cursor) => cursor.next());
  while (left.length > 0) {
    let first = left[0] as RunCursor;
    for (const cursor of left) if (cursor.hash < first.hash) first = cursor;
    const { hash } = first;
    const { bytes, wordStart, wordEnd } = first.word;
    let ended = false;
    for (const cursor of left) {
      if (cursor.hash !== hash || !cursor.word.is(bytes, wordStart, wordEnd)) continue;
      parts.copy(cursor.word.bytes, cursor.word.partsStart, cursor.word.end);
      if (!cursor.next()) ended = true;
    }
    // Two words of one hash may come in another order in another run: a word may come twice in a block.
    writeWord(merged.blockFor(hash), bytes, wordStart, wordEnd, parts);
    if (ended) left = left.filter(({ hash: its }) => its >= 0);
  }
  merged.end();
}

function runCursor(blocks: readonly Uint8Array[]): RunCursor {
  let at = 0;
  const cursor: RunCursor = {
    word: new BlockCursor(new Uint8Array()),
    hash: -1,
    next() {
      while (!cursor.word.next()) {
        const block = blocks[at++];
        if (block === undefined) {
          cursor.hash = -1;
          return false;
        }
        cursor.word = new BlockCursor(block);
      }
      const { bytes, wordStart, wordEnd } = cursor.word;
      cursor.hash = hashedWord(bytes, wordStart, wordEnd);
      return true;
    },
  };
  return cursor;
}
