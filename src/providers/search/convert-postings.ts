import { GrowingBytes } from './growing-bytes.ts';
import { createRunFile } from './run-file.ts';
import type { SearchFile } from './search-file.ts';
import { hashedWord, writePart, writeWord } from './word-block.ts';

/** Words that are made a run, in bytes: what is held while an old file is converted. */
const mostHeld = 2_097_152;

interface Word {
  bytes: Uint8Array;
  hash: number;
  parts: Uint8Array;
}

/** Makes runs of the rows of version 1 of the file: one for each word of a segment. */
export function convertPostings(db: SearchFile): void {
  const file = createRunFile(db);
  const rows = db.prepare(
    'select collection, batch, word, segment, data from postings order by collection, batch, word, segment',
  );
  const parts = new GrowingBytes();
  let words: Word[] = [];
  let segments = new Set<number>();
  let held = 0;

  const takeWord = (word: string): void => {
    if (parts.size === 0) return;
    const bytes = new TextEncoder().encode(word);
    held += bytes.length + parts.size + 4;
    words.push({ bytes, hash: hashedWord(bytes, 0, bytes.length), parts: parts.taken() });
  };
  const writeRun = (collection: number): void => {
    if (words.length === 0) return;
    const run = file.begin(collection, [...segments], held);
    for (const { hash, bytes, parts: its } of words.sort((a, b) => a.hash - b.hash)) {
      parts.copy(its, 0, its.length);
      writeWord(run.blockFor(hash), bytes, 0, bytes.length, parts);
    }
    run.end();
    words = [];
    segments = new Set();
    held = 0;
  };

  let before = { collection: 0, batch: 0, word: '' };
  for (const row of rows.iterate()) {
    const now = { collection: Number(row.collection), batch: Number(row.batch), word: String(row.word) };
    const isOther = now.collection !== before.collection || now.batch !== before.batch;
    if (isOther || now.word !== before.word) takeWord(before.word);
    if (isOther || held > mostHeld) writeRun(before.collection);
    const data = row.data as Uint8Array;
    const segment = Number(row.segment);
    writePart(parts, segment, data, 0, data.length);
    segments.add(segment);
    before = now;
  }
  takeWord(before.word);
  writeRun(before.collection);
}
