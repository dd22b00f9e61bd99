import { conflict } from '../../errors.ts';
import { copyCollection } from './copy-collection.ts';
import { encodePostings } from './postings.ts';
import { quantise, strideOf, unitOf } from './quantise.ts';
import { batchOf, bytesOf, chunkNumber, type SearchFile, segmentChunks, transaction } from './search-file.ts';
import type { Attributes, Collection, IndexedFile } from './search-index.ts';
import { countWords } from './words.ts';

/** A file with its chunks, packed for the way between threads. */
export interface PackedFile {
  collection: Collection;
  file: IndexedFile;
  texts: readonly string[];
  /** Whether a chunk has a vector; those that are there follow each other in `vectors`. */
  present: Uint8Array;
  vectors: Float32Array;
  /** Of each vector; null where there is none. */
  dimensions: number | null;
}

export interface FileName {
  collection: Collection;
  fileId: string;
}

export type IndexWriter = ReturnType<typeof createIndexWriter>;

/** What is given back to the file system after a removal, at most, in pages of 4 kB. */
const pagesGivenBack = 16_384;

export function createIndexWriter(db: SearchFile) {
  const findCollection = db.prepare(
    'select number, dimensions from collections where project = ? and id = ?',
  );
  const addCollection = db.prepare('insert into collections (project, id) values (?, ?)');
  const setDimensions = db.prepare('update collections set dimensions = ? where number = ?');
  const forgetDimensions = db.prepare(
    'update collections set dimensions = null where number = ?1 and not exists (select 1 from segments where collection = ?1 and scales is not null)',
  );
  const noteRemoval = db.prepare('update collections set removals = removals + 1 where number = ?');
  const noteEdit = db.prepare('update collections set edits = edits + 1 where number = ?');
  const findFile = db.prepare('select number from files where collection = ? and id = ?');
  const addFile = db.prepare(
    'insert into files (collection, id, filename, attributes, bytes) values (?, ?, ?, ?, ?)',
  );
  const setFileAttributes = db.prepare('update files set attributes = ? where collection = ? and id = ?');
  const addSegment = db.prepare(
    'insert into segments (collection, file, place, chunks, words, lengths, scales, errors) values (?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const addCodes = db.prepare('insert into codes (segment, data) values (?, ?)');
  const addText = db.prepare('insert into texts (chunk, text) values (?, ?)');
  const addVector = db.prepare('insert into vectors (chunk, vector) values (?, ?)');
  const addWord = db.prepare(
    'insert into postings (collection, batch, word, segment, data) values (?, ?, ?, ?, ?)',
  );
  const segmentsOfFile = db.prepare('select number, words from segments where file = ?');
  const textsBetween = db.prepare('select text from texts where chunk between ? and ?');
  const removeWord = db.prepare(
    'delete from postings where collection = ? and batch = ? and word = ? and segment = ?',
  );
  const removeWords = db.prepare('delete from postings where collection = ? and batch = ? and segment = ?');
  const removeTexts = db.prepare('delete from texts where chunk between ? and ?');
  const removeVectors = db.prepare('delete from vectors where chunk between ? and ?');
  const removeCodes = db.prepare('delete from codes where segment = ?');
  const removeSegments = db.prepare('delete from segments where file = ?');
  const removeFileRow = db.prepare('delete from files where number = ?');

  const collectionOf = ({ project, id }: Collection) => {
    const row = findCollection.get(project, id);
    return row === undefined
      ? undefined
      : { number: Number(row.number), dimensions: row.dimensions === null ? null : Number(row.dimensions) };
  };

  const remove = (collection: number, fileId: string): boolean => {
    const file = findFile.get(collection, fileId);
    if (file === undefined) return false;
    const number = Number(file.number);
    for (const row of segmentsOfFile.all(number)) {
      const segment = Number(row.number);
      const range = [chunkNumber(segment, 0), chunkNumber(segment, segmentChunks - 1)] as const;
      const words = new Set(
        textsBetween.all(...range).flatMap(({ text }) => [...countWords(String(text)).counts.keys()]),
      );
      let removed = 0;
      for (const word of words)
        removed += Number(removeWord.run(collection, batchOf(segment), word, segment).changes);
      // What was cut into words differently in its day is looked for in all of the batch.
      if (removed !== Number(row.words)) removeWords.run(collection, batchOf(segment), segment);
      removeTexts.run(...range);
      removeVectors.run(...range);
      removeCodes.run(segment);
    }
    removeSegments.run(number);
    removeFileRow.run(number);
    noteRemoval.run(collection);
    forgetDimensions.run(collection);
    return true;
  };

  const addChunks = (
    collection: number,
    file: number,
    { texts, present, vectors, dimensions }: PackedFile,
  ) => {
    let nextVector = 0;
    for (let place = 0; place < texts.length; place += segmentChunks) {
      const part = texts.slice(place, place + segmentChunks);
      const postings = new Map<string, { places: number[]; counts: number[] }>();
      const lengths = Uint32Array.from(part, (text, at) => {
        const { counts, total } = countWords(text);
        for (const [word, count] of counts) {
          const entry = postings.get(word) ?? { places: [], counts: [] };
          entry.places.push(at);
          entry.counts.push(count);
          postings.set(word, entry);
        }
        return total;
      });
      const quantised = part.map((_, at) => {
        if (dimensions === null || present[place + at] !== 1) return null;
        const from = nextVector++ * dimensions;
        const unit = unitOf(vectors.subarray(from, from + dimensions));
        return { unit, ...quantise(unit) };
      });
      const has = quantised.some((one) => one !== null);
      const scales = has ? Float32Array.from(quantised, (one) => one?.scale ?? 0) : null;
      // Rounded up, as it is a bound.
      const errors = has
        ? Float32Array.from(quantised, (one) => (one === null ? -1 : one.error * 1.000001))
        : null;
      const row = addSegment.run(
        ...[collection, file, place, part.length, postings.size, bytesOf(lengths)],
        scales === null ? null : bytesOf(scales),
        errors === null ? null : bytesOf(errors),
      );
      const segment = Number(row.lastInsertRowid);
      for (const [at, text] of part.entries()) addText.run(chunkNumber(segment, at), text);
      if (dimensions !== null && has) {
        const stride = strideOf(dimensions);
        const codes = new Int8Array(stride * part.length);
        for (const [at, one] of quantised.entries()) {
          if (one === null) continue;
          codes.set(one.codes, at * stride);
          addVector.run(chunkNumber(segment, at), bytesOf(one.unit));
        }
        addCodes.run(segment, bytesOf(codes));
      }
      // In the order of their pages, which then are written once.
      for (const [word, { places, counts }] of [...postings].sort(([a], [b]) => (a < b ? -1 : 1))) {
        addWord.run(collection, batchOf(segment), word, segment, encodePostings(places, counts));
      }
    }
  };

  /** What was deleted is in no page of the file any more, but still in the log until that is emptied. */
  const sweep = (): void => {
    db.exec(`pragma incremental_vacuum(${pagesGivenBack})`);
    db.exec('pragma wal_checkpoint(truncate)');
  };

  return {
    put(packed: PackedFile): void {
      const replaced = transaction(db, () => {
        const { collection, file, texts, vectors, dimensions } = packed;
        const existing = collectionOf(collection)?.number;
        const number =
          existing ?? Number(addCollection.run(collection.project, collection.id).lastInsertRowid);
        const removed = remove(number, file.id);
        const known = collectionOf(collection)?.dimensions ?? null;
        if (dimensions !== null && known !== null && known !== dimensions) {
          throw conflict(
            `The file's vectors have ${dimensions} dimensions, but those of '${collection.id}' have ${known}. Use the embedding model that the others were made with.`,
          );
        }
        if (dimensions !== null && known === null) setDimensions.run(dimensions, number);
        const bytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), vectors.byteLength);
        const attributes = JSON.stringify(file.attributes);
        const { lastInsertRowid } = addFile.run(number, file.id, file.filename, attributes, bytes);
        addChunks(number, Number(lastInsertRowid), packed);
        return removed;
      });
      if (replaced) sweep();
    },

    setAttributes({ collection, fileId, attributes }: FileName & { attributes: Attributes }): void {
      transaction(db, () => {
        const number = collectionOf(collection)?.number;
        if (number === undefined) return;
        setFileAttributes.run(JSON.stringify(attributes), number, fileId);
        noteEdit.run(number);
      });
    },

    removeFile({ collection, fileId }: FileName): void {
      const number = collectionOf(collection)?.number;
      if (number !== undefined && transaction(db, () => remove(number, fileId))) sweep();
    },

    copy({ from, to }: { from: Collection; to: Collection }): void {
      this.removeCollection(to);
      transaction(db, () => {
        const source = collectionOf(from);
        if (source === undefined) return;
        const number = Number(addCollection.run(to.project, to.id).lastInsertRowid);
        setDimensions.run(source.dimensions, number);
        copyCollection(db, source.number, number);
      });
    },

    removeCollection(collection: Collection): void {
      const number = collectionOf(collection)?.number;
      if (number === undefined) return;
      transaction(db, () => {
        const segments = 'select number from segments where collection = ?';
        db.prepare('delete from postings where collection = ?').run(number);
        for (const row of db.prepare(segments).all(number)) {
          const segment = Number(row.number);
          const range = [chunkNumber(segment, 0), chunkNumber(segment, segmentChunks - 1)] as const;
          removeTexts.run(...range);
          removeVectors.run(...range);
          removeCodes.run(segment);
        }
        db.prepare('delete from segments where collection = ?').run(number);
        db.prepare('delete from files where collection = ?').run(number);
        db.prepare('delete from collections where number = ?').run(number);
      });
      sweep();
    },
  };
}
