import { existsSync } from 'node:fs';
import { createIndexWriter } from './index-writer.ts';
import { createRunFile, mostBlocks } from './run-file.ts';
import { indexFile, openToLook, openToWrite, segmentChunks, transaction } from './search-file.ts';
import type { Collection } from './search-index.ts';
import { createVocabulary } from './vocabulary.ts';
import { createWordRuns } from './word-runs.ts';

/** What the index of a stopped server holds, without its threads. */
export interface IndexContents {
  collections(): Collection[];
  /** Ids of the files of a collection. */
  filesOf(collection: Collection): string[];
  /** Texts, vectors, words and what else there is of no file. */
  countOrphans(): number;
  removeFile(collection: Collection, fileId: string): void;
  removeCollection(collection: Collection): void;
  removeOrphans(): void;
  /** Gives all that is free back to the file system, and empties the log. */
  compact(): void;
  close(): void;
}

const ofNoSegment = (segment: string): string =>
  `not exists (select 1 from segments where segments.number = ${segment})`;

/** Each where it may be removed once those before it are. */
const orphans: readonly (readonly [table: string, condition: string])[] = [
  ['files', 'not exists (select 1 from collections where collections.number = files.collection)'],
  ['segments', 'not exists (select 1 from files where files.number = segments.file)'],
  ['codes', ofNoSegment('codes.segment')],
  ['texts', ofNoSegment(`texts.chunk / ${segmentChunks}`)],
  ['vectors', ofNoSegment(`vectors.chunk / ${segmentChunks}`)],
  ['runs', 'not exists (select 1 from collections where collections.number = runs.collection)'],
  ['words', `not exists (select 1 from runs where runs.number = words.block / ${mostBlocks})`],
];

/** Null where there is no index yet. */
export function openIndexContents(directory: string, use: 'look' | 'change'): IndexContents | null {
  const path = indexFile(directory);
  if (!existsSync(path)) return null;
  const db = use === 'look' ? openToLook(path) : openToWrite(path);
  const writer = createIndexWriter(db);
  const filesOf = db.prepare(
    'select files.id from files join collections on collections.number = files.collection where project = ? and collections.id = ?',
  );
  /** Segments that are gone and whose words are there, by their collections. */
  const segmentsWithoutRow = (): Map<number, number[]> => {
    const runs = createRunFile(db);
    const segmentsOf = db.prepare('select number from segments where collection = ?');
    const gone = new Map<number, number[]>();
    for (const row of db.prepare('select number from collections').all()) {
      const collection = Number(row.number);
      const there = new Set(segmentsOf.all(collection).map((segment) => Number(segment.number)));
      const segments = runs.ofCollection(collection).flatMap((run) => run.segments);
      const missing = segments.filter((segment) => !there.has(segment));
      if (missing.length > 0) gone.set(collection, missing);
    }
    return gone;
  };
  return {
    collections: () =>
      db
        .prepare('select project, id from collections')
        .all()
        .map(({ project, id }) => ({ project: String(project), id: String(id) })),
    filesOf: ({ project, id }) => filesOf.all(project, id).map((row) => String(row.id)),
    countOrphans: () =>
      orphans.reduce(
        (sum, [table, condition]) => {
          const row = db.prepare(`select count(*) as found from ${table} where ${condition}`).get();
          return sum + Number(row?.found);
        },
        [...segmentsWithoutRow().values()].flat().length,
      ),
    removeFile: (collection, fileId) => writer.removeFile({ collection, fileId }),
    removeCollection: (collection) => writer.removeCollection(collection),
    removeOrphans() {
      transaction(db, () => {
        for (const [table, condition] of orphans) db.exec(`delete from ${table} where ${condition}`);
        const runs = createWordRuns(db, createVocabulary());
        for (const [collection, gone] of segmentsWithoutRow()) runs.remove(collection, new Set(gone));
      });
    },
    compact() {
      db.exec('pragma incremental_vacuum');
      db.exec('pragma wal_checkpoint(truncate)');
    },
    close: () => db.close(),
  };
}
