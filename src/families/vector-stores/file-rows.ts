import type { Window } from '../../kit/cursor-page.ts';
import type { Database } from '../../storage/database.ts';
import type { errorCodes, FileStatus, VectorStoreFile } from './contract.ts';

export interface FileRow {
  store_id: string;
  file_id: string;
  /** Another one each time the file is attached. Files are listed in its order. */
  key: string;
  project: string;
  created_at: number;
  status: FileStatus;
  error_code: (typeof errorCodes)[number] | null;
  error_message: string | null;
  /** How often it was begun to take the file in. */
  attempts: number;
  usage_bytes: number;
  /** JSON text. */
  attributes: string;
  max_tokens: number;
  overlap_tokens: number;
  /** Whether the index may have chunks of it: 0 no, 1 yes, 2 yes, with attributes that may be old. */
  indexed: 0 | 1 | 2;
  /** Since when it is detached. The row stays a while, so that lists can be read on from it. */
  removed_at: number | null;
}

export interface BatchRow {
  id: string;
  store_id: string;
  created_at: number;
  cancelled: 0 | 1;
}

export type FileTables = {
  vector_store_files: FileRow;
  vector_store_batches: BatchRow;
  vector_store_batch_files: { batch_id: string; file_id: string };
};

/** In a store, or in one of its batches. */
export interface FileList {
  storeId: string;
  batchId: string | null;
  status: FileStatus | undefined;
}

export type FileRows = ReturnType<typeof fileRows>;

export function fileRows(database: Database) {
  const db = database.withTables<FileTables>();
  const files = () => db.selectFrom('vector_store_files').selectAll();
  const change = () => db.updateTable('vector_store_files');
  const changed = ({ numUpdatedRows }: { numUpdatedRows: bigint }) => numUpdatedRows > 0n;

  return {
    find: (storeId: string, fileId: string): Promise<FileRow | undefined> =>
      files()
        .where('store_id', '=', storeId)
        .where('file_id', '=', fileId)
        .where('removed_at', 'is', null)
        .executeTakeFirst(),

    /** Detached ones, too. */
    any: (storeId: string, fileId: string): Promise<FileRow | undefined> =>
      files().where('store_id', '=', storeId).where('file_id', '=', fileId).executeTakeFirst(),

    list({ storeId, batchId, status }: FileList, window: Window<string>): Promise<FileRow[]> {
      let query = files()
        .where('store_id', '=', storeId)
        .where('removed_at', 'is', null)
        .orderBy('key', window.direction)
        .limit(window.limit);
      if (status !== undefined) query = query.where('status', '=', status);
      if (batchId !== null) {
        query = query.where('file_id', 'in', (q) =>
          q.selectFrom('vector_store_batch_files').select('file_id').where('batch_id', '=', batchId),
        );
      }
      if (window.above !== null) query = query.where('key', '>', window.above);
      if (window.below !== null) query = query.where('key', '<', window.below);
      return query.execute();
    },

    findBatch: (storeId: string, id: string): Promise<BatchRow | undefined> =>
      db
        .selectFrom('vector_store_batches')
        .selectAll()
        .where('id', '=', id)
        .where('store_id', '=', storeId)
        .executeTakeFirst(),

    batchCounts: (id: string): Promise<{ status: FileStatus; files: number }[]> =>
      db
        .selectFrom('vector_store_batches as batch')
        .innerJoin('vector_store_batch_files as member', 'member.batch_id', 'batch.id')
        .innerJoin('vector_store_files as file', (join) =>
          join.onRef('file.store_id', '=', 'batch.store_id').onRef('file.file_id', '=', 'member.file_id'),
        )
        .select((q) => ['file.status', q.fn.countAll<number>().as('files')])
        .where('batch.id', '=', id)
        .where('file.removed_at', 'is', null)
        .groupBy('file.status')
        .execute(),

    /** Gives up what is not taken in yet. */
    async cancelBatch({ id, store_id }: BatchRow): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<FileTables>();
        await trx.updateTable('vector_store_batches').set({ cancelled: 1 }).where('id', '=', id).execute();
        await trx
          .updateTable('vector_store_files')
          .set({ status: 'cancelled' })
          .where('store_id', '=', store_id)
          .where('status', '=', 'in_progress')
          .where('file_id', 'in', (q) =>
            q.selectFrom('vector_store_batch_files').select('file_id').where('batch_id', '=', id),
          )
          .execute();
      });
    },

    async setAttributes({ key }: FileRow, attributes: string): Promise<void> {
      await change()
        .set((q) => ({
          attributes,
          indexed: q.case().when('indexed', '=', 0).then(0).else(2).end() as never,
        }))
        .where('key', '=', key)
        .execute();
    },

    detach: async ({ key }: FileRow, now: number): Promise<void> => {
      await change().set({ removed_at: now }).where('key', '=', key).execute();
    },

    /** Detaches a file from every store. */
    async detachEverywhere(project: string, fileId: string, now: number): Promise<void> {
      await change()
        .set({ removed_at: now })
        .where('file_id', '=', fileId)
        .where('project', '=', project)
        .where('removed_at', 'is', null)
        .execute();
    },

    /** Of the given files those whose chunks may be shown, as `store file`. */
    async shown(storeIds: readonly string[], fileIds: readonly string[]): Promise<Set<string>> {
      if (fileIds.length === 0) return new Set();
      const rows = await db
        .selectFrom('vector_store_files')
        .select(['store_id', 'file_id'])
        .where('store_id', 'in', [...storeIds])
        .where('file_id', 'in', [...fileIds])
        .where('status', '=', 'completed')
        .where('removed_at', 'is', null)
        .execute();
      return new Set(rows.map((row) => shownKey(row.store_id, row.file_id)));
    },

    storesWithWork: (): Promise<{ store_id: string }[]> =>
      db
        .selectFrom('vector_store_files')
        .select('store_id')
        .distinct()
        .where('status', '=', 'in_progress')
        .where('removed_at', 'is', null)
        .execute(),

    nextWork(storeId: string, besides: readonly string[]): Promise<FileRow | undefined> {
      let query = files()
        .where('store_id', '=', storeId)
        .where('status', '=', 'in_progress')
        .where('removed_at', 'is', null)
        .orderBy('key')
        .limit(1);
      if (besides.length > 0) query = query.where('key', 'not in', [...besides]);
      return query.executeTakeFirst();
    },

    /** Those of the given keys that are still to be taken in. */
    async stillWanted(keys: readonly string[]): Promise<Set<string>> {
      if (keys.length === 0) return new Set();
      const rows = await db
        .selectFrom('vector_store_files')
        .select('key')
        .where('key', 'in', [...keys])
        .where('status', '=', 'in_progress')
        .where('removed_at', 'is', null)
        .execute();
      return new Set(rows.map(({ key }) => key));
    },

    countAttempt: async (key: string, by: 1 | -1): Promise<void> => {
      await change()
        .set((q) => ({ attempts: q('attempts', '+', by) }))
        .where('key', '=', key)
        .execute();
    },

    /** Notes that chunks are about to be put; undefined where they are not wanted any more. */
    claim: (key: string): Promise<FileRow | undefined> =>
      change()
        .set({ indexed: 1 })
        .where('key', '=', key)
        .where('status', '=', 'in_progress')
        .where('removed_at', 'is', null)
        .returningAll()
        .executeTakeFirst(),

    complete: async (key: string, bytes: number): Promise<boolean> =>
      changed(
        await change()
          .set({ status: 'completed', usage_bytes: bytes, error_code: null, error_message: null })
          .where('key', '=', key)
          .where('status', '=', 'in_progress')
          .where('removed_at', 'is', null)
          .executeTakeFirstOrThrow(),
      ),

    fail: async (key: string, code: NonNullable<FileRow['error_code']>, message: string): Promise<void> => {
      await change()
        .set({ status: 'failed', error_code: code, error_message: message })
        .where('key', '=', key)
        .where('status', '=', 'in_progress')
        .execute();
    },

    /** Has it taken in once more. */
    again: async (key: string): Promise<void> => {
      await change()
        .set({ status: 'in_progress', attempts: 0, usage_bytes: 0, indexed: 0 })
        .where('key', '=', key)
        .where('status', '=', 'completed')
        .execute();
    },

    /** Those with chunks in the index that must not be there. */
    async toClear(limit: number): Promise<FileRow[]> {
      const held = files().where('indexed', 'in', [1, 2]).limit(limit);
      const detached = await held.where('removed_at', '>', 0).execute();
      if (detached.length === limit) return detached;
      const given = held.where('status', 'in', ['failed', 'cancelled']).where('removed_at', 'is', null);
      return [...detached, ...(await given.limit(limit - detached.length).execute())];
    },

    withOldAttributes: (limit: number): Promise<FileRow[]> =>
      files()
        .where('status', '=', 'completed')
        .where('indexed', '=', 2)
        .where('removed_at', 'is', null)
        .limit(limit)
        .execute(),

    setIndexed: async ({ key, attributes }: FileRow, indexed: 0 | 1): Promise<void> => {
      const query = change().set({ indexed }).where('key', '=', key);
      // Attributes may have changed again meanwhile.
      await (indexed === 1 ? query.where('attributes', '=', attributes) : query).execute();
    },

    async forget(removedBefore: number): Promise<void> {
      await db
        .deleteFrom('vector_store_files')
        .where('removed_at', '<', removedBefore)
        .where('indexed', '=', 0)
        .execute();
    },

    /** All that is or was in a store, in no order. */
    allOf: (
      storeId: string,
    ): Promise<Pick<FileRow, 'file_id' | 'key' | 'status' | 'removed_at' | 'indexed'>[]> =>
      db
        .selectFrom('vector_store_files')
        .select(['file_id', 'key', 'status', 'removed_at', 'indexed'])
        .where('store_id', '=', storeId)
        .execute(),
  };
}

export const shownKey = (storeId: string, fileId: string): string => `${storeId} ${fileId}`;

export const toFile = (row: FileRow): VectorStoreFile => ({
  id: row.file_id,
  object: 'vector_store.file',
  created_at: row.created_at,
  vector_store_id: row.store_id,
  usage_bytes: row.usage_bytes,
  status: row.status,
  last_error:
    row.error_code === null ? null : { code: row.error_code, message: row.error_message ?? row.error_code },
  chunking_strategy: {
    type: 'static',
    static: { max_chunk_size_tokens: row.max_tokens, chunk_overlap_tokens: row.overlap_tokens },
  },
  attributes: JSON.parse(row.attributes),
});
