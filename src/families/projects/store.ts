import type { Database } from '../../storage/database.ts';
import type { Project } from './contract.ts';

/** A `snapshot` is what an archive is written from, an `unfinished` one what an archive is being read into. */
export type Origin = Project['origin'] | 'snapshot' | 'unfinished';

/** Nobody's project: it is there while something is under way, and what is left of that goes at the next start. */
export const isPassing = ({ origin }: Pick<ProjectRow, 'origin'>): boolean =>
  origin === 'snapshot' || origin === 'unfinished';

export interface ProjectRow {
  name: string;
  /** Unix seconds. */
  created_at: number;
  origin: Origin;
  /** Null for none, and once that is deleted. */
  fork_of: string | null;
  /** JSON list; see `seals.ts`. */
  seals: string;
}

type Tables = { projects: ProjectRow };

export type ProjectStore = ReturnType<typeof projectStore>;

export function projectStore(database: Database) {
  const projects = (on: Database) => on.withTables<Tables>();
  return {
    all: (): Promise<ProjectRow[]> => projects(database).selectFrom('projects').selectAll().execute(),

    find: (name: string, on: Database): Promise<ProjectRow | undefined> =>
      projects(on).selectFrom('projects').selectAll().where('name', '=', name).executeTakeFirst(),

    async add(row: ProjectRow, on: Database = database): Promise<void> {
      await projects(on).insertInto('projects').values(row).execute();
    },

    async setSeals(name: string, seals: string, on: Database): Promise<void> {
      await projects(on).updateTable('projects').set({ seals }).where('name', '=', name).execute();
    },

    async setOrigin(name: string, origin: Origin, on: Database = database): Promise<void> {
      await projects(on).updateTable('projects').set({ origin }).where('name', '=', name).execute();
    },

    /** Its forks are nobody's from then on. */
    async remove(name: string, on: Database): Promise<void> {
      await projects(on).deleteFrom('projects').where('name', '=', name).execute();
      await projects(on).updateTable('projects').set({ fork_of: null }).where('fork_of', '=', name).execute();
    },
  };
}
