import { invalidPayload } from '../../errors.ts';
import { packTexts } from '../texts/packed-texts.ts';
import { createWorkerLine, errorOf } from '../workers/worker-line.ts';
import { checkFilter } from './filter.ts';
import type { IndexReader } from './index-reader.ts';
import type { IndexWriter, PackedFile } from './index-writer.ts';
import { hasFiniteNumbers, mostDimensions } from './quantise.ts';
import { indexFile } from './search-file.ts';
import type { ChunkedFile, Collection, SearchIndex, SearchQuery } from './search-index.ts';

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
/** Of the thread that writes: most of what it makes is gone with the file. */
const youngMegabytes = 96;
const mostCollections = 100;
const mostQueries = 100;
const mostHits = 1000;
const name = 'The search index';

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
  const bounds = { name, data, mostWaiting, mostWaitingBytes, heapMegabytes };
  const writer = createWorkerLine<IndexWriter>({
    script: script('write-worker'),
    ...bounds,
    youngMegabytes,
  });
  const reader = createWorkerLine<IndexReader>({ script: script('read-worker'), ...bounds });

  const putAll: SearchIndex['putAll'] = async (collection, files) => {
    const attempts = files.map((file) => packOrError(collection, file));
    const packed = attempts.filter((one): one is PackedFile => !(one instanceof Error));
    if (packed.length === 0) return attempts.filter((one) => one instanceof Error);
    const bytes = packed.reduce((sum, file) => sum + sizeOf(file), 0);
    const transfer = packed.flatMap(({ vectors, texts }) => [
      vectors.buffer as ArrayBuffer,
      texts.bytes.buffer as ArrayBuffer,
    ]);
    const faults = (await writer.call('put', packed, { bytes, transfer })).values();
    return attempts.map((one) => {
      if (one instanceof Error) return one;
      const fault = faults.next().value ?? null;
      return fault === null ? null : errorOf(fault, name);
    });
  };

  return {
    async put(collection, file, chunks) {
      const texts = packTexts(chunks.map(({ text }) => text));
      const vectors = chunks.map(({ vector }) => vector);
      const [error = null] = await putAll(collection, [{ file, texts, vectors }]);
      if (error !== null) throw error;
    },
    putAll,
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

function pack(collection: Collection, { file, texts, vectors: given }: ChunkedFile): PackedFile {
  if (texts.lengths.length > mostChunks) {
    throw invalidPayload('file', `May have ${mostChunks} chunks at most.`);
  }
  const known = given ?? [];
  const dimensions = known.find((vector) => vector !== null)?.length ?? null;
  const present = Uint8Array.from(texts.lengths, (_, at) => ((known[at] ?? null) === null ? 0 : 1));
  const count = present.reduce((sum, one) => sum + one, 0);
  const vectors = new Float32Array(count * (dimensions ?? 0));
  let at = 0;
  for (const vector of known) {
    if (vector === null) continue;
    checkVector(vector);
    if (vector.length !== dimensions) {
      throw invalidPayload('vector', `Has ${vector.length} dimensions where the first has ${dimensions}.`);
    }
    vectors.set(vector, at);
    at += vector.length;
  }
  const packed = {
    collection,
    file,
    texts: { ...texts, bytes: inOwnMemory(texts.bytes) },
    present,
    vectors,
    dimensions,
  };
  if (sizeOf(packed) > mostFileBytes) {
    throw invalidPayload('file', `The text and vectors of a file may take ${mostFileBytes} bytes at most.`);
  }
  return packed;
}

function packOrError(collection: Collection, file: ChunkedFile): PackedFile | Error {
  try {
    return pack(collection, file);
  } catch (error) {
    return error as Error;
  }
}

/** Memory that others have a part in can't be given away. */
const inOwnMemory = (bytes: Uint8Array): Uint8Array =>
  bytes.byteLength === bytes.buffer.byteLength ? bytes : new Uint8Array(bytes);

const sizeOf = ({ vectors, texts }: PackedFile): number => vectors.byteLength + texts.bytes.byteLength;

function checkVector(vector: Float32Array): void {
  if (vector.length < 1 || vector.length > mostDimensions) {
    throw invalidPayload('vector', `Must have 1 to ${mostDimensions} dimensions, not ${vector.length}.`);
  }
  if (!hasFiniteNumbers(vector)) throw invalidPayload('vector', 'Must have finite numbers only.');
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
