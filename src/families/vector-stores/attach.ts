import { setImmediate } from 'node:timers/promises';
import { sql } from 'kysely';
import { conflict, invalidPayload, notFound } from '../../errors.ts';
import { type Budget, requireRoom } from '../../kit/budget.ts';
import { newId } from '../../kit/ids.ts';
import { inTurns, ownTurn } from '../../kit/in-turns.ts';
import type { Chunking } from '../../providers/documents/documents.ts';
import type { Attributes } from '../../providers/search/search-index.ts';
import type { Database } from '../../storage/database.ts';
import type { FileDirectory } from '../files/directory.ts';
import { type BatchRow, noteBatches, noteMembers } from './batch-rows.ts';
import type { Attachment, ChunkingStrategy } from './contract.ts';
import type { FileRow, StoreKey } from './file-rows.ts';
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

/** Files that are dealt with before what needs no database has its turn, such as agents: one takes some 20 µs. */
const attachedAtOnce = 40;
const usualChunking: Chunking = { maxTokens: 800, overlapTokens: 400 };

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
  const ids = files.map(({ fileId }) => fileId);
  const at = await directory.firstMissing(project, ids);
  if (at !== null) throw notFound('file', String(ids[at]).slice(0, 128), place(at));
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
  let isAdding = false;
  await database.transaction().execute(async (on) => {
    const trx = on.withTables<StoreTables>();
    if (make !== null) {
      await requireRoom(make, on, [store.project]);
      await trx.insertInto('vector_stores').values(store).execute();
    } else await requireActive(trx, store, now);
    for await (const some of inTurns(files, attachedAtOnce, setImmediate)) {
      const before = await attachedAlready(trx, store, idsOf(some));
      const there = some.filter((file) => isAsWanted(before.get(file.fileId), file));
      const wanted = some.filter((file) => !there.includes(file));
      const replaced = wanted.filter(({ fileId }) => before.has(fileId));
      isReplacing ||= replaced.length > 0;
      isAdding ||= wanted.length > 0;
      if (replaced.length > 0) await noteBatches(on, areOf(store, idsOf(replaced)));
      await upsert(on, store, wanted, { now, askedBy, batchId: batch?.id ?? null });
      if (batch !== null && there.length > 0) await noteMembers(on, batch, idsOf(there));
    }
    if (isAdding) await refuseTooMany(trx, store, mostFiles, target);
    if (batch !== null) await trx.insertInto('vector_store_batches').values(batch).execute();
  });
  await ownTurn();
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

/** As JSON text. */
const idsOf = (files: readonly WantedFile[]): string => JSON.stringify(files.map(({ fileId }) => fileId));

const areOf = ({ project, id }: StoreKey, fileIds: string) =>
  sql<boolean>`project = ${project} and store_id = ${id}
    and file_id in (select value from json_each(${fileIds}))`;

async function attachedAlready(
  trx: Transaction,
  store: StoreKey,
  fileIds: string,
): Promise<Map<string, FileRow>> {
  const rows = await trx.selectFrom('vector_store_files').selectAll().where(areOf(store, fileIds)).execute();
  return new Map(rows.map((row) => [row.file_id, row]));
}

const isAsWanted = (row: FileRow | undefined, { chunking, attributes }: WantedFile): boolean =>
  row !== undefined &&
  row.removed_at === null &&
  (row.status === 'in_progress' || row.status === 'completed') &&
  row.max_tokens === chunking.maxTokens &&
  row.overlap_tokens === chunking.overlapTokens &&
  row.attributes === attributes;

/** One text of all rows: a value for each of their columns would take longer to pass on than all else takes. */
async function upsert(
  on: Database,
  store: StoreKey,
  files: readonly WantedFile[],
  { now, askedBy, batchId }: Pick<AttachOptions, 'now' | 'askedBy'> & { batchId: string | null },
): Promise<void> {
  if (files.length === 0) return;
  const rows = files.map(({ fileId, attributes, chunking: { maxTokens, overlapTokens } }) => [
    fileId,
    newId('vsf'),
    attributes,
    maxTokens,
    overlapTokens,
  ]);
  await sql`
    insert into vector_store_files
      (project, store_id, created_at, asked_by, batch_id, status, attempts, usage_bytes, indexed,
       file_id, key, attributes, max_tokens, overlap_tokens)
    select ${store.project}, ${store.id}, ${now}, ${askedBy}, ${batchId}, 'in_progress', 0, 0, 0,
      value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
    from json_each(${JSON.stringify(rows)})
    where true
    on conflict (project, store_id, file_id) do update set
      created_at = excluded.created_at, asked_by = excluded.asked_by, batch_id = excluded.batch_id,
      status = excluded.status, attempts = 0,
      usage_bytes = 0, error_code = null, error_message = null, removed_at = null, key = excluded.key,
      attributes = excluded.attributes, max_tokens = excluded.max_tokens, overlap_tokens = excluded.overlap_tokens
  `.execute(on);
}
