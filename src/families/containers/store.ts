import { type Budget, countedRoom } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import type { Database } from '../../storage/database.ts';
import type { Owner } from '../conversations/store.ts';
import type { Container, ContainerFile, MemoryLimit } from './contract.ts';

interface ContainerRow {
  id: string;
  project: string;
  /** Empty where the caller acts for nobody in particular. */
  user_identity: string;
  name: string;
  created_at: number;
  last_active_at: number;
  expires_minutes: number;
  memory_limit: MemoryLimit;
  /** 1 once code has been run in it. */
  started: number;
  /** 1 once its files are gone from the disk. */
  emptied: number;
}

interface FileRow {
  id: string;
  container_id: string;
  /** Below /mnt/data. */
  path: string;
  bytes: number;
  created_at: number;
  source: 'user' | 'assistant';
  /** Changes with the content, and names it on disk. */
  revision: string;
}

/** An uploaded file that was copied into a container, whatever has become of the copy. */
interface GivenRow {
  container_id: string;
  file_id: string;
}

type Tables = { containers: ContainerRow; container_files: FileRow; container_given: GivenRow };

export type { ContainerRow, FileRow };
export type ContainerStore = ReturnType<typeof containerStore>;

/** Those that have expired are only listed for a while. */
export const containerBudget = (limits: { containers: number }): Budget => ({
  name: 'containers',
  most: limits.containers,
  noun: 'containers that have not expired',
  whose: 'project',
  table: 'containers',
  per: ['project'],
  only: ['emptied', '=', 0],
  isLarge: true,
});

export function containerStore(database: Database, budget: Budget) {
  const room = countedRoom(budget);
  const db = database.withTables<Tables>();
  return {
    async create(container: Omit<ContainerRow, 'started' | 'emptied'>): Promise<void> {
      await database.transaction().execute(async (on) => {
        await room.require(on, [container.project]);
        await on
          .withTables<Tables>()
          .insertInto('containers')
          .values({ ...container, started: 0, emptied: 0 })
          .execute();
      });
    },

    find: (id: string, owner: Owner): Promise<ContainerRow | undefined> =>
      db
        .selectFrom('containers')
        .selectAll()
        .where('id', '=', id)
        .where('project', '=', owner.project)
        .where('user_identity', '=', owner.userIdentity ?? '')
        .executeTakeFirst(),

    list(owner: Owner, name: string | undefined, window: Window<string>): Promise<ContainerRow[]> {
      let query = db
        .selectFrom('containers')
        .selectAll()
        .where('project', '=', owner.project)
        .where('user_identity', '=', owner.userIdentity ?? '')
        .orderBy('id', window.direction)
        .limit(window.limit);
      if (name !== undefined) query = query.where('name', '=', name);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return query.execute();
    },

    async touch(id: string, seconds: number): Promise<void> {
      await db.updateTable('containers').set({ last_active_at: seconds }).where('id', '=', id).execute();
    },

    async start(id: string, seconds: number): Promise<void> {
      await db
        .updateTable('containers')
        .set({ started: 1, last_active_at: seconds })
        .where('id', '=', id)
        .execute();
    },

    async delete(id: string): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        await trx.deleteFrom('container_files').where('container_id', '=', id).execute();
        await trx.deleteFrom('container_given').where('container_id', '=', id).execute();
        await trx.deleteFrom('containers').where('id', '=', id).execute();
        room.freed();
      });
    },

    /** Containers whose time is over and whose files are still there. */
    expired: (seconds: number, limit: number): Promise<{ id: string }[]> =>
      db
        .selectFrom('containers')
        .select('id')
        .where('emptied', '=', 0)
        .where((where) =>
          where(
            where.ref('last_active_at'),
            '<=',
            where(where.val(seconds), '-', where('expires_minutes', '*', 60)),
          ),
        )
        .limit(limit)
        .execute(),

    async idsIn(project: string, on: Database): Promise<string[]> {
      const trx = on.withTables<Tables>();
      const rows = await trx.selectFrom('containers').select('id').where('project', '=', project).execute();
      return rows.map(({ id }) => id);
    },

    /** What a container's files are called on disk; null where it is gone, or its files are. */
    async revisions(id: string): Promise<Set<string> | null> {
      const container = await db
        .selectFrom('containers')
        .select('id')
        .where('id', '=', id)
        .where('emptied', '=', 0)
        .executeTakeFirst();
      if (container === undefined) return null;
      const rows = await db
        .selectFrom('container_files')
        .select('revision')
        .where('container_id', '=', id)
        .execute();
      return new Set(rows.map(({ revision }) => revision));
    },

    async empty(id: string): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        await trx.deleteFrom('container_files').where('container_id', '=', id).execute();
        await trx.deleteFrom('container_given').where('container_id', '=', id).execute();
        await trx.updateTable('containers').set({ emptied: 1 }).where('id', '=', id).execute();
      });
    },

    /** Forgets containers that were emptied long ago. */
    async forget(lastActiveBefore: number): Promise<void> {
      await db
        .deleteFrom('containers')
        .where('emptied', '=', 1)
        .where('last_active_at', '<', lastActiveBefore)
        .execute();
    },

    files: (containerId: string): Promise<FileRow[]> =>
      db
        .selectFrom('container_files')
        .selectAll()
        .where('container_id', '=', containerId)
        .orderBy('id')
        .execute(),

    listFiles(containerId: string, window: Window<string>): Promise<FileRow[]> {
      let query = db
        .selectFrom('container_files')
        .selectAll()
        .where('container_id', '=', containerId)
        .orderBy('id', window.direction)
        .limit(window.limit);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return query.execute();
    },

    findFile: (containerId: string, id: string): Promise<FileRow | undefined> =>
      db
        .selectFrom('container_files')
        .selectAll()
        .where('container_id', '=', containerId)
        .where('id', '=', id)
        .executeTakeFirst(),

    /** A path that is taken gets the new content and keeps its id. */
    async putFile(row: FileRow): Promise<FileRow> {
      const { path, bytes, revision, source } = row;
      return db
        .insertInto('container_files')
        .values(row)
        .onConflict((on) =>
          on.columns(['container_id', 'path']).doUpdateSet({ path, bytes, revision, source }),
        )
        .returningAll()
        .executeTakeFirstOrThrow();
    },

    async given(containerId: string): Promise<Set<string>> {
      const rows = await db
        .selectFrom('container_given')
        .select('file_id')
        .where('container_id', '=', containerId)
        .execute();
      return new Set(rows.map((row) => row.file_id));
    },

    async noteGiven(row: GivenRow): Promise<void> {
      await db
        .insertInto('container_given')
        .values(row)
        .onConflict((on) => on.doNothing())
        .execute();
    },

    async deleteFile(containerId: string, id: string): Promise<void> {
      await db
        .deleteFrom('container_files')
        .where('container_id', '=', containerId)
        .where('id', '=', id)
        .execute();
    },
  };
}

const isExpired = (row: ContainerRow, now: number): boolean =>
  row.emptied === 1 || row.last_active_at + row.expires_minutes * 60 <= now;

export const toContainer = (row: ContainerRow, now: number): Container => ({
  id: row.id,
  object: 'container',
  name: row.name,
  created_at: row.created_at,
  status: isExpired(row, now) ? 'expired' : 'active',
  last_active_at: row.last_active_at,
  expires_after: { anchor: 'last_active_at', minutes: row.expires_minutes },
  memory_limit: row.memory_limit,
});

export const toFile = (row: FileRow): ContainerFile => ({
  id: row.id,
  object: 'container.file',
  container_id: row.container_id,
  created_at: row.created_at,
  bytes: row.bytes,
  path: `/mnt/data/${row.path}`,
  source: row.source,
});
