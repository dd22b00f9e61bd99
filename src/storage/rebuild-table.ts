import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';

export interface Rebuilt {
  name: string;
  columns(table: CreateTableBuilder<string>): CreateTableBuilder<string>;
  /** Reads what the old table, by the name given, has for the new one: its columns in their order. */
  rows(old: RawBuilder<unknown>): RawBuilder<unknown>;
}

/** For migrations that give a table other keys. Its indexes go with the old one; make them anew afterwards. */
export async function rebuildTable(db: Kysely<unknown>, { name, columns, rows }: Rebuilt): Promise<void> {
  const old = `${name}_before`;
  await db.schema.alterTable(name).renameTo(old).execute();
  await columns(db.schema.createTable(name)).execute();
  await sql`insert into ${sql.table(name)} ${rows(sql.table(old))}`.execute(db);
  await db.schema.dropTable(old).execute();
}
