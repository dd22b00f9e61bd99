import type { PackedTexts } from '../texts/packed-texts.ts';

/**
 * What is searched: chunks of files, in collections that belong to a project. Exact and stable: the same query over
 * the same chunks finds the same, in the same order. All of it runs off the main thread.
 */
export interface SearchIndex {
  /** Puts a file in, in place of what it had there, at once or not at all. Durable when it settles. */
  put(collection: Collection, file: IndexedFile, chunks: readonly IndexedChunk[]): Promise<void>;
  /**
   * The same for several, with the words that they share written together; where that fails, for each by itself. Answers
   * why a file is not in, or null, of each. Their texts are given away.
   */
  putAll(collection: Collection, files: readonly ChunkedFile[]): Promise<(Error | null)[]>;
  setAttributes(collection: Collection, fileId: string, attributes: Attributes): Promise<void>;
  removeFile(collection: Collection, fileId: string): Promise<void>;
  removeCollection(collection: Collection): Promise<void>;
  /** A collection that searches just like this one, in place of what is there. Durable when it settles. */
  copy(from: Collection, to: Collection): Promise<void>;
  /** The chunks of a file, in order. */
  chunks(collection: Collection, fileId: string): Promise<string[]>;
  /** What files of a collection hold, in bytes of text and vectors. */
  usage(collection: Collection): Promise<Map<string, number>>;
  /** Best first. */
  search(collections: readonly Collection[], query: SearchQuery, signal?: AbortSignal): Promise<SearchHit[]>;
  close(): Promise<void>;
}

export interface Collection {
  project: string;
  id: string;
}

export type Attributes = Record<string, string | number | boolean>;

export interface IndexedFile {
  id: string;
  filename: string;
  attributes: Attributes;
}

/** A file with its chunks: their texts, and their vectors where there are embeddings. */
export interface ChunkedFile {
  file: IndexedFile;
  texts: PackedTexts;
  vectors: readonly (Float32Array | null)[] | null;
}

export interface IndexedChunk {
  text: string;
  /** Null where there are no embeddings: the chunk is found by its words only. */
  vector: Float32Array | null;
}

export interface SearchQuery {
  /** What is looked for; a chunk is as good as its best match. Vectors are null where there are none. */
  queries: readonly { text: string; vector: Float32Array | null }[];
  limit: number;
  filter: Filter | null;
  /** Of the vector half and the lexical half, in their fusion. Zero leaves a half out. */
  weights: { embedding: number; text: number };
  /** Hits with a lower score, from 0 to 1, are left out. */
  scoreThreshold: number;
}

export type Filter =
  | { type: 'eq' | 'ne' | 'gt' | 'gte' | 'lt' | 'lte'; key: string; value: string | number | boolean }
  | { type: 'in' | 'nin'; key: string; value: readonly (string | number)[] }
  | { type: 'and' | 'or'; filters: readonly Filter[] };

export interface SearchHit {
  collection: string;
  file: IndexedFile;
  /** The chunk's place in its file, from 0. */
  chunk: number;
  text: string;
  /** From 0 to 1. */
  score: number;
}
