import { sql } from 'kysely';
import type { Database } from './database.ts';

/** The highest number that a table with numbers of its own has ever given to a row; null before the first. */
export async function lastNumber(table: string, on: Database): Promise<number | null> {
  const { rows } = await sql<{ seq: number }>`select seq from sqlite_sequence where name = ${table}`.execute(
    on,
  );
  return rows[0]?.seq ?? null;
}

/** Has a table give no number up to the one told. To be called in a transaction, with what `lastNumber` says there. */
export async function skipNumbers(
  table: string,
  { last, through }: { last: number | null; through: number },
  on: Database,
): Promise<void> {
  const kept =
    last === null
      ? sql`insert into sqlite_sequence (name, seq) values (${table}, ${through})`
      : sql`update sqlite_sequence set seq = ${through} where name = ${table}`;
  await kept.execute(on);
}
