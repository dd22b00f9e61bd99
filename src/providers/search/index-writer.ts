import { conflict } from '../../errors.ts';
import { type PackedTexts, textParts } from '../texts/packed-texts.ts';
import { type Fault, faultOf } from '../workers/worker-calls.ts';
import { copyCollection } from './copy-collection.ts';
import { quantise, strideOf, unitOf } from './quantise.ts';
import { bytesOf, chunkNumber, type SearchFile, segmentChunks, transaction } from './search-file.ts';
import type { Attributes, Collection, IndexedFile } from './search-index.ts';
import { createWordCounter, type SegmentWords } from './segment-words.ts';
import { createWordRuns } from './word-runs.ts';

/** A file with its chunks, packed for the way between threads. */
export interface PackedFile {
  collection: Collection;
  file: IndexedFile;
  texts: PackedTexts;
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
/** What is held of words before they are written, in bytes, and words that are known. */
const mostTaken = 16_777_216;
const mostWords = 200_000;

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
    'insert into segments (collection, file, place, chunks, words, lengths, overlaps, scales, errors) values (?, ?, ?, ?, ?, ?, ?, ?, ?)',
  );
  const addCodes = db.prepare('insert into codes (segment, data) values (?, ?)');
  const addText = db.prepare('insert into texts (chunk, text) values (?, ?)');
  const addVector = db.prepare('insert into vectors (chunk, vector) values (?, ?)');
  const segmentsOfFile = db.prepare('select number from segments where file = ?');
  const removeTexts = db.prepare('delete from texts where chunk between ? and ?');
  const removeVectors = db.prepare('delete from vectors where chunk between ? and ?');
  const removeCodes = db.prepare('delete from codes where segment = ?');
  const removeSegments = db.prepare('delete from segments where file = ?');
  const removeFileRow = db.prepare('delete from files where number = ?');

  const counter = createWordCounter();
  const runs = createWordRuns(db, counter.vocabulary);

  let isToSweep = false;

  const collectionOf = ({ project, id }: Collection) => {
    const row = findCollection.get(project, id);
    return row === undefined
      ? undefined
      : { number: Number(row.number), dimensions: row.dimensions === null ? null : Number(row.dimensions) };
  };

  const removeChunks = (segment: number): void => {
    const range = [chunkNumber(segment, 0), chunkNumber(segment, segmentChunks - 1)] as const;
    removeTexts.run(...range);
    removeVectors.run(...range);
    removeCodes.run(segment);
  };

  /** All of it or nothing; nor is anything left in memory of what failed. */
  const change = <T>(work: () => T): T => {
    try {
      return transaction(db, work);
    } finally {
      runs.clear();
    }
  };

  const remove = (collection: number, fileId: string): boolean => {
    const file = findFile.get(collection, fileId);
    if (file === undefined) return false;
    const number = Number(file.number);
    const segments = segmentsOfFile.all(number).map((row) => Number(row.number));
    // Words that were put a moment ago are in the runs then, too.
    runs.write();
    runs.remove(collection, new Set(segments));
    for (const segment of segments) removeChunks(segment);
    removeSegments.run(number);
    removeFileRow.run(number);
    noteRemoval.run(collection);
    forgetDimensions.run(collection);
    return true;
  };

  const addChunks = (
    collection: number,
    file: number,
    { texts: packed, present, vectors, dimensions }: PackedFile,
  ) => {
    const texts = textParts(packed);
    let nextVector = 0;
    for (let place = 0; place < texts.starts.length; place += segmentChunks) {
      const overlaps = packed.overlaps.slice(place, place + segmentChunks);
      overlaps[0] = 0;
      const counted = counter.count(texts, place, place + overlaps.length);
      const quantised = Array.from(overlaps, (_, at) => {
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
      // `words` was once how many different ones there are; nobody reads it.
      const row = addSegment.run(
        ...[collection, file, place, overlaps.length, counted.words.length, bytesOf(lengthsOf(counted))],
        overlaps.some((overlap) => overlap > 0) ? bytesOf(overlaps) : null,
        scales === null ? null : bytesOf(scales),
        errors === null ? null : bytesOf(errors),
      );
      const segment = Number(row.lastInsertRowid);
      for (const [at, overlap] of overlaps.entries()) {
        const own = (texts.starts[place + at] as number) + overlap;
        addText.run(chunkNumber(segment, at), texts.slice(own, texts.ends[place + at] as number));
      }
      if (dimensions !== null && has) {
        const stride = strideOf(dimensions);
        const codes = new Int8Array(stride * overlaps.length);
        for (const [at, one] of quantised.entries()) {
          if (one === null) continue;
          codes.set(one.codes, at * stride);
          addVector.run(chunkNumber(segment, at), bytesOf(one.unit));
        }
        addCodes.run(segment, bytesOf(codes));
      }
      runs.take(collection, segment, counted);
      if (runs.taken() < mostTaken && counter.vocabulary.size() < mostWords) continue;
      runs.write();
      counter.reset();
    }
  };

  /** Whether it takes the place of one that was there. */
  const putFile = (packed: PackedFile): boolean => {
    const { collection, file, texts, vectors, dimensions } = packed;
    const existing = collectionOf(collection)?.number;
    const number = existing ?? Number(addCollection.run(collection.project, collection.id).lastInsertRowid);
    const removed = remove(number, file.id);
    const known = collectionOf(collection)?.dimensions ?? null;
    if (dimensions !== null && known !== null && known !== dimensions) {
      throw conflict(
        `The file's vectors have ${dimensions} dimensions, but those of '${collection.id}' have ${known}. Use the embedding model that the others were made with.`,
      );
    }
    if (dimensions !== null && known === null) setDimensions.run(dimensions, number);
    const bytes = texts.bytes.byteLength + vectors.byteLength;
    const attributes = JSON.stringify(file.attributes);
    const { lastInsertRowid } = addFile.run(number, file.id, file.filename, attributes, bytes);
    addChunks(number, Number(lastInsertRowid), packed);
    return removed;
  };

  /** All of them or none. */
  const putTogether = (files: readonly PackedFile[]): (Fault | null)[] => {
    try {
      const replaced = change(() => {
        const removed = files.map(putFile);
        runs.write();
        return removed.includes(true);
      });
      isToSweep ||= replaced;
      return files.map(() => null);
    } catch (error) {
      return files.map(() => faultOf(error));
    }
  };

  /** What was deleted is in no page of the file any more, but still in the log until that is emptied. */
  const sweep = (): void => {
    db.exec(`pragma incremental_vacuum(${pagesGivenBack})`);
    db.exec('pragma wal_checkpoint(truncate)');
  };

  return {
    /** Together, or each by itself where that fails; of each what is wrong with it. */
    put(files: readonly PackedFile[]): (Fault | null)[] {
      const faults = putTogether(files);
      const alone = files.length > 1 && faults.some((fault) => fault !== null);
      const outcome = alone ? files.flatMap((file) => putTogether([file])) : faults;
      if (isToSweep) sweep();
      isToSweep = false;
      return outcome;
    },

    setAttributes({ collection, fileId, attributes }: FileName & { attributes: Attributes }): void {
      change(() => {
        const number = collectionOf(collection)?.number;
        if (number === undefined) return;
        setFileAttributes.run(JSON.stringify(attributes), number, fileId);
        noteEdit.run(number);
      });
    },

    removeFile({ collection, fileId }: FileName): void {
      const number = collectionOf(collection)?.number;
      if (number !== undefined && change(() => remove(number, fileId))) sweep();
    },

    copy({ from, to }: { from: Collection; to: Collection }): void {
      this.removeCollection(to);
      change(() => {
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
      change(() => {
        const segments = 'select number from segments where collection = ?';
        runs.removeAll(number);
        for (const row of db.prepare(segments).all(number)) removeChunks(Number(row.number));
        db.prepare('delete from segments where collection = ?').run(number);
        db.prepare('delete from files where collection = ?').run(number);
        db.prepare('delete from collections where number = ?').run(number);
      });
      sweep();
    },
  };
}

/** Of each chunk how many words it has. */
const lengthsOf = ({ starts, ends }: SegmentWords): Uint32Array =>
  ends.map((end, at) => end - (starts[at] as number));
