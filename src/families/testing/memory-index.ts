import type {
  Attributes,
  Collection,
  Filter,
  IndexedChunk,
  IndexedFile,
  SearchHit,
  SearchIndex,
  SearchQuery,
} from '../../providers/search/search-index.ts';
import { unpackTexts } from '../../providers/texts/packed-texts.ts';

export interface MemoryIndex extends SearchIndex {
  /** Ids of the files that it holds of a collection. */
  held(collectionId: string): string[];
}

interface ChunkedFile {
  file: IndexedFile;
  chunks: readonly IndexedChunk[];
}

/** A search index in memory: words and cosines, weighted. */
export function memoryIndex(): MemoryIndex {
  const collections = new Map<string, Map<string, ChunkedFile>>();
  const keyOf = ({ project, id }: Collection): string => `${project} ${id}`;
  const filesOf = (collection: Collection): Map<string, ChunkedFile> =>
    collections.get(keyOf(collection)) ?? new Map();
  const putAll = (collection: Collection, given: readonly ChunkedFile[]): void => {
    const files = filesOf(collection);
    for (const { file, chunks } of given) files.set(file.id, { file: structuredClone(file), chunks });
    collections.set(keyOf(collection), files);
  };
  return {
    put: async (collection, file, chunks) => putAll(collection, [{ file, chunks }]),
    async putAll(collection, given) {
      putAll(
        collection,
        given.map(({ file, texts, vectors }) => ({
          file,
          chunks: unpackTexts(texts).map((text, at) => ({ text, vector: vectors?.[at] ?? null })),
        })),
      );
      return given.map(() => null);
    },
    async setAttributes(collection, fileId, attributes) {
      const held = filesOf(collection).get(fileId);
      if (held !== undefined) held.file = { ...held.file, attributes };
    },
    async removeFile(collection, fileId) {
      filesOf(collection).delete(fileId);
    },
    async removeCollection(collection) {
      collections.delete(keyOf(collection));
    },
    async copy(from, to) {
      collections.set(keyOf(to), new Map([...filesOf(from)].map(([id, held]) => [id, { ...held }])));
    },
    chunks: async (collection, fileId) =>
      (filesOf(collection).get(fileId)?.chunks ?? []).map(({ text }) => text),
    async usage(collection) {
      const usage = [...filesOf(collection)].map(([id, { chunks }]) => [id, sizeOf(chunks)] as const);
      return new Map(usage);
    },
    async search(searched, query) {
      const hits = searched.flatMap((collection) =>
        [...filesOf(collection).values()].flatMap((held) => hitsIn(collection, held, query)),
      );
      return hits.sort((a, b) => b.score - a.score).slice(0, query.limit);
    },
    async close() {},
    held: (id) =>
      [...collections].flatMap(([key, files]) => (key.endsWith(` ${id}`) ? [...files.keys()] : [])),
  };
}

const sizeOf = (chunks: readonly IndexedChunk[]): number =>
  chunks.reduce((sum, { text, vector }) => sum + Buffer.byteLength(text) + (vector?.byteLength ?? 0), 0);

function hitsIn(collection: Collection, { file, chunks }: ChunkedFile, query: SearchQuery): SearchHit[] {
  if (query.filter !== null && !fits(query.filter, file.attributes)) return [];
  return chunks.flatMap((chunk, at) => {
    const score = Math.max(...query.queries.map((each) => scoreOf(chunk, each, query.weights)));
    if (score <= 0 || score < query.scoreThreshold) return [];
    return [{ collection: collection.id, file, chunk: at, text: chunk.text, score }];
  });
}

function scoreOf(
  chunk: IndexedChunk,
  { text, vector }: SearchQuery['queries'][number],
  weights: SearchQuery['weights'],
): number {
  const words = wordsOf(text);
  const inChunk = wordsOf(chunk.text);
  const lexical = [...words].filter((word) => inChunk.has(word)).length / Math.max(1, words.size);
  const near = vector === null || chunk.vector === null ? null : cosine(vector, chunk.vector);
  const embedding = near === null ? 0 : weights.embedding;
  const sum = embedding + weights.text;
  return sum === 0 ? 0 : ((near ?? 0) * embedding + lexical * weights.text) / sum;
}

const wordsOf = (text: string): Set<string> => new Set(text.toLowerCase().match(/\p{L}+|\d+/gu) ?? []);

function cosine(a: Float32Array, b: Float32Array): number {
  let [dot, lengthA, lengthB] = [0, 0, 0];
  for (const [i, x] of a.entries()) {
    const y = b[i] ?? 0;
    dot += x * y;
    lengthA += x * x;
    lengthB += y * y;
  }
  return lengthA === 0 || lengthB === 0 ? 0 : Math.max(0, dot / Math.sqrt(lengthA * lengthB));
}

function fits(filter: Filter, attributes: Attributes): boolean {
  if ('filters' in filter) {
    const fit = filter.filters.map((each) => fits(each, attributes));
    return filter.type === 'and' ? fit.every(Boolean) : fit.some(Boolean);
  }
  const value = attributes[filter.key];
  if (filter.type === 'ne') return value !== filter.value;
  if (filter.type === 'in' || filter.type === 'nin') {
    return filter.value.includes(value as string | number) === (filter.type === 'in');
  }
  if (filter.type === 'eq') return value === filter.value;
  if (value === undefined || typeof value !== typeof filter.value) return false;
  if (filter.type === 'gt') return value > filter.value;
  if (filter.type === 'gte') return value >= filter.value;
  return filter.type === 'lt' ? value < filter.value : value <= filter.value;
}
