import { GrowingBytes } from './growing-bytes.ts';
import { createRunFile } from './run-file.ts';
import { chunkNumber, type SearchFile } from './search-file.ts';
import { BlockCursor, writePart, writeWord } from './word-block.ts';

/** Segments whose numbers follow each other without a gap, and how far their copies' numbers are from theirs. */
interface Stretch {
  first: number;
  last: number;
  step: number;
}

/** Segments that are copied by one statement at most. */
const mostTogether = 64;

/**
 * Copies what a collection holds into one that is empty. Segments get numbers behind all others, in the same order, so
 * that whatever hangs on their order is the same in both. To be called in a transaction.
 */
export function copyCollection(db: SearchFile, from: number, to: number): void {
  const newest = (table: string): number =>
    Number(
      db.prepare('select coalesce(max(seq), 0) as n from sqlite_sequence where name = ?').get(table)?.n ?? 0,
    );

  db.prepare(
    'insert into files (number, collection, id, filename, attributes, bytes) select ? + row_number() over (order by number), ?, id, filename, attributes, bytes from files where collection = ? order by number',
  ).run(newest('files'), to, from);

  const copySegments = db.prepare(
    'insert into segments (number, collection, file, place, chunks, words, lengths, overlaps, scales, errors) select s.number + ?, ?, copy.number, s.place, s.chunks, s.words, s.lengths, s.overlaps, s.scales, s.errors from segments s join files f on f.number = s.file join files copy on copy.collection = ? and copy.id = f.id where s.collection = ? and s.number between ? and ? order by s.number',
  );
  const ofStretch = (table: string, key: string, column: string) =>
    db.prepare(
      `insert into ${table} (${key}, ${column}) select ${key} + ?, ${column} from ${table} where ${key} between ? and ? order by ${key}`,
    );
  const copyCodes = ofStretch('codes', 'segment', 'data');
  const copyTexts = ofStretch('texts', 'chunk', 'text');
  const copyVectors = ofStretch('vectors', 'chunk', 'vector');

  const numbers = db
    .prepare('select number from segments where collection = ? order by number')
    .all(from)
    .map((row) => Number(row.number));
  const copies = new Map<number, number>();
  for (const { first, last, step } of stretches(numbers, newest('segments') + 1)) {
    copySegments.run(step, to, to, from, first, last);
    copyCodes.run(step, first, last);
    for (const chunks of [copyTexts, copyVectors]) {
      chunks.run(chunkNumber(step, 0), chunkNumber(first, 0), chunkNumber(last + 1, 0) - 1);
    }
    for (let segment = first; segment <= last; segment++) copies.set(segment, segment + step);
  }

  const runs = createRunFile(db);
  for (const run of runs.ofCollection(from)) {
    // A damaged file may have words of segments that are gone; the copy has none of them.
    const segments = run.segments.flatMap((segment) => copies.get(segment) ?? []);
    if (segments.length > 0) runs.copy(run, to, segments, (block) => renumbered(block, copies));
  }
}

function* stretches(numbers: readonly number[], firstCopy: number): Generator<Stretch> {
  for (let at = 0; at < numbers.length; ) {
    const first = numbers[at] as number;
    let size = 1;
    while (size < mostTogether && numbers[at + size] === first + size) size++;
    yield { first, last: first + size - 1, step: firstCopy + at - first };
    at += size;
  }
}

/** A block with other numbers for the segments. */
function renumbered(block: Uint8Array, copies: ReadonlyMap<number, number>): Uint8Array {
  const copy = new GrowingBytes();
  const parts = new GrowingBytes();
  for (const cursor = new BlockCursor(block); cursor.next(); ) {
    cursor.readParts((segment, _, postings, end) => {
      const number = copies.get(segment);
      if (number !== undefined) writePart(parts, number, block, postings, end);
    });
    if (parts.size > 0) writeWord(copy, block, cursor.wordStart, cursor.wordEnd, parts);
  }
  return copy.taken();
}
