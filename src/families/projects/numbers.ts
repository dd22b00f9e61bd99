import { type RawBuilder, sql } from 'kysely';
import type { ProjectTable } from '../../kit/project-part.ts';
import type { Database } from '../../storage/database.ts';
import { lastNumber, skipNumbers } from '../../storage/given-numbers.ts';

/**
 * Numbers of rows that are copied, while they are: what they were, and what they are to be. New ones follow each other
 * behind all that their table ever gave, so that no number grows faster than there are rows.
 */
export async function openNumbers(database: Database): Promise<void> {
  await sql`create temp table if not exists moved_numbers (list text, old integer, new integer, primary key (list, old)) without rowid`.execute(
    database,
  );
}

/** Tables whose rows are counted. */
export const counting = (tables: readonly ProjectTable[]): ProjectTable[] =>
  tables.filter(({ counts }) => counts?.seq !== undefined);

/** Those whose rows are counted through all projects. */
export const countingThroughAll = (tables: readonly ProjectTable[]): ProjectTable[] =>
  counting(tables).filter(({ countedWithin }) => countedWithin === undefined);

const listOf = (table: string, project: string): string => `${table} ${project}`;

/** Notes the numbers that a project has in a table, for another one. */
export async function noteNumbers(table: string, from: string, to: string, on: Database): Promise<void> {
  await sql`insert into temp.moved_numbers (list, old) select ${listOf(table, to)}, seq from ${sql.table(
    table,
  )} where project = ${from}`.execute(on);
}

/** Notes numbers that come from elsewhere. Two that are the same stay so. */
export async function addNumbers(
  table: string,
  to: string,
  numbers: readonly number[],
  on: Database,
): Promise<void> {
  await sql`insert or ignore into temp.moved_numbers (list, old) select ${listOf(
    table,
    to,
  )}, value from json_each(${JSON.stringify(numbers)})`.execute(on);
}

/** Gives new numbers for those that were noted, and never again. To be called in a transaction. */
export async function giveNumbers(
  { table, countedWithin }: ProjectTable,
  to: string,
  on: Database,
): Promise<void> {
  const list = listOf(table, to);
  const last = countedWithin === undefined ? await lastNumber(table, on) : null;
  await sql`update temp.moved_numbers as moved set new = ${last ?? 0} + ranked.rank from (select old, row_number() over (order by old) as rank from temp.moved_numbers where list = ${list}) as ranked where moved.list = ${list} and moved.old = ranked.old`.execute(
    on,
  );
  if (countedWithin !== undefined) return;
  const { rows } = await sql<{
    through: number | null;
  }>`select max(new) as through from temp.moved_numbers where list = ${list}`.execute(on);
  const through = rows[0]?.through ?? null;
  if (through !== null) await skipNumbers(table, { last, through }, on);
}

/** The new number; of one whose row is gone, that of the last row before it, which means the same to a reader. */
export const newNumber = (table: string, to: string, old: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`case when ${old} is null then null else coalesce((select new from temp.moved_numbers where list = ${listOf(
    table,
    to,
  )} and old <= ${old} order by old desc limit 1), 0) end`;

export async function forgetNumbers(
  tables: readonly ProjectTable[],
  to: string,
  on: Database,
): Promise<void> {
  for (const { table } of tables) {
    await sql`delete from temp.moved_numbers where list = ${listOf(table, to)}`.execute(on);
  }
}
