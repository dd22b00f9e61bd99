import { conflict } from '../../errors.ts';
import { type CollectionView, createViewReader, segmentAt, viewBytes } from './collection-view.ts';
import { passes } from './filter.ts';
import { fuse, type Half } from './fusion.ts';
import type { FileName } from './index-writer.ts';
import { createLexicalSearch, takePostings } from './lexical-search.ts';
import { byRank, chunkKey, type Ranked } from './ranking.ts';
import { type SearchFile, transaction } from './search-file.ts';
import type { Collection, SearchHit, SearchQuery } from './search-index.ts';
import { createTextReader } from './text-reader.ts';
import { createVectorMemory } from './vector-memory.ts';
import { createVectorSearch } from './vector-search.ts';

export interface SearchInput {
  collections: readonly Collection[];
  query: SearchQuery;
}

export type IndexReader = ReturnType<typeof createIndexReader>;

const mostViews = 256;
/** So many of each ranking are fused, whatever the limit: what is found does not hang on how much is asked for. */
const leastDepth = 200;
/** The part of the memory that is for codes; the rest holds what is known of chunks and words. */
const codesShare = 0.75;

export function createIndexReader(db: SearchFile, memoryBytes: number) {
  const readView = createViewReader(db);
  const memory = createVectorMemory(memoryBytes * codesShare);
  const searchWords = createLexicalSearch(db);
  const searchVectors = createVectorSearch(db, memory);
  const texts = createTextReader(db);
  const readUsage = db.prepare(`
    select files.id, files.bytes from collections
    join files on files.collection = collections.number
    where collections.project = ? and collections.id = ? order by files.number`);

  /** Least recently used first. */
  const views = new Map<string, CollectionView>();
  const keyOf = ({ project, id }: Collection): string => JSON.stringify([project, id]);

  const releasePages = (view: CollectionView): void => {
    memory.givePages(view.pages);
    view.pages = [];
    view.coded = 0;
  };

  const viewOf = (collection: Collection): CollectionView | null => {
    const known = views.get(keyOf(collection)) ?? null;
    views.delete(keyOf(collection));
    try {
      const view = readView(collection, known);
      if (known !== null && known !== view) releasePages(known);
      if (view !== null) views.set(keyOf(collection), view);
      return view;
    } catch (error) {
      if (known !== null) releasePages(known);
      throw error;
    }
  };

  /** A page for one of the collections in use, from those that are not if need be. */
  const roomBeside = (inUse: readonly CollectionView[]) => (): number | null => {
    for (;;) {
      const page = memory.takePage();
      if (page !== null) return page;
      const other = [...views.values()].find((view) => view.pages.length > 0 && !inUse.includes(view));
      if (other === undefined) return null;
      releasePages(other);
    }
  };

  const keepWithinBounds = (): void => {
    const most = memoryBytes * (1 - codesShare);
    let held = 0;
    for (const view of views.values()) held += viewBytes(view) + view.postingsHeld;
    for (const [key, view] of views) {
      if (held <= most && views.size <= mostViews) return;
      held -= view.postingsHeld;
      for (const word of view.postings.keys()) {
        if (held + view.postingsHeld <= most) break;
        takePostings(view, word);
      }
      held += view.postingsHeld;
      if (views.size === 1 || (held <= most && views.size <= mostViews)) return;
      held -= viewBytes(view) + view.postingsHeld;
      releasePages(view);
      views.delete(key);
    }
  };

  const rank = (inUse: readonly CollectionView[], query: SearchQuery): Ranked[] => {
    const depth = Math.max(leastDepth, query.limit);
    const withVectors = inUse.some((view) => view.vectors > 0);
    const best = new Map<number, Ranked>();
    for (const { text, vector } of query.queries) {
      const halves: Half[] = [];
      if (query.weights.text > 0) {
        halves.push({ weight: query.weights.text, ranked: searchWords(inUse, text, depth) });
      }
      if (query.weights.embedding > 0 && vector !== null && withVectors) {
        const ranked = searchVectors(inUse, vector, depth, roomBeside(inUse));
        halves.push({ weight: query.weights.embedding, ranked });
      }
      for (const one of fuse(halves)) {
        if (one.score > (best.get(chunkKey(one))?.score ?? -1)) best.set(chunkKey(one), one);
      }
    }
    const enough = [...best.values()].filter(({ score }) => score >= query.scoreThreshold);
    return enough.sort(byRank(inUse)).slice(0, query.limit);
  };

  const hitOf = (view: CollectionView, { chunk, score }: Ranked): SearchHit => {
    const { number, file, place, first } = segmentAt(view, chunk);
    const { id, filename, attributes } = file;
    const text = texts.chunk(number, chunk - first);
    return {
      collection: view.id,
      file: { id, filename, attributes },
      chunk: place + chunk - first,
      text,
      score,
    };
  };

  return {
    search({ collections, query }: SearchInput): SearchHit[] {
      return transaction(
        db,
        () => {
          const inUse = collections.map(viewOf).filter((view) => view !== null);
          refuseOtherDimensions(inUse, query);
          for (const view of inUse) {
            for (const file of view.files.values()) {
              file.passes = query.filter === null || passes(file.attributes, query.filter);
            }
          }
          const hits = rank(inUse, query).map((one) => hitOf(inUse[one.collection] as CollectionView, one));
          keepWithinBounds();
          return hits;
        },
        'deferred',
      );
    },

    chunks({ collection, fileId }: FileName): string[] {
      return texts.ofFile(collection, fileId);
    },

    usage(collection: Collection): Map<string, number> {
      const rows = readUsage.all(collection.project, collection.id);
      return new Map(rows.map(({ id, bytes }) => [String(id), Number(bytes)]));
    },
  };
}

function refuseOtherDimensions(views: readonly CollectionView[], { queries, weights }: SearchQuery): void {
  if (weights.embedding === 0) return;
  for (const { vector } of queries) {
    const other = views.find(
      ({ dimensions }) => vector !== null && ![null, vector.length].includes(dimensions),
    );
    if (other === undefined || vector === null) continue;
    throw conflict(
      `The query's vector has ${vector.length} dimensions, but those of '${other.id}' have ${other.dimensions}. Use the embedding model that its files were put in with.`,
    );
  }
}
