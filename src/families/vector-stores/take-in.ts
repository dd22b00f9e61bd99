import { ApiError } from '../../errors.ts';
import { DocumentError, type Documents } from '../../providers/documents/documents.ts';
import { patientCaller } from '../../providers/models/caller.ts';
import { unpackTexts } from '../../providers/texts/packed-texts.ts';
import type { FileDirectory, StoredFile } from '../files/directory.ts';
import type { CoreShare } from './core-share.ts';
import type { Embed, InTurn } from './embed.ts';
import type { FileRow, FileRows } from './file-rows.ts';
import type { Putting, ReadFile } from './putting.ts';
import type { StoreRows } from './store-rows.ts';

export interface TakeInParts {
  files: FileRows;
  stores: StoreRows;
  directory: FileDirectory;
  documents: Documents;
  cores: CoreShare;
  embed: Embed;
  /** Whether the builtin model makes the vectors: their share of the cores is counted. */
  isBuiltin(deployment: string): boolean;
  put: Putting;
}

/** The file itself is gone. */
export class FileGone extends Error {}

/** The deployment made no vectors of a text. */
export class EmbeddingFault extends Error {
  override readonly cause: ApiError;

  constructor(cause: ApiError) {
    super(`Its text could not be embedded. ${cause.message}`);
    this.cause = cause;
  }
}

/** An attempt to take in a file, for those who count and go on with it. */
export interface Attempt {
  /** Those that an earlier attempt made; gets the others. */
  vectors: Float32Array[];
  /** Nothing but the index is left to do, which holds so many bytes until then. */
  onRead(bytes: number): Promise<void>;
}

/** Reads, embeds and indexes one file. Its row is completed in the end, unless nobody wants it any more. */
export async function takeIn(
  parts: TakeInParts,
  row: FileRow,
  signal: AbortSignal,
  { vectors, onRead }: Attempt,
): Promise<void> {
  const store = await parts.stores.any({ project: row.project, id: row.store_id });
  const file = await parts.directory.find(row.project, row.file_id);
  if (store === undefined) return;
  if (file === undefined) throw new FileGone();
  const embedding = { deployment: store.embeddings, vectors };
  const content = await untilAborted(contentOf(parts, row, file, embedding, signal), signal);
  const bytes = sizeOf(content);
  await onRead(bytes);
  await parts.put({ row, file, content, bytes });
}

async function contentOf(
  { documents, embed, isBuiltin, cores }: TakeInParts,
  { project, asked_by: key, max_tokens: maxTokens, overlap_tokens: overlapTokens }: FileRow,
  { path, filename }: StoredFile,
  { deployment, vectors: made }: { deployment: string; vectors: Float32Array[] },
  signal: AbortSignal,
): Promise<ReadFile['content']> {
  const texts = await cores.run('read', () =>
    documents.chunks({ path, filename }, { maxTokens, overlapTokens }, signal),
  );
  if (texts.lengths.length === 0) throw new DocumentError('invalid_file', 'There is no text in the file.');
  if (deployment === '') return { texts, vectors: null };
  // It waits in the queue, where it holds nobody up.
  const caller = { ...patientCaller(project, key), isPatient: false };
  const inTurn: InTurn | undefined = isBuiltin(deployment) ? (make) => cores.run('embed', make) : undefined;
  const making = embed(caller, deployment, unpackTexts(texts), signal, made, inTurn);
  const vectors = await making.catch((error) => {
    throw error instanceof ApiError ? new EmbeddingFault(error) : error;
  });
  return { texts, vectors };
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

const sizeOf = ({ texts, vectors }: ReadFile['content']): number =>
  texts.bytes.byteLength + (vectors ?? []).reduce((sum, vector) => sum + (vector?.byteLength ?? 0), 0);

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
  const refusal = error instanceof EmbeddingFault ? error.cause : error;
  if (!(refusal instanceof ApiError)) return null;
  const passes = refusal.status === 429 || refusal.status >= 500;
  return { code: 'server_error', message: (error as Error).message, passes };
}
