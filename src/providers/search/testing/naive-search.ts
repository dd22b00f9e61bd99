import { passes } from '../filter.ts';
import { cosine, unitOf } from '../quantise.ts';
import type { Collection, IndexedChunk, IndexedFile, SearchHit, SearchQuery } from '../search-index.ts';
import { wordsIn } from '../words.ts';

export interface NaiveFile {
  collection: Collection;
  file: IndexedFile;
  chunks: readonly IndexedChunk[];
}

type Scored = Omit<SearchHit, 'score'> & { score: number; place: number };

/** What a search should find, computed chunk by chunk as the definitions say. Collections are searched by their ids. */
export function naiveSearch(files: readonly NaiveFile[], query: SearchQuery): SearchHit[] {
  const chunks = files
    .flatMap(({ collection, file, chunks }) =>
      chunks.map((chunk, at) => ({
        collection: collection.id,
        file,
        ...chunk,
        chunk: at,
        words: wordsIn(chunk.text),
      })),
    )
    .map((chunk, place) => ({ ...chunk, place }));
  const average = chunks.reduce((sum, { words }) => sum + words.length, 0) / chunks.length || 1;
  const allowed = chunks.filter(({ file }) => query.filter === null || passes(file.attributes, query.filter));
  const order = (a: Scored, b: Scored) => {
    if (a.score !== b.score) return b.score - a.score;
    if (a.file.id !== b.file.id) return a.file.id < b.file.id ? -1 : 1;
    if (a.chunk !== b.chunk) return a.chunk - b.chunk;
    return a.collection < b.collection ? -1 : 1;
  };
  const ranked = (score: (chunk: (typeof chunks)[number]) => number | null): Scored[] =>
    allowed
      .flatMap((chunk) => {
        const value = score(chunk);
        const { collection, file, text, chunk: at, place } = chunk;
        return value === null ? [] : [{ collection, file, text, chunk: at, score: value, place }];
      })
      .sort(order);

  const best = new Map<number, Scored>();
  for (const { text, vector } of query.queries) {
    // The sums are made in the order of the index: what is equally good must be so to the last bit, in both.
    const words = [...Map.groupBy(wordsIn(text), (word) => word)].map(([word, { length: repeated }]) => {
      const n = chunks.filter((chunk) => chunk.words.includes(word)).length;
      return { word, weight: repeated * Math.log(1 + (chunks.length - n + 0.5) / (n + 0.5)) * 2.2 };
    });
    const possible = words.reduce((sum, { weight }) => sum + weight, 0);
    const lexical = ranked((chunk) => {
      const norm = 1.2 * (0.25 + (0.75 * chunk.words.length) / average);
      const score = words.reduce((sum, { word, weight }) => {
        const count = chunk.words.filter((one) => one === word).length;
        return sum + (weight * count) / (count + norm);
      }, 0);
      return score === 0 ? null : score / possible;
    });
    const near = ranked((chunk) =>
      vector === null || chunk.vector === null ? null : cosine(unitOf(vector), unitOf(chunk.vector)),
    );
    const hasNear = vector !== null && chunks.some((chunk) => chunk.vector !== null);
    const halves = [
      ...(query.weights.text > 0 ? [{ weight: query.weights.text, list: lexical }] : []),
      ...(query.weights.embedding > 0 && hasNear ? [{ weight: query.weights.embedding, list: near }] : []),
    ];
    const all = halves.reduce((sum, { weight }) => sum + weight, 0);
    const fused = new Map<number, Scored>();
    for (const { weight, list } of halves) {
      for (const [rank, one] of list.entries()) {
        const share = ((weight / all) * 61) / (61 + rank);
        const score =
          halves.length === 1
            ? Math.min(1, Math.max(0, one.score))
            : (fused.get(one.place)?.score ?? 0) + share;
        fused.set(one.place, { ...one, score });
      }
    }
    for (const [place, one] of fused) if (one.score > (best.get(place)?.score ?? -1)) best.set(place, one);
  }
  return [...best.values()]
    .filter(({ score }) => score >= query.scoreThreshold)
    .sort(order)
    .slice(0, query.limit)
    .map(({ place: _, ...hit }) => hit);
}
