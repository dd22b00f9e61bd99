import type { ExpressionBuilder } from 'kysely';
import type { Budget } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import { type Database, prepared } from '../../storage/database.ts';
import type { FileCounts, FileStatus, VectorStore } from './contract.ts';
import type { FileTables, StoreKey } from './file-rows.ts';

export interface StoreRow {
  project: string;
  id: string;
  /** With the id, the name of its collection in the index, which a fork of the project may share; empty for none. */
  home: string;
  name: string;
  description: string | null;
  /** JSON text. */
  metadata: string;
  /** The deployment whose vectors it has; empty for none. It never changes: vectors of two models can't be compared. */
  embeddings: string;
  created_at: number;
  last_active_at: number;
  expires_days: number | null;
  /** `expired` until the index is empty, then `emptied`; `removed` until the index is empty, then the row is gone. */
  state: 'active' | 'expired' | 'emptied' | 'removed';
}

export interface UnusedCollection {
  home: string;
  id: string;
  /** Unix seconds; 0 for what may go at once. */
  since: number;
}

export type StoreTables = { vector_stores: StoreRow; unused_collections: UnusedCollection } & FileTables;

export interface StoreUsage {
  counts: FileCounts;
  bytes: number;
}

export const vectorStoreBudget = (limits: { projectVectorStores: number }): Budget => ({
  name: 'projectVectorStores',
  most: limits.projectVectorStores,
  noun: 'vector stores',
  whose: 'project',
  table: 'vector_stores',
  per: ['project'],
  only: ['state', '!=', 'removed'],
});

export type StoreRows = ReturnType<typeof storeRows>;

const daySeconds = 86_400;

export function storeRows(database: Database) {
  const db = database.withTables<StoreTables>();
  const rows = () => db.selectFrom('vector_stores').selectAll();
  const change = ({ project, id }: StoreKey, on: Database = database) =>
    on
      .withTables<StoreTables>()
      .updateTable('vector_stores')
      .where('project', '=', project)
      .where('id', '=', id);
  const findAny = prepared<StoreRow>(database, (parameter) =>
    rows().where('project', '=', parameter('project')).where('id', '=', parameter('id')),
  );
  const findKept = prepared<StoreRow>(database, (parameter) =>
    rows()
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id'))
      .where('state', '!=', 'removed'),
  );
  return {
    find: async (project: string, id: string): Promise<StoreRow | undefined> =>
      (await findKept({ project, id }))[0],

    findAll: (project: string, ids: readonly string[]): Promise<StoreRow[]> =>
      db
        .selectFrom('vector_stores')
        .selectAll()
        .where('id', 'in', [...ids])
        .where('project', '=', project)
        .where('state', '!=', 'removed')
        .execute(),

    /** Removed ones, too. */
    any: async ({ project, id }: StoreKey): Promise<StoreRow | undefined> =>
      (await findAny({ project, id }))[0],

    /** Those whose collection in the index this is, of whatever project. */
    withCollection: (home: string, id: string): Promise<StoreRow[]> =>
      rows().where('home', '=', home).where('id', '=', id).execute(),

    list(project: string, window: Window<string>): Promise<StoreRow[]> {
      let query = db
        .selectFrom('vector_stores')
        .selectAll()
        .where('project', '=', project)
        .where('state', '!=', 'removed')
        .orderBy('id', window.direction)
        .limit(window.limit);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return query.execute();
    },

    async usage(project: string, ids: readonly string[]): Promise<Map<string, StoreUsage>> {
      const usage = new Map(ids.map((id) => [id, { counts: noCounts(), bytes: 0 }]));
      if (ids.length === 0) return usage;
      const sums = await db
        .selectFrom('vector_store_files')
        .select((q) => [
          'store_id',
          'status',
          q.fn.countAll<number>().as('files'),
          q.fn.sum<number>('usage_bytes').as('bytes'),
        ])
        .where('project', '=', project)
        .where('store_id', 'in', [...ids])
        .where('removed_at', 'is', null)
        .groupBy(['store_id', 'status'])
        .execute();
      for (const { store_id, status, files, bytes } of sums) {
        const of = usage.get(store_id);
        if (of === undefined) continue;
        addCount(of.counts, status, Number(files));
        of.bytes += Number(bytes);
      }
      return usage;
    },

    async update(
      store: StoreKey,
      changes: Partial<Pick<StoreRow, 'name' | 'metadata' | 'expires_days'>>,
    ): Promise<void> {
      if (Object.keys(changes).length === 0) return;
      await change(store).set(changes).execute();
    },

    async touch(store: StoreKey, now: number): Promise<void> {
      await change(store).set({ last_active_at: now }).where('state', '=', 'active').execute();
    },

    /** Nobody sees it from now on. */
    async remove({ project, id }: StoreKey): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<StoreTables>();
        await change({ project, id }, on).set({ state: 'removed' }).execute();
        await trx
          .deleteFrom('vector_store_batch_files')
          .where('project', '=', project)
          .where('batch_id', 'in', (q) =>
            q
              .selectFrom('vector_store_batches')
              .select('id')
              .where('project', '=', project)
              .where('store_id', '=', id),
          )
          .execute();
        for (const table of ['vector_store_batches', 'vector_store_files'] as const) {
          await trx.deleteFrom(table).where('project', '=', project).where('store_id', '=', id).execute();
        }
      });
    },

    /** Of stores that are deleted or over, those whose chunks are not known to be gone. */
    async countToEmpty(now: number): Promise<number> {
      const { rows } = await db
        .selectFrom('vector_stores')
        .select((q) => q.fn.countAll<number>().as('rows'))
        .where((q) =>
          q.or([
            q('state', 'in', ['expired', 'removed']),
            q.and([q('state', '=', 'active'), isOver(q, now)]),
          ]),
        )
        .executeTakeFirstOrThrow();
      return Number(rows);
    },

    /** Marks stores whose time is over; what was still to be taken in is given up. */
    async expire(now: number, limit: number): Promise<StoreKey[]> {
      const due = await db
        .selectFrom('vector_stores')
        .select(['project', 'id'])
        .where('state', '=', 'active')
        .where((q) => isOver(q, now))
        .limit(limit)
        .execute();
      if (due.length === 0) return due;
      await database.transaction().execute(async (on) => {
        for (const store of due) {
          await change(store, on).set({ state: 'expired' }).execute();
          await on
            .withTables<StoreTables>()
            .updateTable('vector_store_files')
            .set({ status: 'cancelled' })
            .where('project', '=', store.project)
            .where('store_id', '=', store.id)
            .where('status', '=', 'in_progress')
            .execute();
        }
      });
      return due;
    },

    /** Those whose chunks are to be removed, one and all. */
    toEmpty: (limit: number): Promise<StoreRow[]> =>
      rows().where('state', 'in', ['expired', 'removed']).limit(limit).execute(),

    /** Notes that the index has nothing of it any more. */
    async emptied({ project, id, state }: StoreRow): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<StoreTables>();
        if (state === 'removed') {
          await trx
            .deleteFrom('vector_stores')
            .where('project', '=', project)
            .where('id', '=', id)
            .where('state', '=', state)
            .execute();
          return;
        }
        const emptied = await change({ project, id }, on)
          .set({ state: 'emptied', home: '' })
          .where('state', '=', state)
          .executeTakeFirstOrThrow();
        // The reset of a project may have brought it back meanwhile.
        if (emptied.numUpdatedRows === 0n) return;
        await trx
          .updateTable('vector_store_files')
          .set({ indexed: 0, usage_bytes: 0 })
          .where('project', '=', project)
          .where('store_id', '=', id)
          .execute();
      });
    },

    activeAfter: ({ project, id }: StoreKey, limit: number): Promise<StoreRow[]> =>
      rows()
        .where('state', '=', 'active')
        .where((q) =>
          q.or([q('project', '>', project), q.and([q('project', '=', project), q('id', '>', id)])]),
        )
        .orderBy('project')
        .orderBy('id')
        .limit(limit)
        .execute(),
  };
}

/** All that changes the collection of a store goes one after another: what they wait by. */
export const storeTurn = ({ project, id }: StoreKey): string => `${project}/${id}`;

const isOver = (q: ExpressionBuilder<StoreTables, 'vector_stores'>, now: number) =>
  q.and([
    q('expires_days', 'is not', null),
    q(q.ref('last_active_at'), '<=', q(q.val(now), '-', q('expires_days', '*', daySeconds))),
  ]);

export const noCounts = (): FileCounts => ({
  in_progress: 0,
  completed: 0,
  failed: 0,
  cancelled: 0,
  total: 0,
});

export function addCount(counts: FileCounts, status: FileStatus, files: number): void {
  counts[status] += files;
  counts.total += files;
}

const expiryOf = ({ expires_days: days, last_active_at: last }: StoreRow): number | null =>
  days === null ? null : last + days * daySeconds;

export function isExpired(row: StoreRow, now: number): boolean {
  const at = expiryOf(row);
  return row.state !== 'active' || (at !== null && at <= now);
}

export const toStore = (row: StoreRow, { counts, bytes }: StoreUsage, now: number): VectorStore => ({
  id: row.id,
  object: 'vector_store',
  created_at: row.created_at,
  name: row.name,
  description: row.description,
  usage_bytes: bytes,
  file_counts: counts,
  status: isExpired(row, now) ? 'expired' : counts.in_progress > 0 ? 'in_progress' : 'completed',
  ...(row.expires_days === null
    ? {}
    : { expires_after: { anchor: 'last_active_at' as const, days: row.expires_days } }),
  expires_at: expiryOf(row),
  last_active_at: row.last_active_at,
  metadata: JSON.parse(row.metadata),
});
