import { DatabaseSync, type SQLInputValue, type StatementSync } from 'node:sqlite';
import {
  type CompiledQuery,
  type DatabaseConnection,
  type DatabaseIntrospector,
  type Dialect,
  type Driver,
  type Kysely,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from 'kysely';

const statementCacheSize = 256;

/** Kysely on Node's own SQLite: one connection, statements prepared once, single statements without a lock. */
export function sqliteDialect(file: string): Dialect {
  return {
    createAdapter: () => new Adapter(),
    createDriver: () => new SqliteDriver(file),
    createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #file: string;
  #sqlite: Sqlite | undefined;

  constructor(file: string) {
    this.#file = file;
  }

  async init(): Promise<void> {
    this.#sqlite = new Sqlite(this.#file);
  }

  async acquireConnection(): Promise<DatabaseConnection> {
    return new Session(this.#sqlite as Sqlite);
  }

  async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await (connection as Session).begin();
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    (connection as Session).end('commit');
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    (connection as Session).end('rollback');
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {
    this.#sqlite?.close();
  }
}

/**
 * What Kysely holds while it works. All sessions share one SQLite connection, where a statement sent during a
 * transaction would become part of it; so whoever does not own the transaction under way waits for its end.
 */
class Session implements DatabaseConnection {
  readonly #sqlite: Sqlite;

  constructor(sqlite: Sqlite) {
    this.#sqlite = sqlite;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    while (this.#sqlite.transaction !== null && this.#sqlite.transaction.owner !== this) {
      await this.#sqlite.transaction.ended;
    }
    return this.#sqlite.execute<R>(query.sql, query.parameters);
  }

  async begin(): Promise<void> {
    while (this.#sqlite.transaction !== null) await this.#sqlite.transaction.ended;
    this.#sqlite.execute('begin immediate', []);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#sqlite.transaction = { owner: this, ended: promise, end: resolve };
  }

  end(how: 'commit' | 'rollback'): void {
    const { transaction } = this.#sqlite;
    this.#sqlite.execute(how, []);
    this.#sqlite.transaction = null;
    transaction?.end();
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface asks for it, and no query here streams.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Streaming queries are not used.');
  }
}

class Sqlite {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, { statement: StatementSync; reads: boolean }>();
  transaction: { owner: Session; ended: Promise<void>; end: () => void } | null = null;

  constructor(file: string) {
    this.#database = new DatabaseSync(file);
    // WAL with `normal` survives the death of the process at any point; only a power cut can cost the last commits.
    this.#database.exec(
      'pragma journal_mode = wal; pragma synchronous = normal; pragma foreign_keys = on; pragma busy_timeout = 5000',
    );
  }

  execute<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    const { statement, reads } = this.#prepare(sql);
    if (reads) return { rows: statement.all(...(parameters as SQLInputValue[])) as R[] };
    const { changes, lastInsertRowid } = statement.run(...(parameters as SQLInputValue[]));
    return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
  }

  #prepare(sql: string) {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const prepared = { statement, reads: statement.columns().length > 0 };
    if (this.#statements.size >= statementCacheSize) {
      this.#statements.delete(this.#statements.keys().next().value as string);
    }
    this.#statements.set(sql, prepared);
    return prepared;
  }

  close(): void {
    this.#statements.clear();
    this.#database.close();
  }
}
