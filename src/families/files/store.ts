import { type Budget, requireRoom } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import type { Database } from '../../storage/database.ts';
import type { AnyPurpose, File } from './contract.ts';

export interface FileRow {
  id: string;
  project: string;
  filename: string;
  bytes: number;
  purpose: AnyPurpose;
  media_type: string;
  sha256: string;
  created_at: number;
  expires_at: number | null;
}

type Tables = { files: FileRow };

export interface FileBudgets {
  files: Budget;
  bytes: Budget;
}

const ofFiles = { whose: 'project', table: 'files', per: ['project'] };

export const fileBudgets = (limits: { projectFiles: number; projectFilesBytes: number }): FileBudgets => ({
  files: { ...ofFiles, name: 'projectFiles', most: limits.projectFiles, noun: 'files' },
  bytes: {
    ...ofFiles,
    name: 'projectFilesBytes',
    most: limits.projectFilesBytes,
    noun: 'bytes of files',
    sum: 'bytes',
  },
});

export type FileStore = ReturnType<typeof fileStore>;

/** Ids that one query asks for at most; stores have a bound on parameters. */
const asked = 500;

export function fileStore(database: Database, budgets: FileBudgets) {
  const db = database.withTables<Tables>();
  const alive = (now: number) =>
    db
      .selectFrom('files')
      .selectAll()
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]));

  return {
    /** To be called in a transaction: there may be no room for it. */
    async add(row: FileRow, on: Database): Promise<void> {
      await requireRoom(budgets.files, on, [row.project]);
      await requireRoom(budgets.bytes, on, [row.project], row.bytes);
      await on.withTables<Tables>().insertInto('files').values(row).execute();
    },

    find: (project: string, id: string, now: number): Promise<FileRow | undefined> =>
      alive(now).where('id', '=', id).where('project', '=', project).executeTakeFirst(),

    async findAll(project: string, ids: readonly string[], now: number): Promise<FileRow[]> {
      const rows: FileRow[] = [];
      for (let at = 0; at < ids.length; at += asked) {
        const some = ids.slice(at, at + asked);
        rows.push(...(await alive(now).where('project', '=', project).where('id', 'in', some).execute()));
      }
      return rows;
    },

    list(project: string, purpose: string | undefined, now: number, window: Window<string>) {
      let query = alive(now).where('project', '=', project).orderBy('id', window.direction);
      if (purpose !== undefined) query = query.where('purpose', '=', purpose as AnyPurpose);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return query.limit(window.limit).execute();
    },

    async delete(id: string): Promise<void> {
      await db.deleteFrom('files').where('id', '=', id).execute();
    },

    /** Files whose time is over, by id, behind `after`. */
    expired: (now: number, after: string, limit: number) =>
      db
        .selectFrom('files')
        .select(['id', 'project'])
        .where('expires_at', '<=', now)
        .where('id', '>', after)
        .orderBy('id')
        .limit(limit)
        .execute(),

    /** Those of the ids that are there, in any project. */
    async known(ids: string[]): Promise<Set<string>> {
      if (ids.length === 0) return new Set();
      const rows = await db.selectFrom('files').select('id').where('id', 'in', ids).execute();
      return new Set(rows.map(({ id }) => id));
    },
  };
}

export const toFile = (row: FileRow): File => ({
  id: row.id,
  object: 'file',
  bytes: row.bytes,
  created_at: row.created_at,
  ...(row.expires_at === null ? {} : { expires_at: row.expires_at }),
  filename: row.filename,
  purpose: row.purpose,
  status: 'processed',
});
