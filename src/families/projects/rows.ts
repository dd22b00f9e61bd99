import { type RawBuilder, sql } from 'kysely';
import type { ProjectTable } from '../../kit/project-part.ts';
import type { Database } from '../../storage/database.ts';
import {
  countingThroughAll,
  forgetNumbers,
  giveNumbers,
  newNumber,
  noteNumbers,
  openNumbers,
} from './numbers.ts';

/** The rows of projects in all tables, as the families declare them. */
export interface ProjectRows {
  columns: Map<string, string[]>;
  /** Copies what is kept of a project into one that is empty. */
  copy(from: string, to: string, on: Database, naming?: 'renamed' | 'as it is'): Promise<void>;
  remove(project: string, on: Database): Promise<void>;
  /** The same as removing and copying; rows that are the same already stay, since most are. */
  align(from: string, to: string, on: Database): Promise<void>;
}

export async function projectRows(database: Database, tables: readonly ProjectTable[]): Promise<ProjectRows> {
  const columns = await columnsOf(database);
  await openNumbers(database);
  const kept = tables.filter(({ rows }) => rows === 'kept');
  // What hangs on another row goes before it.
  const removed = tables.filter(({ rows }) => rows !== 'outlives');
  const inOrder = [...removed.filter(({ parent }) => parent), ...removed.filter(({ parent }) => !parent)];

  const namesOf = ({ table }: ProjectTable): string[] => columns.get(table) ?? [];
  const throughAll = countingThroughAll(kept);
  const isNewNumber = ({ counts }: ProjectTable, name: string): boolean =>
    throughAll.some(({ table }) => table === counts?.[name]);
  const isAlignable = (table: ProjectTable): boolean =>
    table.rows === 'kept' && !namesOf(table).some((name) => isNewNumber(table, name));

  const copiedValue = (
    table: ProjectTable,
    name: string,
    copying: Copying,
    row: string,
  ): RawBuilder<unknown> => {
    const { from, to, naming } = copying;
    if (name === 'project') return sql`${to}`;
    const instead = table.instead?.[name];
    if (instead !== undefined) return instead;
    const old = sql.ref(`${row}.${name}`);
    if (isNewNumber(table, name)) return newNumber(table.counts?.[name] as string, to, old);
    return naming === 'renamed' && table.names?.includes(name) ? renamed(old, from, to) : old;
  };

  /** A row that there is already is one that is the same: what is not has been removed. */
  const copyTable = async (table: ProjectTable, copying: Copying, on: Database): Promise<void> => {
    const names = namesOf(table);
    const values = names.map((name) => copiedValue(table, name, copying, table.table));
    await sql`insert into ${sql.table(table.table)} (${sql.join(names.map((name) => sql.ref(name)))}) select ${sql.join(values)} from ${sql.table(table.table)} where project = ${copying.from}${keptOf(table)} on conflict do nothing`.execute(
      on,
    );
  };
  const copy = async (copying: Copying, on: Database): Promise<void> => {
    for (const table of throughAll) {
      await noteNumbers(table.table, copying.from, copying.to, on);
      await giveNumbers(table, copying.to, on);
    }
    for (const table of kept) await copyTable(table, copying, on);
    await forgetNumbers(throughAll, copying.to, on);
  };

  const removeAll = async ({ table, parent }: ProjectTable, project: string, on: Database): Promise<void> => {
    const theirs =
      parent === undefined
        ? sql`project = ${project}`
        : sql`${sql.ref(parent.column)} in (select id from ${sql.table(parent.table)} where project = ${project})`;
    await sql`delete from ${sql.table(table)} where ${theirs}`.execute(on);
  };
  /** Removes what would not be there after a copy, or not like that. */
  const removeOther = async (table: ProjectTable, copying: Copying, on: Database): Promise<void> => {
    const names = namesOf(table).filter((name) => name !== 'project');
    const isSame = names.map((name) => {
      const here = sql.ref(`${table.table}.${name}`);
      const there = copiedValue(table, name, copying, 'origin');
      // What is never null is compared so that the key leads there.
      return table.key?.includes(name) ? sql`${there} = ${here}` : sql`${there} is ${here}`;
    });
    await sql`delete from ${sql.table(table.table)} where project = ${copying.to} and not exists (select 1 from ${sql.table(table.table)} as origin where origin.project = ${copying.from}${keptOf(table)} and ${sql.join(isSame, sql` and `)})`.execute(
      on,
    );
  };

  return {
    columns,

    copy: (from, to, on, naming = 'renamed') => copy({ from, to, naming }, on),

    async remove(project, on) {
      for (const table of inOrder) await removeAll(table, project, on);
    },

    async align(from, to, on) {
      for (const table of inOrder) {
        if (isAlignable(table)) await removeOther(table, { from, to, naming: 'renamed' }, on);
        else await removeAll(table, to, on);
      }
      await copy({ from, to, naming: 'renamed' }, on);
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

const keptOf = ({ where }: ProjectTable): RawBuilder<unknown> =>
  where === undefined ? sql`` : sql` and (${where})`;

/** Ids of connections and assets have the project's name in them, behind that of the account. */
const accountPart = '/accounts/bloomery/projects/';
const renamed = (text: RawBuilder<unknown>, from: string, to: string): RawBuilder<unknown> =>
  sql`replace(${text}, ${`${accountPart}${from}/`}, ${`${accountPart}${to}/`})`;
