import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Database, openDatabase } from '../../storage/database.ts';
import { createLateSync, type LateSync } from './late-sync.ts';
import { migrations } from './migrations.ts';

let directory: string;
let database: Database;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-sync-'));
  database = await openDatabase(directory, migrations);
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true, force: true });
});

const warnings: unknown[] = [];
const log = { warn: (...args: unknown[]) => void warnings.push(args) };

/** A disk that syncs one round when it is told to. */
function slowDisk() {
  const rounds: { ids: readonly string[]; end: PromiseWithResolvers<void> }[] = [];
  return {
    rounds,
    contents: {
      sync(ids: readonly string[]) {
        const end = Promise.withResolvers<void>();
        rounds.push({ ids, end });
        return end.promise;
      },
    },
  };
}

async function add(late: LateSync, content: string, bytes = 1): Promise<void> {
  await late.note(content, database);
  late.begin(content, bytes);
}

test('what comes while the disk is busy is synced together, and forgotten once it is', async () => {
  const { rounds, contents } = slowDisk();
  const late = createLateSync(database, contents, log);
  for (const content of ['a', 'b', 'c']) await add(late, content);
  expect(rounds.map(({ ids }) => ids)).toEqual([['a']]);
  expect(await late.left()).toEqual(['a', 'b', 'c']);
  rounds[0]?.end.resolve();
  await expect.poll(() => rounds.map(({ ids }) => ids)).toEqual([['a'], ['b', 'c']]);
  expect(await late.left()).toEqual(['b', 'c']);
  rounds[1]?.end.resolve();
  await late.close();
  expect(await late.left()).toEqual([]);
});

test('what the disk refuses stays noted, and holds nobody up', async () => {
  const { rounds, contents } = slowDisk();
  const late = createLateSync(database, contents, log);
  await add(late, 'a');
  rounds[0]?.end.reject(new Error('the disk is broken'));
  await late.close();
  expect(warnings).toHaveLength(1);
  await add(late, 'b');
  rounds[1]?.end.resolve();
  await late.close();
  expect(await late.left()).toEqual(['a']);
});

test('there is no room for more than a gibibyte, or a thousand contents', async () => {
  const { rounds, contents } = slowDisk();
  const late = createLateSync(database, contents, log);
  const hasRoom = () => Promise.race([late.room().then(() => true), setImmediate(false)]);
  await add(late, 'a', 2 ** 30 - 1);
  expect(await hasRoom()).toBe(true);
  await add(late, 'b', 1);
  const room = late.room();
  expect(await hasRoom()).toBe(false);
  rounds[0]?.end.resolve();
  await room;
  await expect.poll(() => rounds.length).toBe(2);
  rounds[1]?.end.resolve();
  await late.close();
  for (let i = 0; i < 1000; i++) late.begin(`many ${i}`, 1);
  expect(await hasRoom()).toBe(false);
  await expect.poll(() => rounds.length).toBe(3);
  rounds[2]?.end.resolve();
  await expect.poll(() => rounds.length).toBe(4);
  await late.room();
  rounds[3]?.end.resolve();
  await late.close();
});
