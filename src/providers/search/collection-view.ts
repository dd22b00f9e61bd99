import type { Postings } from './postings.ts';
import { numbersOf, type SearchFile } from './search-file.ts';
import type { Attributes, Collection } from './search-index.ts';

/** What is held in memory of a collection; its chunks have numbers there, from 0, in the order they came in. */
export interface CollectionView {
  number: number;
  id: string;
  dimensions: number | null;
  removals: number;
  edits: number;
  newestFile: number;
  newestSegment: number;
  files: Map<number, FileView>;
  segments: SegmentView[];
  /** See `Run`. */
  runs: RunView[];
  segmentOf: Uint32Array;
  /** In words. */
  lengths: Uint32Array;
  scales: Float32Array;
  /** See `Quantised`; below 0 where there is no vector, or no chunk any more. */
  errors: Float32Array;
  /** Numbers that were given out, those of removed chunks included. */
  size: number;
  live: number;
  liveWords: number;
  vectors: number;
  /** Of words that were looked for, up to a segment. */
  postings: Map<string, HeldPostings>;
  /** Of all of them, in bytes. */
  postingsHeld: number;
  /** Of the codes of the first `coded` segments; empty where there is no room for them. */
  pages: number[];
  coded: number;
}

export interface HeldPostings {
  postings: Postings;
  /** The newest segment that is in them. */
  through: number;
}

export interface RunView {
  number: number;
  /** The newest segment that is in it. */
  newest: number;
  blocks: number;
}

export interface FileView {
  id: string;
  filename: string;
  attributes: Attributes;
  /** Whether it passes the filter of the search that runs. */
  passes: boolean;
}

export interface SegmentView {
  number: number;
  file: FileView;
  fileNumber: number;
  /** Of its first chunk, in the file and in memory. */
  place: number;
  first: number;
  chunks: number;
  removed: boolean;
}

/** Up to this many removed chunks are carried along. */
const fewRemoved = 1024;
/** About what each takes. */
const bytes = { chunk: 16, segment: 160, file: 512, run: 64 };

export const viewBytes = ({ lengths, segments, files, runs }: CollectionView): number =>
  lengths.length * bytes.chunk +
  segments.length * bytes.segment +
  files.size * bytes.file +
  runs.length * bytes.run;

export function createViewReader(db: SearchFile) {
  const find = db.prepare(
    'select number, dimensions, removals, edits from collections where project = ? and id = ?',
  );
  const filesAfter = db.prepare(
    'select number, id, filename, attributes from files where collection = ? and number > ? order by number',
  );
  const numbersOfSegments = db.prepare('select number from segments where collection = ?');
  const segmentsAfter = db.prepare(
    'select number, file, place, chunks, lengths, scales, errors from segments where collection = ? and number > ? order by number',
  );

  const runsOf = db.prepare('select number, newest, blocks from runs where collection = ?');

  const readRuns = (view: CollectionView): void => {
    view.runs = runsOf.all(view.number).map(({ number, newest, blocks }) => ({
      number: Number(number),
      newest: Number(newest),
      blocks: Number(blocks),
    }));
  };

  const readFiles = (view: CollectionView): void => {
    for (const row of filesAfter.iterate(view.number, view.newestFile)) {
      const number = Number(row.number);
      const file = view.files.get(number) ?? { id: '', filename: '', attributes: {}, passes: true };
      file.id = String(row.id);
      file.filename = String(row.filename);
      file.attributes = JSON.parse(String(row.attributes));
      view.files.set(number, file);
      view.newestFile = number;
    }
  };

  const dropRemoved = (view: CollectionView): void => {
    const left = new Set(numbersOfSegments.all(view.number).map(({ number }) => Number(number)));
    for (const segment of view.segments) {
      if (segment.removed || left.has(segment.number)) continue;
      segment.removed = true;
      view.files.delete(segment.fileNumber);
      for (let chunk = segment.first; chunk < segment.first + segment.chunks; chunk++) {
        if ((view.errors[chunk] ?? -1) >= 0) view.vectors--;
        view.liveWords -= view.lengths[chunk] ?? 0;
        view.errors[chunk] = -1;
      }
      view.live -= segment.chunks;
    }
    view.postings.clear();
    view.postingsHeld = 0;
  };

  const readSegments = (view: CollectionView): void => {
    for (const row of segmentsAfter.iterate(view.number, view.newestSegment)) {
      const file = view.files.get(Number(row.file));
      if (file === undefined) throw new Error('The search index is damaged: a segment belongs to no file.');
      const lengths = numbersOf(row.lengths, (buffer) => new Uint32Array(buffer));
      const [scales, errors] = [row.scales, row.errors].map((blob) =>
        blob === null ? null : numbersOf(blob, (buffer) => new Float32Array(buffer)),
      );
      const chunks = Number(row.chunks);
      const first = view.size;
      makeRoom(view, first + chunks);
      for (let at = 0; at < chunks; at++) {
        view.segmentOf[first + at] = view.segments.length;
        view.lengths[first + at] = lengths[at] ?? 0;
        view.scales[first + at] = scales?.[at] ?? 0;
        const error = errors?.[at] ?? -1;
        view.errors[first + at] = error;
        if (error >= 0) view.vectors++;
        view.liveWords += lengths[at] ?? 0;
      }
      view.segments.push({
        number: Number(row.number),
        file,
        fileNumber: Number(row.file),
        place: Number(row.place),
        first,
        chunks,
        removed: false,
      });
      view.size += chunks;
      view.live += chunks;
      view.newestSegment = Number(row.number);
    }
  };

  /**
   * What the transaction under way sees of a collection, made from what an earlier one saw where that helps; null
   * where there is no such collection.
   */
  return (collection: Collection, known: CollectionView | null): CollectionView | null => {
    const row = find.get(collection.project, collection.id);
    if (row === undefined) return null;
    const dimensions = row.dimensions === null ? null : Number(row.dimensions);
    const isNew =
      known === null ||
      known.number !== Number(row.number) ||
      (known.dimensions ?? dimensions) !== dimensions;
    const fresh = () => emptyView(Number(row.number), collection.id);
    let view = isNew ? fresh() : known;
    if (!isNew && view.removals !== Number(row.removals)) {
      dropRemoved(view);
      const removed = view.size - view.live;
      if (removed > fewRemoved && removed > view.live) view = fresh();
    }
    if (view.edits !== Number(row.edits)) view.newestFile = 0;
    const { newestSegment } = view;
    readFiles(view);
    readSegments(view);
    if (view.newestSegment !== newestSegment || view.removals !== Number(row.removals)) readRuns(view);
    return Object.assign(view, { dimensions, removals: Number(row.removals), edits: Number(row.edits) });
  };
}

const emptyView = (number: number, id: string): CollectionView => ({
  number,
  id,
  dimensions: null,
  removals: 0,
  edits: 0,
  newestFile: 0,
  newestSegment: 0,
  files: new Map(),
  segments: [],
  runs: [],
  segmentOf: new Uint32Array(64),
  lengths: new Uint32Array(64),
  scales: new Float32Array(64),
  errors: new Float32Array(64),
  size: 0,
  live: 0,
  liveWords: 0,
  vectors: 0,
  postings: new Map(),
  postingsHeld: 0,
  pages: [],
  coded: 0,
});

function makeRoom(view: CollectionView, size: number): void {
  if (size <= view.lengths.length) return;
  const length = Math.max(size, Math.ceil(view.lengths.length * 1.5));
  const larger = <T extends Uint32Array | Float32Array>(from: T, to: T): T => {
    to.set(from);
    return to;
  };
  view.segmentOf = larger(view.segmentOf, new Uint32Array(length));
  view.lengths = larger(view.lengths, new Uint32Array(length));
  view.scales = larger(view.scales, new Float32Array(length));
  view.errors = larger(view.errors, new Float32Array(length));
}

export function segmentAt(view: CollectionView, chunk: number): SegmentView {
  const segment = view.segments[view.segmentOf[chunk] ?? -1];
  if (segment === undefined) throw new Error('A chunk belongs to no segment.');
  return segment;
}
