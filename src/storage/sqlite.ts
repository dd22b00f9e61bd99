import { closeSync, openSync } from 'node:fs';
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
import { type Checkpoints, openCheckpoints } from './checkpoints.ts';

const statementCacheSize = 256;
/** Pages in the log that are worth merging into the file, and how long after a commit that is looked at. */
const pagesWorthMerging = 1000;
const mergeMilliseconds = 50;
/** Pages in the log at which a commit merges them itself: nobody else has come to it. */
const mostPagesInLog = 16_384;
/** Holds what a fork of ten thousand rows changes. */
const pageCacheKilobytes = 32_768;

/** Kysely on Node's own SQLite: one connection, statements prepared once, single statements without a lock. */
export function sqliteDialect(file: string, readOnly = false): Dialect {
  return {
    createAdapter: () => new Adapter(),
    createDriver: () => new SqliteDriver(file, readOnly),
    createIntrospector: (db: Kysely<unknown>): DatabaseIntrospector => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

class Adapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }

  /** Sessions wait for each other only where they must; Kysely would have every query wait for the one before. */
  override get supportsMultipleConnections(): boolean {
    return true;
  }
}

class SqliteDriver implements Driver {
  readonly #file: string;
  readonly #readOnly: boolean;
  #sqlite: Sqlite | undefined;

  constructor(file: string, readOnly: boolean) {
    this.#file = file;
    this.#readOnly = readOnly;
  }

  async init(): Promise<void> {
    this.#sqlite = new Sqlite(this.#file, this.#readOnly);
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
    await this.#sqlite?.close();
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
    const own = this.#sqlite.transaction !== null;
    return own
      ? this.#sqlite.execute<R>(query.sql, query.parameters)
      : this.#sqlite.executeAlone<R>(query.sql, query.parameters);
  }

  async begin(): Promise<void> {
    while (this.#sqlite.transaction !== null) await this.#sqlite.transaction.ended;
    this.#sqlite.beginTransaction(this);
  }

  end(how: 'commit' | 'rollback'): void {
    this.#sqlite.endTransaction(how);
  }

  // biome-ignore lint/correctness/useYield: Kysely's interface asks for it, and no query here streams.
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new Error('Streaming queries are not used.');
  }
}

interface LoneWrite {
  statement: StatementSync;
  parameters: SQLInputValue[];
  settle: PromiseWithResolvers<QueryResult<never>>;
}

class Sqlite {
  readonly #database: DatabaseSync;
  readonly #checkpoints: Checkpoints | null;
  #look: NodeJS.Timeout | null = null;
  readonly #statements = new Map<string, { statement: StatementSync; reads: boolean }>();
  #writes: LoneWrite[] = [];
  transaction: { owner: Session; ended: Promise<void>; end: () => void } | null = null;

  constructor(file: string, readOnly: boolean) {
    // Made here, so that it is the owner's only; SQLite gives the files beside it the same mode.
    if (!readOnly) closeSync(openSync(file, 'a', 0o600));
    this.#database = new DatabaseSync(file, { readOnly });
    this.#checkpoints = readOnly ? null : openCheckpoints(file);
    if (readOnly) return;
    // WAL with `normal` survives the death of the process at any point; only a power cut can cost the last commits.
    // Zeros over what was deleted: removed means gone.
    this.#database.exec(
      `pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on; pragma foreign_keys = on; pragma busy_timeout = 5000; pragma temp_store = memory; pragma cache_size = -${pageCacheKilobytes}; pragma wal_autocheckpoint = ${mostPagesInLog}`,
    );
  }

  execute<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> {
    this.#commitWrites();
    const { statement, reads } = this.#prepare(sql);
    if (reads) return { rows: statement.all(...(parameters as SQLInputValue[])) as R[] };
    return written(statement, parameters as SQLInputValue[]);
  }

  /**
   * A statement outside of any transaction. Writes that come in one turn of the event loop are committed together,
   * since a commit costs more than most writes; each is settled when it is durable, and whatever comes next finds
   * it committed.
   */
  executeAlone<R>(sql: string, parameters: readonly unknown[]): QueryResult<R> | Promise<QueryResult<R>> {
    const { statement, reads } = this.#prepare(sql);
    if (reads) return this.execute(sql, parameters);
    const settle = Promise.withResolvers<QueryResult<never>>();
    if (this.#writes.length === 0) setImmediate(() => this.#commitWrites());
    this.#writes.push({ statement, parameters: parameters as SQLInputValue[], settle });
    return settle.promise;
  }

  /** Nothing stands between the two that could fail: a transaction that nobody owns would swallow lone writes. */
  beginTransaction(owner: Session): void {
    this.#commitWrites();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#database.exec('begin immediate');
    this.transaction = { owner, ended: promise, end: resolve };
  }

  /**
   * Some faults, such as a full disk, make SQLite roll back by itself. Whatever happens, a transaction that SQLite no
   * longer has keeps nobody waiting.
   */
  endTransaction(how: 'commit' | 'rollback'): void {
    try {
      if (how === 'commit' || this.#database.isTransaction) this.#database.exec(how);
    } finally {
      if (!this.#database.isTransaction) {
        const { transaction } = this;
        this.transaction = null;
        transaction?.end();
      }
    }
    this.#committed();
  }

  /** The log is merged into the file where it has grown, while nobody waits for it. */
  #committed(): void {
    this.#look ??= setTimeout(() => {
      this.#look = null;
      if (this.transaction !== null) return this.#committed();
      const { log, checkpointed } = this.#prepare('pragma wal_checkpoint(noop)').statement.get() as {
        log: number;
        checkpointed: number;
      };
      if (log - checkpointed >= pagesWorthMerging) this.#checkpoints?.begin();
    }, mergeMilliseconds).unref();
  }

  #commitWrites(): void {
    if (this.#writes.length === 0) return;
    const writes = this.#writes;
    this.#writes = [];
    const together = writes.length > 1;
    const results: (() => void)[] = [];
    try {
      if (together) this.#database.exec('begin immediate');
      for (const { statement, parameters, settle } of writes) {
        try {
          const result = written(statement, parameters);
          results.push(() => settle.resolve(result));
        } catch (error) {
          // A statement that fails undoes only itself, unless the fault is so grave that all is undone.
          if (together && !this.#database.isTransaction) throw error;
          results.push(() => settle.reject(error));
        }
      }
      if (together) this.#database.exec('commit');
      this.#committed();
      for (const settle of results) settle();
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec('rollback');
      for (const { settle } of writes) settle.reject(error);
    }
  }

  #prepare(sql: string) {
    const known = this.#statements.get(sql);
    if (known !== undefined) return known;
    const statement = this.#database.prepare(sql);
    const prepared = { statement, reads: statement.columns().length > 0 };
    // Else a row of a very high number, once written, would be told as one that failed.
    if (!prepared.reads) statement.setReadBigInts(true);
    if (this.#statements.size >= statementCacheSize) {
      this.#statements.delete(this.#statements.keys().next().value as string);
    }
    this.#statements.set(sql, prepared);
    return prepared;
  }

  async close(): Promise<void> {
    await this.#checkpoints?.close();
    this.#commitWrites();
    if (this.#look !== null) clearTimeout(this.#look);
    this.#statements.clear();
    this.#database.close();
  }
}

function written(statement: StatementSync, parameters: SQLInputValue[]): QueryResult<never> {
  const { changes, lastInsertRowid } = statement.run(...parameters);
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
}
