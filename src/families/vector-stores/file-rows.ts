import { sql } from 'kysely';
import type { Window } from '../../kit/cursor-page.ts';
import { inTurns } from '../../kit/in-turns.ts';
import { type Database, prepared } from '../../storage/database.ts';
import { type BatchTables, isOfBatch, noteBatches } from './batch-rows.ts';
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
  /** Id of the key or subject that attached it, which its tokens count for; null where it is not known. */
  asked_by: string | null;
  /** The batch it came with; null for none. What belongs to others besides is in `vector_store_batch_files`. */
  batch_id: string | null;
  /** Since when it is detached. The row stays a while, so that lists can be read on from it. */
  removed_at: number | null;
}

export type FileTables = { vector_store_files: FileRow } & BatchTables;

/** A store by its id, which another project may have as well. */
export interface StoreKey {
  project: string;
  id: string;
}

/** A file as it is attached; a fork of the project has the same key. */
export type FileKey = Pick<FileRow, 'project' | 'key'>;

/** The same as a name. */
export const fileName = ({ project, key }: FileKey): string => `${project}/${key}`;

/** In a store, or in one of its batches. */
export interface FileList {
  store: StoreKey;
  batchId: string | null;
  status: FileStatus | undefined;
}

export type FileRows = ReturnType<typeof fileRows>;

/** Files that are changed before requests have their turn: one takes some 50 µs. */
const changedAtOnce = 8;

export function fileRows(database: Database) {
  const db = database.withTables<FileTables>();
  const files = (on: Database = database) =>
    on.withTables<FileTables>().selectFrom('vector_store_files').selectAll();
  const filesOf = ({ project, id }: StoreKey, on?: Database) =>
    files(on).where('project', '=', project).where('store_id', '=', id);
  const change = () => db.updateTable('vector_store_files');
  const changeOne = ({ project, key }: FileKey) =>
    change().where('project', '=', project).where('key', '=', key);
  const countOne = prepared(database, (parameter) =>
    change()
      .set((q) => ({ attempts: q('attempts', '+', parameter('by')) }))
      .where('project', '=', parameter('project'))
      .where('key', '=', parameter('key')),
  );
  const countNext = prepared(
    database,
    (parameter) =>
      sql<FileRow>`
        update vector_store_files set attempts = attempts + 1
        where project = ${parameter('project')} and key = (
          select key from vector_store_files
          where project = ${parameter('project')} and store_id = ${parameter('id')}
            and status = 'in_progress' and removed_at is null
            and key not in (select value from json_each(${parameter('besides')}))
          order by key limit 1)
        returning *`,
  );
  // By a cross join, which begins with what is on its left: else all files of the project may be looked at.
  const claimSome = prepared(
    database,
    (parameter) =>
      sql<FileRow>`
        update vector_store_files set indexed = 1
        where rowid in (
            select file.rowid from json_each(${parameter('keys')}) as wanted cross join vector_store_files as file
            where file.project = ${parameter('project')} and file.key = wanted.value)
          and status = 'in_progress' and removed_at is null
        returning *`,
  );
  const completeSome = prepared(
    database,
    (parameter) =>
      sql<{ key: string }>`
        with done as materialized (select key, value from json_each(${parameter('bytes')}))
        update vector_store_files
        set status = 'completed', error_code = null, error_message = null,
          usage_bytes = (select value from done where done.key = vector_store_files.key)
        where rowid in (
            select file.rowid from done cross join vector_store_files as file
            where file.project = ${parameter('project')} and file.key = done.key)
          and status = 'in_progress' and removed_at is null
        returning key`,
  );

  return {
    find: (store: StoreKey, fileId: string): Promise<FileRow | undefined> =>
      filesOf(store).where('file_id', '=', fileId).where('removed_at', 'is', null).executeTakeFirst(),

    /** Detached ones, too. */
    any: (store: StoreKey, fileId: string, on: Database = database): Promise<FileRow | undefined> =>
      filesOf(store, on).where('file_id', '=', fileId).executeTakeFirst(),

    list({ store, batchId, status }: FileList, window: Window<string>): Promise<FileRow[]> {
      let query = (batchId === null ? filesOf(store) : files().where(isOfBatch(store, batchId)))
        .where('removed_at', 'is', null)
        .orderBy('key', window.direction)
        .limit(window.limit);
      if (status !== undefined) query = query.where('status', '=', status);
      if (window.above !== null) query = query.where('key', '>', window.above);
      if (window.below !== null) query = query.where('key', '<', window.below);
      return query.execute();
    },

    async setAttributes(file: FileKey, attributes: string): Promise<void> {
      await changeOne(file)
        .set((q) => ({
          attributes,
          indexed: q.case().when('indexed', '=', 0).then(0).else(2).end() as never,
        }))
        .execute();
    },

    detach: async (file: FileKey, now: number): Promise<void> => {
      await changeOne(file).set(detached(now)).execute();
    },

    /** Detaches a file from every store. */
    async detachEverywhere(project: string, fileId: string, now: number): Promise<void> {
      await change()
        .set(detached(now))
        .where('file_id', '=', fileId)
        .where('project', '=', project)
        .where('removed_at', 'is', null)
        .execute();
    },

    /** Of the given files those whose chunks may be shown, as `store file`. */
    async shown(
      project: string,
      storeIds: readonly string[],
      fileIds: readonly string[],
    ): Promise<Set<string>> {
      if (fileIds.length === 0) return new Set();
      const rows = await db
        .selectFrom('vector_store_files')
        .select(['store_id', 'file_id'])
        .where('project', '=', project)
        .where('store_id', 'in', [...storeIds])
        .where('file_id', 'in', [...fileIds])
        // With a sign, so that it is not by their status that they are looked for: most are completed.
        .where(sql`+status`, '=', 'completed')
        .where('removed_at', 'is', null)
        .execute();
      return new Set(rows.map((row) => shownKey(row.store_id, row.file_id)));
    },

    storesWithWork: (): Promise<StoreKey[]> =>
      db
        .selectFrom('vector_store_files')
        .select(['project', 'store_id as id'])
        .distinct()
        .where(isNotCompleted)
        .where('status', '=', 'in_progress')
        .where('removed_at', 'is', null)
        .execute(),

    /** Counts another attempt for the next file to be taken in. `besides` are keys of the store's project. */
    async beginNext({ project, id }: StoreKey, besides: readonly string[]): Promise<FileRow | undefined> {
      const rows = await countNext({ project, id, besides: JSON.stringify(besides) });
      return rows[0];
    },

    /** Whether it is still to be taken in. */
    isWanted: async ({ project, key }: FileKey): Promise<boolean> => {
      const row = await db
        .selectFrom('vector_store_files')
        .select('key')
        .where('project', '=', project)
        .where('key', '=', key)
        .where('status', '=', 'in_progress')
        .where('removed_at', 'is', null)
        .executeTakeFirst();
      return row !== undefined;
    },

    countAttempt: async ({ project, key }: FileKey, by: 1 | -1): Promise<void> => {
      await countOne({ project, key, by });
    },

    /** Notes that chunks of files of a project are about to be put; answers those that are still wanted. */
    async claim(project: string, keys: readonly string[]): Promise<FileRow[]> {
      const claimed: FileRow[] = [];
      for await (const some of inTurns(keys, changedAtOnce)) {
        claimed.push(...(await claimSome({ project, keys: JSON.stringify(some) })));
      }
      return claimed;
    },

    /** Files of a project, by their keys, with what they hold; answers the keys of those that were still wanted. */
    async complete(project: string, bytesOf: ReadonlyMap<string, number>): Promise<Set<string>> {
      const completed = new Set<string>();
      for await (const some of inTurns([...bytesOf], changedAtOnce)) {
        const rows = await completeSome({ project, bytes: JSON.stringify(Object.fromEntries(some)) });
        for (const { key } of rows) completed.add(key);
      }
      return completed;
    },

    fail: async (file: FileKey, code: NonNullable<FileRow['error_code']>, message: string): Promise<void> => {
      await changeOne(file)
        .set({ status: 'failed', error_code: code, error_message: message })
        .where('status', '=', 'in_progress')
        .execute();
    },

    /** Has it taken in once more. */
    again: async (file: FileKey): Promise<void> => {
      await changeOne(file)
        .set({ status: 'in_progress', attempts: 0, usage_bytes: 0, indexed: 0 })
        .where('status', '=', 'completed')
        .execute();
    },

    /** Those with chunks in the index that must not be there. */
    async toClear(limit: number): Promise<FileRow[]> {
      const held = files().where('indexed', 'in', [1, 2]).limit(limit);
      const detached = await held.where('removed_at', '>', 0).execute();
      if (detached.length === limit) return detached;
      const given = held
        .where(isNotCompleted)
        .where('status', 'in', ['failed', 'cancelled'])
        .where('removed_at', 'is', null);
      return [...detached, ...(await given.limit(limit - detached.length).execute())];
    },

    async countToClear(): Promise<number> {
      const { rows } = await db
        .selectFrom('vector_store_files')
        .select((q) => q.fn.countAll<number>().as('rows'))
        .where('indexed', 'in', [1, 2])
        .where((q) =>
          q.or([
            q('removed_at', '>', 0),
            q.and([isNotCompleted, q('status', 'in', ['failed', 'cancelled'])]),
          ]),
        )
        .executeTakeFirstOrThrow();
      return Number(rows);
    },

    withOldAttributes: (limit: number): Promise<FileRow[]> =>
      files()
        .where(isChanged)
        .where('status', '=', 'completed')
        .where('removed_at', 'is', null)
        .limit(limit)
        .execute(),

    setIndexed: async ({ attributes, ...file }: FileRow, indexed: 0 | 1): Promise<void> => {
      const query = changeOne(file).set({ indexed });
      // Meanwhile attributes may have changed again, and the reset of a project may have brought the file back.
      const unlessChanged =
        indexed === 1
          ? query.where('attributes', '=', attributes)
          : query.where((q) =>
              q.or([q('removed_at', 'is not', null), q('status', 'in', ['failed', 'cancelled'])]),
            );
      await unlessChanged.execute();
    },

    async forget(removedBefore: number): Promise<void> {
      const gone = sql<boolean>`removed_at < ${removedBefore} and indexed = 0`;
      await database.transaction().execute(async (on) => {
        await noteBatches(on, gone);
        await on.withTables<FileTables>().deleteFrom('vector_store_files').where(gone).execute();
      });
    },

    /** All that is or was in a store, in no order. */
    allOf: ({
      project,
      id,
    }: StoreKey): Promise<Pick<FileRow, 'project' | 'file_id' | 'key' | 'status' | 'removed_at'>[]> =>
      db
        .selectFrom('vector_store_files')
        .select(['project', 'file_id', 'key', 'status', 'removed_at'])
        .where('project', '=', project)
        .where('store_id', '=', id)
        .execute(),
  };
}

/** As the indexes of such files are defined: one is used where its condition is found word for word. */
export const isNotCompleted = sql<boolean>`status != 'completed'`;
const isChanged = sql<boolean>`indexed = 2`;

/** What stays of a detached file says nothing of it any more. */
const detached = (now: number) => ({ removed_at: now, attributes: '{}', error_message: null });

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
