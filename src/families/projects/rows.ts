import { type RawBuilder, sql } from 'kysely';
import type { ProjectTable } from '../../kit/project-part.ts';
import type { Database } from '../../storage/database.ts';

/** The rows of projects in all tables, as the families declare them. */
export interface ProjectRows {
  columns: Map<string, string[]>;
  /** Copies what is kept of a project into one that is empty. */
  copy(from: string, to: string, on: Database, naming?: 'renamed' | 'as it is'): Promise<void>;
  remove(project: string, on: Database): Promise<void>;
}

export async function projectRows(database: Database, tables: readonly ProjectTable[]): Promise<ProjectRows> {
  const columns = await columnsOf(database);
  const kept = tables.filter(({ rows }) => rows === 'kept');
  // What hangs on another row goes before it.
  const removed = tables.filter(({ rows }) => rows !== 'outlives');
  const inOrder = [...removed.filter(({ parent }) => parent), ...removed.filter(({ parent }) => !parent)];

  return {
    columns,

    async copy(from, to, on, naming = 'renamed') {
      const steps = await stepsOf(kept, from, on);
      for (const table of kept) {
        const names = columns.get(table.table) ?? [];
        const values = names.map((name) => copiedValue(table, name, { from, to, steps, naming }));
        const where = table.where === undefined ? sql`` : sql` and (${table.where})`;
        await sql`insert into ${sql.table(table.table)} (${sql.join(names.map((name) => sql.ref(name)))}) select ${sql.join(values)} from ${sql.table(table.table)} where project = ${from}${where}`.execute(
          on,
        );
      }
    },

    async remove(project, on) {
      for (const { table, parent } of inOrder) {
        const theirs =
          parent === undefined
            ? sql`project = ${project}`
            : sql`${sql.ref(parent.column)} in (select id from ${sql.table(parent.table)} where project = ${project})`;
        await sql`delete from ${sql.table(table)} where ${theirs}`.execute(on);
      }
    },
  };
}

/** The columns of all tables, by table. */
async function columnsOf(database: Database): Promise<Map<string, string[]>> {
  const tables = await database.introspection.getTables();
  return new Map(tables.map(({ name, columns }) => [name, columns.map((column) => column.name)]));
}

interface Copying {
  from: string;
  to: string;
  /** By table: how far its numbers move, so that they come behind all others and keep their order. */
  steps: Map<string, number>;
  naming: 'renamed' | 'as it is';
}

function copiedValue(
  table: ProjectTable,
  name: string,
  { from, to, steps, naming }: Copying,
): RawBuilder<unknown> {
  if (name === 'project') return sql`${to}`;
  const instead = table.instead?.[name];
  if (instead !== undefined) return instead;
  const counted = table.counts?.[name];
  if (counted !== undefined) return sql`${sql.ref(name)} + ${steps.get(counted) ?? 0}`;
  if (naming === 'renamed' && table.names?.includes(name)) return renamed(sql.ref(name), from, to);
  return sql.ref(name);
}

/** Ids of connections and assets have the project's name in them, behind that of the account. */
const accountPart = '/accounts/bloomery/projects/';
const renamed = (text: RawBuilder<unknown>, from: string, to: string): RawBuilder<unknown> =>
  sql`replace(${text}, ${`${accountPart}${from}/`}, ${`${accountPart}${to}/`})`;

async function stepsOf(
  tables: readonly ProjectTable[],
  from: string,
  on: Database,
): Promise<Map<string, number>> {
  const steps = new Map<string, number>();
  for (const { table, counts } of tables) {
    if (counts?.seq === undefined) continue;
    const { rows } = await sql<{ step: number | null }>`select (select max(seq) from ${sql.table(
      table,
    )}) + 1 - min(seq) as step from ${sql.table(table)} where project = ${from}`.execute(on);
    steps.set(table, Number(rows[0]?.step ?? 0));
  }
  return steps;
}
