import { type RawBuilder, sql } from 'kysely';
import { invalidPayload } from '../../../errors.ts';
import type { ProjectTable, Row, Value } from '../../../kit/project-part.ts';
import type { Database } from '../../../storage/database.ts';
import { newNumber } from '../numbers.ts';

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

export interface RowWriter {
  write(table: string, row: Row, on: Database): Promise<void>;
}

export interface RowWriterOptions {
  tables: readonly ProjectTable[];
  columns: Map<string, string[]>;
  /** As the project was called in its archive, and as it is called here. */
  from: string;
  to: string;
}

/** Writes rows of an archive into a project of this server, where new numbers were given for theirs. */
export function rowWriter({ tables, columns, from, to }: RowWriterOptions): RowWriter {
  const byName = new Map(tables.map((table) => [table.table, table]));
  const here = (table: ProjectTable, column: string, value: Value): Value | RawBuilder<unknown> => {
    const counted = table.counts?.[column];
    if (counted !== undefined && typeof value === 'number') return newNumber(counted, to, sql.val(value));
    if (!table.names?.includes(column) || typeof value !== 'string') return value;
    return value.replaceAll(`/accounts/bloomery/projects/${from}/`, `/accounts/bloomery/projects/${to}/`);
  };
  return {
    async write(name, row, on) {
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
