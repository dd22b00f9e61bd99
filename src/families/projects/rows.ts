import { type RawBuilder, sql } from 'kysely';
import type { ProjectTable } from '../../kit/project-part.ts';
import type { Database } from '../../storage/database.ts';
import { counting, forgetNumbers, giveNumbers, newNumber, noteNumbers, openNumbers } from './numbers.ts';

/** The rows of projects in all tables, as the families declare them. */
export interface ProjectRows {
  columns: Map<string, string[]>;
  /** Copies what is kept of a project into one that is empty. */
  copy(from: string, to: string, on: Database, naming?: 'renamed' | 'as it is'): Promise<void>;
  remove(project: string, on: Database): Promise<void>;
}

export async function projectRows(database: Database, tables: readonly ProjectTable[]): Promise<ProjectRows> {
  const columns = await columnsOf(database);
  await openNumbers(database);
  const kept = tables.filter(({ rows }) => rows === 'kept');
  // What hangs on another row goes before it.
  const removed = tables.filter(({ rows }) => rows !== 'outlives');
  const inOrder = [...removed.filter(({ parent }) => parent), ...removed.filter(({ parent }) => !parent)];

  return {
    columns,

    async copy(from, to, on, naming = 'renamed') {
      const counted = counting(kept);
      for (const table of counted) {
        await noteNumbers(table, from, to, on);
        await giveNumbers(table, to, on);
      }
      for (const table of kept) {
        const names = columns.get(table.table) ?? [];
        const values = names.map((name) => copiedValue(table, name, { from, to, naming }));
        const where = table.where === undefined ? sql`` : sql` and (${table.where})`;
        await sql`insert into ${sql.table(table.table)} (${sql.join(names.map((name) => sql.ref(name)))}) select ${sql.join(values)} from ${sql.table(table.table)} where project = ${from}${where}`.execute(
          on,
        );
      }
      await forgetNumbers(counted, to, on);
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
  naming: 'renamed' | 'as it is';
}

function copiedValue(table: ProjectTable, name: string, { from, to, naming }: Copying): RawBuilder<unknown> {
  if (name === 'project') return sql`${to}`;
  const instead = table.instead?.[name];
  if (instead !== undefined) return instead;
  const counted = table.counts?.[name];
  if (counted !== undefined) return newNumber(counted, to, sql.ref(`${table.table}.${name}`));
  if (naming === 'renamed' && table.names?.includes(name)) return renamed(sql.ref(name), from, to);
  return sql.ref(name);
}

/** Ids of connections and assets have the project's name in them, behind that of the account. */
const accountPart = '/accounts/bloomery/projects/';
const renamed = (text: RawBuilder<unknown>, from: string, to: string): RawBuilder<unknown> =>
  sql`replace(${text}, ${`${accountPart}${from}/`}, ${`${accountPart}${to}/`})`;
