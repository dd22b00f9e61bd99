import { type RawBuilder, sql } from 'kysely';
import type { Leftovers } from '../../kit/leftovers.ts';
import type { ProjectTable } from '../../kit/project-part.ts';
import type { Database } from '../../storage/database.ts';
import { projectRows } from './rows.ts';
import { projectStore } from './store.ts';

export interface ProjectLeftoverParts {
  /** Of all families. */
  tables: readonly ProjectTable[];
  /** Projects that the next start makes, if they are not there. */
  configured: readonly string[];
  /** Notes what lies elsewhere, in the transaction that removes the rows. */
  removing(project: string, on: Database): Promise<void>;
}

export function projectLeftovers(
  database: Database,
  { tables, configured, removing }: ProjectLeftoverParts,
): Leftovers[] {
  const store = projectStore(database);
  const snapshots = async (): Promise<string[]> =>
    (await store.all()).filter(({ origin }) => origin === 'snapshot').map(({ name }) => name);
  /** Null where no server has started since projects are kept: whose the rows are is not known yet. */
  const living = async (): Promise<string[] | null> => {
    const names = (await store.all()).map(({ name }) => name);
    // What belongs to no project, as answers about the server itself, is in the one without a name.
    return names.length === 0 ? null : [...names, ...configured, ''];
  };
  const own = tables.filter(({ rows, parent }) => rows !== 'outlives' && parent === undefined);
  const removeAll = async (projects: readonly string[]): Promise<void> => {
    const { remove } = await projectRows(database, tables);
    for (const project of projects) {
      await database.transaction().execute(async (on) => {
        await removing(project, on);
        await remove(project, on);
        await store.remove(project, on);
      });
    }
  };

  return [
    {
      what: 'snapshots of exports',
      count: async () => (await snapshots()).length,
      remove: async () => removeAll(await snapshots()),
    },
    {
      what: 'rows of projects that are gone',
      async count() {
        const names = await living();
        let left = 0;
        for (const { table } of names === null ? [] : own) {
          const { rows } = await sql<{ found: number }>`
            select count(*) as found from ${sql.table(table)} where ${isNoneOf(names ?? [])}
          `.execute(database);
          left += Number(rows[0]?.found ?? 0);
        }
        return left;
      },
      async remove() {
        const names = await living();
        const gone = new Set<string>();
        for (const { table } of names === null ? [] : own) {
          const { rows } = await sql<{ project: string }>`
            select distinct project from ${sql.table(table)} where ${isNoneOf(names ?? [])}
          `.execute(database);
          for (const { project } of rows) gone.add(project);
        }
        await removeAll([...gone]);
      },
    },
  ];
}

const isNoneOf = (names: readonly string[]): RawBuilder<unknown> =>
  sql`project not in (select value from json_each(${JSON.stringify(names)}))`;
