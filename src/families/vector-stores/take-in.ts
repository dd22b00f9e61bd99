import { ApiError } from '../../errors.ts';
import type { Turns } from '../../kit/turns.ts';
import { DocumentError, type Documents } from '../../providers/documents/documents.ts';
import type { IndexedChunk, SearchIndex } from '../../providers/search/search-index.ts';
import type { FileDirectory, StoredFile } from '../files/directory.ts';
import type { Collections } from './collections.ts';
import type { Embed } from './embed.ts';
import type { FileRow, FileRows } from './file-rows.ts';
import { type StoreRow, type StoreRows, storeTurn } from './store-rows.ts';

export interface TakeInParts {
  files: FileRows;
  stores: StoreRows;
  directory: FileDirectory;
  documents: Documents;
  index: SearchIndex;
  collections: Collections;
  embed: Embed;
  /** All that changes the index of a store goes one after another. */
  inTurn: Turns;
}

/** The file itself is gone. */
export class FileGone extends Error {}

/** Reads, embeds and indexes one file. Its row is completed in the end, unless nobody wants it any more. */
export async function takeIn(parts: TakeInParts, row: FileRow, signal: AbortSignal): Promise<void> {
  const store = await parts.stores.any({ project: row.project, id: row.store_id });
  const file = await parts.directory.find(row.project, row.file_id);
  if (store === undefined) return;
  if (file === undefined) throw new FileGone();
  const chunks = await untilAborted(chunksOf(parts, row, file, store.embeddings, signal), signal);
  await parts.inTurn(storeTurn(store), () => put(parts, store, row, file, chunks));
}

async function chunksOf(
  { documents, embed }: TakeInParts,
  { project, max_tokens: maxTokens, overlap_tokens: overlapTokens }: FileRow,
  { path, filename }: StoredFile,
  embeddings: string,
  signal: AbortSignal,
): Promise<IndexedChunk[]> {
  const texts = await documents.chunks({ path, filename }, { maxTokens, overlapTokens }, signal);
  if (texts.length === 0) throw new DocumentError('invalid_file', 'There is no text in the file.');
  const vectors = embeddings === '' ? null : await embed(project, embeddings, texts, signal);
  return texts.map((text, at) => ({ text, vector: vectors?.[at] ?? null }));
}

/** Does not wait for what doesn't heed the signal. */
async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const onAbort = (): void => aborted.reject(signal.reason);
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    signal.throwIfAborted();
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
    work.catch(() => {});
  }
}

/** Chunks are seen once the row is completed, and not before. */
async function put(
  { files, stores, index, collections }: TakeInParts,
  { project, id }: StoreRow,
  { key, file_id }: FileRow,
  { filename }: StoredFile,
  chunks: IndexedChunk[],
): Promise<void> {
  const row = await files.claim({ project, key });
  // It may have got another collection since the file was begun.
  const store = row && (await stores.any({ project, id }));
  if (row === undefined || store === undefined) return;
  const collection = await collections.own(store);
  await index.put(collection, { id: file_id, filename, attributes: JSON.parse(row.attributes) }, chunks);
  if (await files.complete(row, sizeOf(chunks))) return;
  await index.removeFile(collection, file_id);
  await files.setIndexed(row, 0);
}

const sizeOf = (chunks: readonly IndexedChunk[]): number =>
  chunks.reduce((sum, { text, vector }) => sum + Buffer.byteLength(text) + (vector?.byteLength ?? 0), 0);

export interface Fault {
  code: NonNullable<FileRow['error_code']>;
  message: string;
  /** Whether it may go better next time. */
  passes: boolean;
}

/** What a failure says about a file, or null where it says nothing that a client may read. */
export function faultOf(error: unknown): Fault | null {
  if (error instanceof DocumentError) {
    return { code: error.code, message: error.message, passes: error.code === 'server_error' };
  }
  if (!(error instanceof ApiError)) return null;
  const passes = error.status === 429 || error.status >= 500;
  return { code: 'server_error', message: `Its text could not be embedded. ${error.message}`, passes };
}
