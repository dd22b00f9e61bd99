import { sql } from 'kysely';
import { type Budget, requireRoom } from '../../kit/budget.ts';
import type { Window } from '../../kit/cursor-page.ts';
import { inTurns } from '../../kit/in-turns.ts';
import { type Database, prepared } from '../../storage/database.ts';
import type { AnyPurpose, File } from './contract.ts';

export interface FileRow {
  id: string;
  project: string;
  /** Where its content lies: a fork of the project has the same, which nothing changes. */
  content: string;
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

/** Ids that one query asks for at most: looking one up takes some 5 µs. */
const asked = 100;

export function fileStore(database: Database, budgets: FileBudgets) {
  const db = database.withTables<Tables>();
  const alive = (now: number) =>
    db
      .selectFrom('files')
      .selectAll()
      .where((where) => where.or([where('expires_at', 'is', null), where('expires_at', '>', now)]));
  const findAlive = prepared<FileRow>(database, (parameter) =>
    alive(parameter('now')).where('id', '=', parameter('id')).where('project', '=', parameter('project')),
  );

  const findSome = prepared<FileRow>(database, (parameter) =>
    alive(parameter('now'))
      .where('project', '=', parameter('project'))
      .where('id', 'in', sql<string>`(select value from json_each(${parameter('ids')}))`),
  );
  const findMissing = prepared(
    database,
    // Where it stands rather than the id, which need not be text that comes back as it was sent.
    (parameter) => sql<{ at: number }>`
      select key as at from json_each(${parameter('ids')})
      where not exists ${alive(parameter('now'))
        .where('id', '=', sql<string>`value`)
        .where('project', '=', parameter('project'))}
      order by key limit 1`,
  );

  return {
    /** To be called in a transaction: there may be no room for it. */
    async add(row: FileRow, on: Database): Promise<void> {
      await requireRoom(budgets.files, on, [row.project]);
      await requireRoom(budgets.bytes, on, [row.project], row.bytes);
      await on.withTables<Tables>().insertInto('files').values(row).execute();
    },

    find: async (project: string, id: string, now: number): Promise<FileRow | undefined> =>
      (await findAlive({ project, id, now }))[0],

    async findAll(project: string, ids: readonly string[], now: number): Promise<FileRow[]> {
      const rows: FileRow[] = [];
      for await (const some of inTurns(ids, asked)) {
        rows.push(...(await findSome({ project, now, ids: JSON.stringify(some) })));
      }
      return rows;
    },

    async firstMissing(project: string, ids: readonly string[], now: number): Promise<number | null> {
      let before = 0;
      for await (const some of inTurns(ids, asked)) {
        const [first] = await findMissing({ project, now, ids: JSON.stringify(some) });
        if (first !== undefined) return before + first.at;
        before += some.length;
      }
      return null;
    },

    list(project: string, purpose: string | undefined, now: number, window: Window<string>) {
      let query = alive(now).where('project', '=', project).orderBy('id', window.direction);
      if (purpose !== undefined) query = query.where('purpose', '=', purpose as AnyPurpose);
      if (window.above !== null) query = query.where('id', '>', window.above);
      if (window.below !== null) query = query.where('id', '<', window.below);
      return query.limit(window.limit).execute();
    },

    /** Answers its content where that is of no use any more: forks of a project have its files, too. */
    delete: (project: string, id: string): Promise<string | null> =>
      database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        const gone = await trx
          .deleteFrom('files')
          .where('project', '=', project)
          .where('id', '=', id)
          .returning('content')
          .executeTakeFirst();
        if (gone === undefined) return null;
        const { content } = gone;
        const other = await trx
          .selectFrom('files')
          .select('id')
          .where('content', '=', content)
          .executeTakeFirst();
        return other === undefined ? content : null;
      }),

    contentsOf: (project: string): Promise<Pick<FileRow, 'content' | 'bytes'>[]> =>
      db
        .selectFrom('files')
        .select(['content', 'bytes'])
        .distinct()
        .where('project', '=', project)
        .orderBy('content')
        .execute(),

    /** Of a project: contents that no other one has. */
    async onlyIn(project: string, on: Database): Promise<string[]> {
      const rows = await on
        .withTables<Tables>()
        .selectFrom('files as own')
        .select('own.content')
        .where('own.project', '=', project)
        .where((where) =>
          where.not(
            where.exists(
              where
                .selectFrom('files as other')
                .select('other.content')
                .whereRef('other.content', '=', 'own.content')
                .whereRef('other.project', '!=', 'own.project'),
            ),
          ),
        )
        .execute();
      return rows.map(({ content }) => content);
    },

    /** Files whose time is over, by id and project, behind `after`. */
    expired: (now: number, after: { id: string; project: string }, limit: number) =>
      db
        .selectFrom('files')
        .select(['id', 'project'])
        .where('expires_at', '<=', now)
        .where((where) =>
          where.or([
            where('id', '>', after.id),
            where.and([where('id', '=', after.id), where('project', '>', after.project)]),
          ]),
        )
        .orderBy('id')
        .orderBy('project')
        .limit(limit)
        .execute(),

    async countExpired(now: number): Promise<number> {
      const { files } = await db
        .selectFrom('files')
        .select((select) => select.fn.countAll<number>().as('files'))
        .where('expires_at', '<=', now)
        .executeTakeFirstOrThrow();
      return Number(files);
    },

    /** The files that have a content, of all projects. */
    withContent: (content: string): Promise<FileRow[]> =>
      db.selectFrom('files').selectAll().where('content', '=', content).execute(),

    /** Those of the contents that are in use, in any project. */
    async known(contents: string[]): Promise<Set<string>> {
      if (contents.length === 0) return new Set();
      const rows = await db.selectFrom('files').select('content').where('content', 'in', contents).execute();
      return new Set(rows.map(({ content }) => content));
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
