import { invalidPayload } from '../../errors.ts';
import { checkFilter } from './filter.ts';
import type { IndexReader } from './index-reader.ts';
import type { IndexWriter, PackedFile } from './index-writer.ts';
import { mostDimensions } from './quantise.ts';
import { indexFile } from './search-file.ts';
import type { Collection, IndexedChunk, IndexedFile, SearchIndex, SearchQuery } from './search-index.ts';
import { createWorkerLine } from './worker-line.ts';

export interface SearchIndexOptions {
  /** Where `search.db` is kept; it must be there. */
  directory: string;
  /** What searches may hold in memory to be fast. What does not fit is read from the file each time. */
  memoryMegabytes?: number;
}

const defaultMemoryMegabytes = 256;
const megabyte = 1_048_576;
const mostChunks = 65_536;
const mostFileBytes = 512 * megabyte;
const mostWaiting = 256;
const mostWaitingBytes = 256 * megabyte;
const heapMegabytes = 1024;
const mostCollections = 100;
const mostQueries = 100;
const mostHits = 1000;

const script = (name: string): URL =>
  new URL(import.meta.url.endsWith('.ts') ? `./${name}.ts` : `./${name}.js`, import.meta.url);

/**
 * The search index of a data directory. Its threads start when they are first needed. What is to be changed where
 * nothing is, is left as it is.
 */
export function openSearchIndex({
  directory,
  memoryMegabytes = defaultMemoryMegabytes,
}: SearchIndexOptions): SearchIndex {
  const data = { path: indexFile(directory), memoryBytes: memoryMegabytes * megabyte };
  const bounds = { data, mostWaiting, mostWaitingBytes, heapMegabytes };
  const writer = createWorkerLine<IndexWriter>({ script: script('write-worker'), ...bounds });
  const reader = createWorkerLine<IndexReader>({ script: script('read-worker'), ...bounds });

  return {
    async put(collection, file, chunks) {
      const packed = pack(collection, file, chunks);
      const bytes = packed.vectors.byteLength + packed.texts.reduce((sum, text) => sum + text.length * 2, 0);
      if (bytes > mostFileBytes) {
        throw invalidPayload(
          'file',
          `The text and vectors of a file may take ${mostFileBytes} bytes at most.`,
        );
      }
      const transfer = [packed.vectors.buffer as ArrayBuffer];
      await writer.call('put', packed, { bytes, transfer });
    },
    async setAttributes(collection, fileId, attributes) {
      await writer.call('setAttributes', { collection, fileId, attributes });
    },
    async removeFile(collection, fileId) {
      await writer.call('removeFile', { collection, fileId });
    },
    async removeCollection(collection) {
      await writer.call('removeCollection', collection);
    },
    async copy(from, to) {
      await writer.call('copy', { from, to });
    },
    chunks: (collection, fileId) => reader.call('chunks', { collection, fileId }),
    usage: (collection) => reader.call('usage', collection),
    async search(collections, query, signal) {
      checkQuery(query);
      const different = [
        ...new Map(collections.map((one) => [JSON.stringify([one.project, one.id]), one])).values(),
      ];
      if (different.length > mostCollections) {
        throw invalidPayload('collections', `May be ${mostCollections} at most.`);
      }
      return await reader.call('search', { collections: different, query }, { signal });
    },
    async close() {
      // The last one to close the file empties its log, which one that only reads cannot.
      await writer.close(reader.close());
    },
  };
}

function pack(collection: Collection, file: IndexedFile, chunks: readonly IndexedChunk[]): PackedFile {
  if (chunks.length > mostChunks) throw invalidPayload('file', `May have ${mostChunks} chunks at most.`);
  const dimensions = chunks.find(({ vector }) => vector !== null)?.vector?.length ?? null;
  const present = Uint8Array.from(chunks, ({ vector }) => (vector === null ? 0 : 1));
  const count = present.reduce((sum, one) => sum + one, 0);
  const vectors = new Float32Array(count * (dimensions ?? 0));
  let at = 0;
  for (const { vector } of chunks) {
    if (vector === null) continue;
    checkVector(vector);
    if (vector.length !== dimensions) {
      throw invalidPayload('vector', `Has ${vector.length} dimensions where the first has ${dimensions}.`);
    }
    vectors.set(vector, at);
    at += vector.length;
  }
  const texts = chunks.map(({ text }) => text.toWellFormed());
  return { collection, file, texts, present, vectors, dimensions };
}

function checkVector(vector: Float32Array): void {
  if (vector.length < 1 || vector.length > mostDimensions) {
    throw invalidPayload('vector', `Must have 1 to ${mostDimensions} dimensions, not ${vector.length}.`);
  }
  if (!vector.every(Number.isFinite)) throw invalidPayload('vector', 'Must have finite numbers only.');
}

function checkQuery({ queries, limit, filter, weights, scoreThreshold }: SearchQuery): void {
  if (queries.length > mostQueries) throw invalidPayload('query', `May be ${mostQueries} queries at most.`);
  if (!Number.isInteger(limit) || limit < 1 || limit > mostHits) {
    throw invalidPayload('limit', `Must be a whole number from 1 to ${mostHits}.`);
  }
  for (const [name, weight] of Object.entries(weights)) {
    if (!(weight >= 0 && weight < Number.POSITIVE_INFINITY)) {
      throw invalidPayload(`weights.${name}`, 'Must be a number from 0.');
    }
  }
  if (weights.embedding + weights.text === 0) {
    throw invalidPayload('weights', 'One of them must be above 0.');
  }
  if (!(scoreThreshold >= 0 && scoreThreshold <= 1)) {
    throw invalidPayload('scoreThreshold', 'Must be a number from 0 to 1.');
  }
  for (const { vector } of queries) if (vector !== null) checkVector(vector);
  if (filter !== null) checkFilter(filter);
}
