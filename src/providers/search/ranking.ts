import { type CollectionView, segmentAt } from './collection-view.ts';

/** A chunk of a search, by its collection and its number there, and how good it is; more is better. */
export interface Ranked {
  collection: number;
  chunk: number;
  score: number;
}

export const chunkKey = ({ collection, chunk }: Ranked): number => collection * 2 ** 32 + chunk;

/** Best first; what is equally good by file id, place in the file, and collection. */
export function byRank(views: readonly CollectionView[]): (a: Ranked, b: Ranked) => number {
  const segmentOf = ({ collection, chunk }: Ranked) => {
    const view = views[collection];
    if (view === undefined) throw new Error('A chunk belongs to no collection.');
    return segmentAt(view, chunk);
  };
  return (a, b) => {
    if (a.score !== b.score) return b.score - a.score;
    const [left, right] = [segmentOf(a), segmentOf(b)];
    if (left.file.id !== right.file.id) return left.file.id < right.file.id ? -1 : 1;
    const places = left.place + a.chunk - left.first - (right.place + b.chunk - right.first);
    return places !== 0 ? places : a.collection - b.collection;
  };
}

/** Keeps the `most` that come first in an order, however many are offered. */
export function keepBest<T>(most: number, compare: (a: T, b: T) => number) {
  /** A heap with the last of those that are kept at its root. */
  const heap: T[] = [];
  const isAfter = (a: number, b: number): boolean => compare(heap[a] as T, heap[b] as T) > 0;
  const swap = (a: number, b: number): void => {
    [heap[a], heap[b]] = [heap[b] as T, heap[a] as T];
  };
  const sink = (): void => {
    for (let at = 0; ; ) {
      const left = at * 2 + 1;
      let last = at;
      if (left < heap.length && isAfter(left, last)) last = left;
      if (left + 1 < heap.length && isAfter(left + 1, last)) last = left + 1;
      if (last === at) return;
      swap(at, last);
      at = last;
    }
  };
  const rise = (): void => {
    for (let at = heap.length - 1; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!isAfter(at, parent)) return;
      swap(at, parent);
      at = parent;
    }
  };
  return {
    offer(item: T): void {
      if (heap.length < most) {
        heap.push(item);
        rise();
      } else if (compare(item, heap[0] as T) < 0) {
        heap[0] = item;
        sink();
      }
    },
    /** What has to be beaten, once there are enough. */
    last: (): T | undefined => (heap.length < most ? undefined : heap[0]),
    sorted: (): T[] => heap.toSorted(compare),
  };
}
