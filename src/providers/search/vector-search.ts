import { type CollectionView, segmentAt } from './collection-view.ts';
import { cosine, cosineError, quantiseQuery, strideOf, unitOf } from './quantise.ts';
import { byRank, keepBest, type Ranked } from './ranking.ts';
import { chunkNumber, numbersOf, type SearchFile } from './search-file.ts';
import { rowsPerPage, type VectorMemory } from './vector-memory.ts';

/**
 * The best chunks by cosine. Exact: codes of a byte a number tell for each chunk between which bounds its cosine lies,
 * and all that could be among the best by their bounds are compared by their vectors.
 */
export function createVectorSearch(db: SearchFile, memory: VectorMemory) {
  const readCodes = db.prepare('select data from codes where segment = ?');
  const readVector = db.prepare('select vector from vectors where chunk = ?');

  const codesOf = (segment: number): Uint8Array | null => {
    const data = readCodes.get(segment)?.data;
    return data instanceof Uint8Array ? data : null;
  };

  /** Takes the codes that came since into memory, as far as there are pages. */
  const holdCodes = (view: CollectionView, dimensions: number, room: () => number | null): boolean => {
    const perPage = rowsPerPage(dimensions);
    const stride = strideOf(dimensions);
    if (Math.ceil(view.size / perPage) > memory.mostPages) return false;
    while (view.pages.length < Math.ceil(view.size / perPage)) {
      const page = room();
      if (page === null) return false;
      view.pages.push(page);
    }
    for (; view.coded < view.segments.length; view.coded++) {
      const segment = view.segments[view.coded];
      const codes = segment === undefined || segment.removed ? null : codesOf(segment.number);
      if (segment === undefined || codes === null) continue;
      for (let row = 0; row < segment.chunks; ) {
        const at = segment.first + row;
        const rows = Math.min(perPage - (at % perPage), segment.chunks - row);
        const page = view.pages[Math.floor(at / perPage)] as number;
        memory.writeTo(page, (at % perPage) * stride, codes.subarray(row * stride, (row + rows) * stride));
        row += rows;
      }
    }
    return true;
  };

  const sumsOf = (view: CollectionView, dimensions: number, room: () => number | null): Int32Array => {
    const perPage = rowsPerPage(dimensions);
    const stride = strideOf(dimensions);
    const sums = new Int32Array(view.size);
    if (holdCodes(view, dimensions, room)) {
      for (const [at, page] of view.pages.entries()) {
        const rows = Math.min(perPage, view.size - at * perPage);
        if (rows > 0) sums.set(memory.scan(page, rows, dimensions), at * perPage);
      }
      return sums;
    }
    memory.givePages(view.pages);
    view.pages = [];
    view.coded = 0;
    for (const segment of view.segments) {
      const codes = segment.removed ? null : codesOf(segment.number);
      for (let row = 0; codes !== null && row < segment.chunks; row += perPage) {
        const part = codes.subarray(row * stride, (row + perPage) * stride);
        sums.set(memory.scanPassing(part, dimensions), segment.first + row);
      }
    }
    return sums;
  };

  /** `room` gives a page of memory, or null where none can be had. */
  return (
    views: readonly CollectionView[],
    vector: Float32Array,
    depth: number,
    room: () => number | null,
  ): Ranked[] => {
    const unit = unitOf(vector);
    const query = quantiseQuery(unit);
    memory.setQuery(query.codes);
    const lows = keepBest<number>(depth, (a, c) => c - a);
    const found = views.map((view, collection) => {
      if (view.dimensions !== unit.length || view.vectors === 0) return null;
      const sums = sumsOf(view, unit.length, room);
      const highs = new Float64Array(view.size).fill(Number.NEGATIVE_INFINITY);
      for (let chunk = 0; chunk < view.size; chunk++) {
        const error = view.errors[chunk] as number;
        if (error < 0 || !segmentAt(view, chunk).file.passes) continue;
        const middle = (sums[chunk] as number) * (view.scales[chunk] as number) * query.scale;
        const bound = cosineError(error, query.error);
        highs[chunk] = middle + bound;
        const least = lows.last();
        if (least === undefined || middle - bound > least) lows.offer(middle - bound);
      }
      return { view, collection, highs };
    });

    const least = lows.last() ?? Number.NEGATIVE_INFINITY;
    const kept = keepBest<Ranked>(depth, byRank(views));
    for (const one of found) {
      if (one === null) continue;
      const { view, collection, highs } = one;
      for (let chunk = 0; chunk < view.size; chunk++) {
        const high = highs[chunk] as number;
        if (high === Number.NEGATIVE_INFINITY || high < least) continue;
        const segment = segmentAt(view, chunk);
        const row = readVector.get(chunkNumber(segment.number, chunk - segment.first));
        const other = numbersOf(row?.vector, (buffer) => new Float32Array(buffer));
        kept.offer({ collection, chunk, score: cosine(unit, other) });
      }
    }
    return kept.sorted();
  };
}
