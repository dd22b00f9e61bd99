import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Kysely, sql } from 'kysely';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { type Database, databaseFile, type Migrations, openDatabase, prepared } from './database.ts';

type Tables = { things: { id: string; n: number } };

const migrations: Migrations = {
  '0001_things': {
    async up(db) {
      await db.schema
        .createTable('things')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('n', 'integer', (c) => c.notNull())
        .execute();
    },
  },
};

let directory: string;
let database: Database;
let db: Kysely<Tables>;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  database = await openDatabase(directory, migrations);
  db = database.withTables<Tables>();
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const insert = (id: string, n = 0) => db.insertInto('things').values({ id, n }).execute();
const ids = async () =>
  (await db.selectFrom('things').select('id').orderBy('id').execute()).map(({ id }) => id);

test('what is written is there after opening again', async () => {
  await insert('a');
  await database.destroy();
  database = await openDatabase(directory, migrations);
  db = database.withTables<Tables>();
  expect(await ids()).toEqual(['a']);
});

test('a directory that a newer version has written is refused', async () => {
  await database.destroy();
  database = await openDatabase(directory, { ...migrations, '0002_more': { up: async () => {} } });
  await database.destroy();
  await expect(openDatabase(directory, migrations)).rejects.toThrow('written by a newer version');
  database = await openDatabase(directory, { ...migrations, '0002_more': { up: async () => {} } });
});

test('of writes made together each fails or holds by itself', async () => {
  const results = await Promise.allSettled([insert('a'), insert('b'), insert('a'), insert('c')]);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(await ids()).toEqual(['a', 'b', 'c']);
});

test('a read finds the writes that were asked for before it', async () => {
  const writing = insert('a');
  expect(await ids()).toEqual(['a']);
  await writing;
});

test('a transaction holds whole or not at all, and others wait for its end', async () => {
  const inside = Promise.withResolvers<void>();
  const failing = database
    .transaction()
    .execute(async (trx) => {
      await trx.withTables<Tables>().insertInto('things').values({ id: 'gone', n: 1 }).execute();
      await inside.promise;
      throw new Error('no');
    })
    .catch((error: Error) => error.message);
  await Promise.resolve();
  const others = Promise.all([insert('b'), ids()]);
  inside.resolve();
  expect(await failing).toBe('no');
  await others;
  expect(await ids()).toEqual(['b']);
});

test('transactions in parallel lose nothing', async () => {
  await insert('counter');
  const increment = () =>
    database.transaction().execute(async (trx) => {
      const on = trx.withTables<Tables>();
      const { n } = await on
        .selectFrom('things')
        .select('n')
        .where('id', '=', 'counter')
        .executeTakeFirstOrThrow();
      await new Promise(setImmediate);
      await on
        .updateTable('things')
        .set({ n: n + 1 })
        .where('id', '=', 'counter')
        .execute();
    });
  await Promise.all(Array.from({ length: 20 }, increment));
  expect(await db.selectFrom('things').select('n').executeTakeFirst()).toEqual({ n: 20 });
});

test('a number too high for JavaScript neither fails the write nor anything after it', async () => {
  const high = sql`insert into things (rowid, id, n) values (9007199254740993, 'high', 0)`;
  await high.execute(db);
  await database
    .transaction()
    .execute((trx) => trx.withTables<Tables>().insertInto('things').values({ id: 'a', n: 1 }).execute());
  await insert('b');
  await database.destroy();
  database = await openDatabase(directory, migrations);
  db = database.withTables<Tables>();
  expect(await ids()).toEqual(['a', 'b', 'high']);
});

test('a full disk fails what meets it, and nothing else', async () => {
  await sql`pragma max_page_count = 20`.execute(db);
  const big = 'x'.repeat(200_000);
  const results = await Promise.allSettled([
    insert('small'),
    insert(big),
    database
      .transaction()
      .execute((trx) => trx.withTables<Tables>().insertInto('things').values({ id: big, n: 1 }).execute()),
  ]);
  expect(results.map(({ status }) => status).slice(1)).toEqual(['rejected', 'rejected']);
  await sql`pragma max_page_count = 100000`.execute(db);
  await insert('after');
  expect(await ids()).toContain('after');
});

test('a prepared query takes its values at execution, in a transaction too', async () => {
  const byId = prepared<{ n: number }>(database, (parameter) =>
    db.selectFrom('things').select('n').where('id', '=', parameter('id')).where('n', '>', 1),
  );
  await insert('a', 1);
  await insert('b', 2);
  expect(await byId({ id: 'a' })).toEqual([]);
  await database.transaction().execute(async (trx) => {
    await trx.withTables<Tables>().updateTable('things').set({ n: 5 }).where('id', '=', 'a').execute();
    expect(await byId({ id: 'a' }, trx)).toEqual([{ n: 5 }]);
  });
});

test('what was written goes from the log into the file while nobody waits for it', async () => {
  const bytes = 2000 * 4096;
  await database
    .transaction()
    .execute((on) =>
      sql`with recursive one(n) as (select 1 union all select n + 1 from one where n < 2100) insert into things (id, n) select n || hex(zeroblob(2000)), n from one`.execute(
        on,
      ),
    );
  await vi.waitFor(() => expect(statSync(databaseFile(directory)).size).toBeGreaterThan(bytes), {
    timeout: 10_000,
  });
  await insert('after');
  expect((await ids()).at(-1)).toBe('after');
});
