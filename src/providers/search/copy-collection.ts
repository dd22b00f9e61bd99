import { batchOf, batchSegments, chunkNumber, type SearchFile } from './search-file.ts';

/**
 * Copies what a collection holds into one that is empty. Its batches follow each other behind all others, and segments
 * stay in their places within them, so that whatever hangs on their order is the same in both. To be called in a
 * transaction.
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
    'insert into segments (number, collection, file, place, chunks, words, lengths, scales, errors) select s.number + ?, ?, copy.number, s.place, s.chunks, s.words, s.lengths, s.scales, s.errors from segments s join files f on f.number = s.file join files copy on copy.collection = ? and copy.id = f.id where s.collection = ? and s.number between ? and ? order by s.number',
  );
  const copyPostings = db.prepare(
    'insert into postings (collection, batch, word, segment, data) select ?, ?, word, segment + ?, data from postings where collection = ? and batch = ? order by word, segment',
  );
  const copyCodes = db.prepare(
    'insert into codes (segment, data) select c.segment + ?, c.data from segments s join codes c on c.segment = s.number where s.collection = ? and s.number between ? and ? order by c.segment',
  );
  const ofChunks = (table: string, column: string) =>
    db.prepare(
      `insert into ${table} (chunk, ${column}) select c.chunk + ?, c.${column} from segments s join ${table} c on c.chunk between s.number * ? and s.number * ? + ? where s.collection = ? and s.number between ? and ? order by c.chunk`,
    );
  const copyTexts = ofChunks('texts', 'text');
  const copyVectors = ofChunks('vectors', 'vector');
  const perSegment = chunkNumber(1, 0);

  const batches = db
    .prepare(
      `select distinct number / ${batchSegments} as batch from segments where collection = ? order by batch`,
    )
    .all(from);
  let next = batchOf(newest('segments')) + 1;
  for (const row of batches) {
    const batch = Number(row.batch);
    const copy = next++;
    const step = (copy - batch) * batchSegments;
    const segments = [batch * batchSegments, (batch + 1) * batchSegments - 1] as const;
    copySegments.run(step, to, to, from, ...segments);
    copyPostings.run(to, copy, step, from, batch);
    copyCodes.run(step, from, ...segments);
    for (const chunks of [copyTexts, copyVectors]) {
      chunks.run(chunkNumber(step, 0), perSegment, perSegment, perSegment - 1, from, ...segments);
    }
  }
}
