import { type RawBuilder, sql } from 'kysely';
import type { Database } from './database.ts';

/** Rows of `table` that are there only as long as the row of `owner` is. */
export interface Belonging {
  table: string;
  owner: string;
  /** Columns of the table, and those of the owner that they name. */
  by: Record<string, string>;
}

export async function countOrphans(database: Database, belonging: Belonging): Promise<number> {
  const { rows } = await sql<{ found: number }>`
    select count(*) as found from ${sql.table(belonging.table)} where ${isOrphan(belonging)}
  `.execute(database);
  return Number(rows[0]?.found ?? 0);
}

export async function removeOrphans(database: Database, belonging: Belonging): Promise<void> {
  await sql`delete from ${sql.table(belonging.table)} where ${isOrphan(belonging)}`.execute(database);
}

function isOrphan({ table, owner, by }: Belonging): RawBuilder<unknown> {
  const same = Object.entries(by).map(
    ([own, of]) => sql`${sql.ref(`${owner}.${of}`)} = ${sql.ref(`${table}.${own}`)}`,
  );
  return sql`not exists (select 1 from ${sql.table(owner)} where ${sql.join(same, sql` and `)})`;
}
