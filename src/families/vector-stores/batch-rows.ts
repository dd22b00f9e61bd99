import { type RawBuilder, sql } from 'kysely';
import { ownTurn } from '../../kit/in-turns.ts';
import { type Database, type Parameter, prepared } from '../../storage/database.ts';
import type { FileStatus } from './contract.ts';
import type { FileTables, StoreKey } from './file-rows.ts';

export interface BatchRow {
  project: string;
  id: string;
  store_id: string;
  created_at: number;
  cancelled: 0 | 1;
}

export type BatchTables = {
  vector_store_batches: BatchRow;
  /** What belongs to a batch that its own row does not name. */
  vector_store_batch_files: { project: string; batch_id: string; file_id: string };
};

interface BatchCount {
  /** Null for members that are in the store no more. */
  status: FileStatus | null;
  files: number;
  /** The last of them in the order of the ids; null for those that came with the batch. */
  last: string | null;
  /** In a row of its own. */
  newest: number | null;
}

export type BatchRows = ReturnType<typeof batchRows>;

/** Members that are counted before requests have their turn: one takes some 4 µs. */
const countedAtOnce = 100;

export function batchRows(database: Database) {
  const db = database.withTables<FileTables>();
  const batchById = prepared<BatchRow>(database, (parameter) =>
    db
      .selectFrom('vector_store_batches')
      .selectAll()
      .where('project', '=', parameter('project'))
      .where('id', '=', parameter('id'))
      .where('store_id', '=', parameter('store')),
  );
  // The members first: else all files of the store would be gone through.
  const membersOf = (parameter: Parameter, newest: RawBuilder<unknown>) =>
    sql`
      select file.status, count(*) as files, max(member.file_id) as last, null as newest
      from (
        select file_id from vector_store_batch_files
        where project = ${parameter('project')} and batch_id = ${parameter('id')}
          and file_id > ${parameter('above')} and rowid <= ${newest}
        order by file_id limit ${parameter('limit')}
      ) as member left join vector_store_files as file
        on file.project = ${parameter('project')} and file.store_id = ${parameter('store_id')}
          and file.file_id = member.file_id and file.removed_at is null
      group by file.status`;
  // In one statement, as a file that is attached anew meanwhile goes from those that came with it to the others.
  const countBatch = prepared(
    database,
    (parameter) => sql<BatchCount>`
      select status, count(*) as files, null as last, null as newest from vector_store_files
      where project = ${parameter('project')} and batch_id = ${parameter('id')} and removed_at is null
      group by status
      union all ${membersOf(parameter, sql`(select max(rowid) from vector_store_batch_files)`)}
      union all select null, 0, null, max(rowid) from vector_store_batch_files`,
  );
  const countMembers = prepared(
    database,
    (parameter) => sql<BatchCount>`${membersOf(parameter, sql`${parameter('newest')}`)}`,
  );

  return {
    find: async (store: StoreKey, id: string): Promise<BatchRow | undefined> =>
      (await batchById({ project: store.project, store: store.id, id }))[0],

    /**
     * Those that came with the batch are counted at once. The others are looked at one by one, and between some of them
     * requests have their turn, so it is no picture of one moment.
     */
    async counts({ project, id, store_id }: BatchRow): Promise<Map<FileStatus, number>> {
      const counts = new Map<FileStatus, number>();
      const members = { project, id, store_id, limit: countedAtOnce };
      let rows = await countBatch({ ...members, above: '' });
      const newest = rows.find((row) => row.newest !== null)?.newest ?? 0;
      for (;;) {
        for (const { status, files } of rows) {
          if (status !== null) counts.set(status, (counts.get(status) ?? 0) + files);
        }
        const page = rows.filter(({ last }) => last !== null);
        if (page.reduce((sum, { files }) => sum + files, 0) < countedAtOnce) return counts;
        await ownTurn();
        const above = page
          .map(({ last }) => String(last))
          .sort()
          .at(-1);
        rows = await countMembers({ ...members, above, newest });
      }
    },

    /** Gives up what is not taken in yet. */
    async cancel({ project, id, store_id }: BatchRow): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<FileTables>();
        await trx
          .updateTable('vector_store_batches')
          .set({ cancelled: 1 })
          .where('project', '=', project)
          .where('id', '=', id)
          .execute();
        await trx
          .updateTable('vector_store_files')
          .set({ status: 'cancelled' })
          .where(isOfBatch({ project, id: store_id }, id))
          .where('status', '=', 'in_progress')
          .execute();
      });
    },
  };
}

/** With no other condition that an index could be used for: else all files of the project may be looked at. */
export const isOfBatch = (store: StoreKey, id: string) =>
  sql<boolean>`rowid in (
    select rowid from vector_store_files where project = ${store.project} and batch_id = ${id}
    union all select file.rowid from vector_store_batch_files as member cross join vector_store_files as file
    where member.project = ${store.project} and member.batch_id = ${id}
      and file.project = ${store.project} and file.store_id = ${store.id} and file.file_id = member.file_id)`;

/**
 * Of rows that are about to say no more what batch they came with. With a sign, so that they are looked for by what
 * `rows` says, not among all that came with some batch.
 */
export const noteBatches = (on: Database, rows: RawBuilder<boolean>) =>
  sql`
    insert into vector_store_batch_files (project, batch_id, file_id)
    select project, batch_id, file_id from vector_store_files where +batch_id is not null and ${rows}
    on conflict do nothing`.execute(on);

/** Of files that are there already, given as JSON text of their ids. */
export const noteMembers = (on: Database, { project, id }: BatchRow, fileIds: string) =>
  sql`
    insert into vector_store_batch_files (project, batch_id, file_id)
    select ${project}, ${id}, value from json_each(${fileIds})`.execute(on);
