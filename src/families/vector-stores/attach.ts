import { conflict, invalidPayload, notFound } from '../../errors.ts';
import { type Budget, requireRoom } from '../../kit/budget.ts';
import { newId } from '../../kit/ids.ts';
import type { Chunking } from '../../providers/documents/documents.ts';
import type { Attributes } from '../../providers/search/search-index.ts';
import type { Database } from '../../storage/database.ts';
import type { FileDirectory } from '../files/directory.ts';
import type { Attachment, ChunkingStrategy } from './contract.ts';
import type { BatchRow, FileRow, StoreKey } from './file-rows.ts';
import type { StoreRow, StoreTables } from './store-rows.ts';

/** A file as it is to be taken in. */
export interface WantedFile {
  fileId: string;
  chunking: Chunking;
  /** JSON text. */
  attributes: string;
}

export interface Attached {
  batch: BatchRow | null;
  /** Whether something that was attached already is taken in anew. */
  isReplacing: boolean;
}

export interface AttachOptions {
  files: WantedFile[];
  /** Whether they make a batch. */
  asBatch: boolean;
  /** Id of the key or subject. */
  askedBy: string;
  mostFiles: number;
  now: number;
  /** Where the request names the files, for errors. */
  target: string;
}

const usualChunking: Chunking = { maxTokens: 800, overlapTokens: 400 };
/** Rows that one statement takes. */
const rowsAtOnce = 200;

export function chunkingOf(strategy: ChunkingStrategy | null | undefined, target: string): Chunking {
  if (!strategy || strategy.type === 'auto') return usualChunking;
  const { max_chunk_size_tokens: maxTokens, chunk_overlap_tokens: overlapTokens } = strategy.static;
  if (overlapTokens * 2 > maxTokens) {
    throw invalidPayload(
      `${target}.static.chunk_overlap_tokens`,
      `Chunks may overlap by half of 'max_chunk_size_tokens' at most: ${Math.floor(maxTokens / 2)}.`,
    );
  }
  return { maxTokens, overlapTokens };
}

/** Keys sorted, so that the same attributes are the same text. */
export const attributesText = (attributes: Attributes | null | undefined): string =>
  JSON.stringify(Object.fromEntries(Object.entries(attributes ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))));

export const wantedFile = (
  { file_id, attributes, chunking_strategy }: Attachment,
  at: string,
): WantedFile => ({
  fileId: file_id,
  chunking: chunkingOf(chunking_strategy, `${at}chunking_strategy`),
  attributes: attributesText(attributes),
});

/** Throws about the first file that is not there; `place` says where the request names the nth. */
export async function requireFiles(
  directory: FileDirectory,
  project: string,
  files: readonly WantedFile[],
  place: (at: number) => string,
): Promise<void> {
  const found = await directory.findAll(
    project,
    files.map(({ fileId }) => fileId),
  );
  for (const [at, { fileId }] of files.entries()) {
    if (!found.has(fileId)) throw notFound('file', fileId.slice(0, 128), place(at));
  }
}

/**
 * Attaches files to a store, made in the same step where `make` is given. One that is attached as wanted already stays
 * as it is, so that a request can be repeated; another is taken in anew.
 */
export async function attachFiles(
  database: Database,
  store: StoreRow,
  { files, asBatch, askedBy, mostFiles, now, target }: AttachOptions,
  make: Budget | null = null,
): Promise<Attached> {
  const batch: BatchRow | null = asBatch
    ? { project: store.project, id: newId('vsfb'), store_id: store.id, created_at: now, cancelled: 0 }
    : null;
  let isReplacing = false;
  await database.transaction().execute(async (on) => {
    const trx = on.withTables<StoreTables>();
    if (make !== null) {
      await requireRoom(make, on, [store.project]);
      await trx.insertInto('vector_stores').values(store).execute();
    } else await requireActive(trx, store, now);
    let count = 0;
    for (let from = 0; from < files.length; from += rowsAtOnce) {
      const some = files.slice(from, from + rowsAtOnce);
      const known = await trx
        .selectFrom('vector_store_files')
        .selectAll()
        .where('project', '=', store.project)
        .where('store_id', '=', store.id)
        .where(
          'file_id',
          'in',
          some.map(({ fileId }) => fileId),
        )
        .execute();
      const before = new Map(known.map((row) => [row.file_id, row]));
      const rows = some.flatMap((file) => {
        const row = before.get(file.fileId);
        if (row !== undefined && isAsWanted(row, file)) return [];
        isReplacing ||= row !== undefined;
        return [newRow(store, file, { now, askedBy }, row)];
      });
      if (rows.length > 0) await upsert(trx, rows);
      count += rows.length;
      if (batch !== null) {
        await trx
          .insertInto('vector_store_batch_files')
          .values(some.map(({ fileId }) => ({ project: store.project, batch_id: batch.id, file_id: fileId })))
          .execute();
      }
    }
    if (count > 0) await refuseTooMany(trx, store, mostFiles, target);
    if (batch !== null) await trx.insertInto('vector_store_batches').values(batch).execute();
  });
  return { batch, isReplacing };
}

type Transaction = ReturnType<typeof withStoreTables>;
const withStoreTables = (database: Database) => database.withTables<StoreTables>();

/** It may have gone since the request was read. */
async function requireActive(trx: Transaction, { project, id }: StoreKey, now: number): Promise<void> {
  const { numUpdatedRows } = await trx
    .updateTable('vector_stores')
    .set({ last_active_at: now })
    .where('project', '=', project)
    .where('id', '=', id)
    .where('state', '=', 'active')
    .executeTakeFirstOrThrow();
  if (numUpdatedRows === 0n) throw notFound('vector store', id, 'vector_store_id');
}

async function refuseTooMany(
  trx: Transaction,
  { project, id }: StoreKey,
  most: number,
  target: string,
): Promise<void> {
  const { files } = await trx
    .selectFrom('vector_store_files')
    .select((q) => q.fn.countAll<number>().as('files'))
    .where('project', '=', project)
    .where('store_id', '=', id)
    .where('removed_at', 'is', null)
    .executeTakeFirstOrThrow();
  if (Number(files) > most) {
    throw conflict(
      `A vector store holds ${most} files here (vectorStores.files); these would make it ${files}.`,
      target,
    );
  }
}

const isAsWanted = (row: FileRow, { chunking, attributes }: WantedFile): boolean =>
  row.removed_at === null &&
  (row.status === 'in_progress' || row.status === 'completed') &&
  row.max_tokens === chunking.maxTokens &&
  row.overlap_tokens === chunking.overlapTokens &&
  row.attributes === attributes;

const newRow = (
  store: StoreRow,
  file: WantedFile,
  { now, askedBy }: Pick<AttachOptions, 'now' | 'askedBy'>,
  before?: FileRow,
): FileRow => ({
  store_id: store.id,
  file_id: file.fileId,
  key: newId('vsf'),
  project: store.project,
  created_at: now,
  status: 'in_progress',
  error_code: null,
  error_message: null,
  attempts: 0,
  usage_bytes: 0,
  attributes: file.attributes,
  max_tokens: file.chunking.maxTokens,
  overlap_tokens: file.chunking.overlapTokens,
  indexed: before?.indexed ?? 0,
  asked_by: askedBy,
  removed_at: null,
});

async function upsert(trx: Transaction, rows: FileRow[]): Promise<void> {
  await trx
    .insertInto('vector_store_files')
    .values(rows)
    .onConflict((on) =>
      on.columns(['project', 'store_id', 'file_id']).doUpdateSet((q) => ({
        key: q.ref('excluded.key'),
        created_at: q.ref('excluded.created_at'),
        status: q.ref('excluded.status'),
        error_code: null,
        error_message: null,
        attempts: 0,
        usage_bytes: 0,
        attributes: q.ref('excluded.attributes'),
        max_tokens: q.ref('excluded.max_tokens'),
        overlap_tokens: q.ref('excluded.overlap_tokens'),
        asked_by: q.ref('excluded.asked_by'),
        removed_at: null,
      })),
    )
    .execute();
}
