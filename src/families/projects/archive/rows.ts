import { type RawBuilder, sql } from 'kysely';
import { invalidPayload } from '../../../errors.ts';
import type { ProjectTable, Row, Value } from '../../../kit/project-part.ts';
import type { Database } from '../../../storage/database.ts';

/** Rows that are in memory at once, while they are read. */
const pageRows = 50;

/** The rows of a project in one table, page by page, in the order of their keys. */
export async function* rowsOf(
  database: Database,
  { table, key = [] }: ProjectTable,
  project: string,
): AsyncGenerator<Row[]> {
  const order = sql.join(key.map((column) => sql.ref(column)));
  let after: RawBuilder<unknown> = sql``;
  for (;;) {
    const { rows } =
      await sql<Row>`select * from ${sql.table(table)} where project = ${project}${after} order by ${order} limit ${pageRows}`.execute(
        database,
      );
    if (rows.length > 0) yield rows;
    const last = rows.at(-1);
    if (last === undefined || rows.length < pageRows) return;
    after = sql` and (${order}) > (${sql.join(key.map((column) => last[column] ?? null))})`;
  }
}

/** The lowest number of a project in each table that counts; what is read in again is counted from there. */
export async function lowestNumbers(
  database: Database,
  tables: readonly ProjectTable[],
  project: string,
): Promise<Record<string, number>> {
  const lowest: Record<string, number> = {};
  for (const { table, counts } of tables) {
    if (counts?.seq === undefined) continue;
    const { rows } = await sql<{
      n: number | null;
    }>`select min(seq) as n from ${sql.table(table)} where project = ${project}`.execute(database);
    lowest[table] = Number(rows[0]?.n ?? 0);
  }
  return lowest;
}

export interface RowWriter {
  write(table: string, row: Row): Promise<void>;
}

export interface RowWriterOptions {
  tables: readonly ProjectTable[];
  columns: Map<string, string[]>;
  /** As the project was called in its archive, and as it is called here. */
  from: string;
  to: string;
  lowest: Record<string, number>;
  on: Database;
}

/** Writes rows of an archive into a project of this server. */
export async function rowWriter({
  tables,
  columns,
  from,
  to,
  lowest,
  on,
}: RowWriterOptions): Promise<RowWriter> {
  const byName = new Map(tables.map((table) => [table.table, table]));
  const steps = new Map<string, number>();
  for (const { table, counts } of tables) {
    if (counts?.seq === undefined) continue;
    const { rows } = await sql<{ n: number | null }>`select max(seq) as n from ${sql.table(table)}`.execute(
      on,
    );
    steps.set(table, Number(rows[0]?.n ?? 0) + 1 - (lowest[table] ?? 0));
  }
  const here = (table: ProjectTable, column: string, value: Value): Value => {
    const counted = table.counts?.[column];
    if (counted !== undefined && typeof value === 'number') return value + (steps.get(counted) ?? 0);
    if (!table.names?.includes(column) || typeof value !== 'string') return value;
    return value.replaceAll(`/accounts/bloomery/projects/${from}/`, `/accounts/bloomery/projects/${to}/`);
  };
  return {
    async write(name, row) {
      const table = byName.get(name);
      const known = columns.get(name);
      if (table === undefined || known === undefined) throw strange(`a table '${name.slice(0, 64)}'`);
      const given = Object.keys(row).filter((column) => column !== 'project');
      const unknown = given.find((column) => !known.includes(column));
      if (unknown !== undefined) throw strange(`a column '${name}.${unknown.slice(0, 64)}'`);
      const values = given.map((column) => here(table, column, knownValue(row[column])));
      await sql`insert into ${sql.table(name)} (${sql.join(['project', ...given].map((column) => sql.ref(column)))}) values (${sql.join([to, ...values])})`.execute(
        on,
      );
    },
  };
}

function knownValue(value: unknown): Value {
  if (value === null || typeof value === 'string' || Number.isSafeInteger(value)) return value as Value;
  throw strange('a value that is neither text nor a whole number');
}

const strange = (what: string) =>
  invalidPayload('file', `The archive has ${what} in it, which this version does not know.`);
