import { batchOf, batchSegments, chunkNumber, type SearchFile } from './search-file.ts';

/**
 * Copies what a collection holds into one that is empty. All numbers move by the same steps, so that whatever hangs on
 * their order is the same in both. To be called in a transaction.
 */
export function copyCollection(db: SearchFile, from: number, to: number): void {
  const numberOf = (sql: string, ...values: number[]): number => Number(db.prepare(sql).get(...values)?.n);
  const segments = numberOf('select count(*) as n from segments where collection = ?', from);
  const newest = (table: string): number =>
    numberOf(`select coalesce(max(seq), 0) as n from sqlite_sequence where name = '${table}'`);
  const oldest = (table: string): number =>
    numberOf(`select coalesce(min(number), 0) as n from ${table} where collection = ?`, from);

  const files = newest('files') + 1 - oldest('files');
  db.prepare(
    'insert into files (number, collection, id, filename, attributes, bytes) select number + ?, ?, id, filename, attributes, bytes from files where collection = ? order by number',
  ).run(files, to, from);
  if (segments === 0) return;

  // By whole batches, so that words stay in theirs.
  const behind = newest('segments') + 1 - oldest('segments');
  const step = Math.ceil(behind / batchSegments) * batchSegments;
  db.prepare(
    'insert into segments (number, collection, file, place, chunks, words, lengths, scales, errors) select number + ?, ?, file + ?, place, chunks, words, lengths, scales, errors from segments where collection = ? order by number',
  ).run(step, to, files, from);
  db.prepare(
    'insert into postings (collection, batch, word, segment, data) select ?, batch + ?, word, segment + ?, data from postings where collection = ? order by batch, word, segment',
  ).run(to, batchOf(step), step, from);
  db.prepare(
    'insert into codes (segment, data) select segment + ?, data from codes where segment in (select number from segments where collection = ?) order by segment',
  ).run(step, from);
  const ofChunks = (table: string, column: string): void => {
    db.prepare(
      `insert into ${table} (chunk, ${column}) select c.chunk + ?, c.${column} from segments s join ${table} c on c.chunk between s.number * ? and s.number * ? + ? where s.collection = ? order by c.chunk`,
    ).run(chunkNumber(step, 0), chunkNumber(1, 0), chunkNumber(1, 0), chunkNumber(1, 0) - 1, from);
  };
  ofChunks('texts', 'text');
  ofChunks('vectors', 'vector');
}
