import { statSync } from 'node:fs';
import { join } from 'node:path';
import { type CompiledQuery, Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { sqliteDialect } from './sqlite.ts';

/** The one writer connection. Families narrow it to their tables with `withTables`. */
// biome-ignore lint/complexity/noBannedTypes: no tables until a family names its own.
export type Database = Kysely<{}>;

/** Migrations of a family: forward only, named `NNNN_what`, run in the order of their names. */
export type Migrations = Record<string, Migration>;

export const databaseFile = (directory: string): string => join(directory, 'bloomery.db');

export async function openDatabase(directory: string, migrations: Migrations): Promise<Database> {
  // biome-ignore lint/complexity/noBannedTypes: see `Database`.
  const db = new Kysely<{}>({ dialect: sqliteDialect(databaseFile(directory)) });
  const { error } = await migratorOf(db, migrations).migrateToLatest();
  if (error !== undefined) {
    await db.destroy();
    throw new Error(`The database in ${directory} could not be brought up to date: ${messageOf(error)}`, {
      cause: error,
    });
  }
  return db;
}

/** What the database takes on disk, with what is still to be merged into it. */
export function databaseBytes(directory: string): number {
  const sizes = ['bloomery.db', 'bloomery.db-wal'].map(
    (name) => statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0,
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Opens the database to look at it only. Throws unless it is up to date: there would be things missing to look at. */
export async function openDatabaseToLook(directory: string, migrations: Migrations): Promise<Database> {
  // biome-ignore lint/complexity/noBannedTypes: see `Database`.
  const db = new Kysely<{}>({ dialect: sqliteDialect(databaseFile(directory), true) });
  const known = await migratorOf(db, migrations)
    .getMigrations()
    .catch(() => null);
  if (known?.every(({ executedAt }) => executedAt !== undefined)) return db;
  await db.destroy();
  throw new Error(`The database in ${directory} was written by another version of Bloomery, or is damaged.`);
}

/** Writes the file anew without what was deleted from it, and empties its log. */
export async function compactDatabase(database: Database): Promise<void> {
  await sql`vacuum`.execute(database);
  await sql`pragma wal_checkpoint(truncate)`.execute(database);
}

const migratorOf = (db: Database, migrations: Migrations): Migrator =>
  new Migrator({
    db,
    provider: { getMigrations: async () => migrations },
    migrationTableName: 'schema_migrations',
    migrationLockTableName: 'schema_migrations_lock',
  });

const messageOf = (error: unknown): string => {
  const message = error instanceof Error ? error.message : String(error);
  return message.includes('previously executed migration')
    ? 'it was written by a newer version of Bloomery. Start that version, or use another --data directory.'
    : message;
};

const marker = Symbol('parameter');

/** A stand-in for a value given at execution; `never`, so that it fits wherever a value is asked for. */
export type Parameter = (name: string) => never;

/**
 * Builds and compiles a query once. Kysely's builders cost more than SQLite's own work on a short query, so the
 * queries of hot paths are prepared when a store is made, and only executed per request.
 */
export function prepared<Row>(
  db: Database,
  build: (parameter: Parameter) => { compile(db: Database): CompiledQuery<Row> },
): (values: Record<string, unknown>, on?: Pick<Database, 'executeQuery'>) => Promise<Row[]> {
  const compiled = build((name) => ({ [marker]: name }) as never).compile(db);
  const slots = compiled.parameters.map((value) =>
    typeof value === 'object' && value !== null && marker in value ? (value[marker] as string) : null,
  );
  return async (values, on = db) => {
    const parameters = slots.map((name, i) => (name === null ? compiled.parameters[i] : values[name]));
    return (await on.executeQuery<Row>({ ...compiled, parameters })).rows;
  };
}
