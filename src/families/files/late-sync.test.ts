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
  await late.room(bytes);
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

test('what the disk refuses stays noted, and nothing else does', async () => {
  const refusing = {
    async sync(ids: readonly string[]) {
      if (ids.includes('bad')) throw new Error('the disk is broken');
    },
  };
  const late = createLateSync(database, refusing, log);
  for (const content of ['a', 'b', 'bad', 'c']) await add(late, content);
  await late.close();
  expect(warnings).toEqual([[expect.objectContaining({ content: 'bad' }), expect.any(String)]]);
  expect(await late.left()).toEqual(['bad']);
});

test('there is room again once the disk has something, or a content is given up', async () => {
  const { rounds, contents } = slowDisk();
  const late = createLateSync(database, contents, log);
  const asked: string[] = [];
  const ask = async (content: string, bytes: number): Promise<void> => {
    await late.room(bytes);
    asked.push(content);
  };
  const soon = async () => {
    await setImmediate();
    return asked.join(' ');
  };
  await ask('a', 2 ** 30 - 1);
  await ask('b', 5);
  void ask('c', 2 ** 30);
  void ask('d', 1);
  expect(await soon()).toBe('a b');
  late.giveBack(5);
  expect(await soon()).toBe('a b c');
  await late.note('a', database);
  late.begin('a', 2 ** 30 - 1);
  late.giveBack(2 ** 30);
  expect(await soon()).toBe('a b c d');
  rounds[0]?.end.resolve();
  await late.close();
  for (let i = 0; i < 999; i++) await late.room(0);
  void ask('e', 0);
  expect(await soon()).toBe('a b c d');
  late.giveBack(1);
  expect(await soon()).toBe('a b c d e');
});
