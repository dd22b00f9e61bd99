import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createSealer } from '../trust/sealing.ts';
import { type Database, openDatabase } from './database.ts';
import { keptAnswerMigrations, keptAnswerStore } from './kept-answers.ts';

let directory: string;
let database: Database;
let now = 1_000_000;
const open = (most = 1000) =>
  keptAnswerStore(database, {
    sealer: createSealer([Buffer.alloc(32, 1)]),
    seconds: 60,
    most,
    now: () => now * 1000,
  });
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  database = await openDatabase(directory, keptAnswerMigrations);
});
afterEach(async () => {
  await database.destroy();
  rmSync(directory, { recursive: true });
});

const key = (id: string) => ({ project: 'p', caller: 'c', id });
const answer = { status: 200, headers: {}, text: '{"secret":1}', isStream: false };

test('a claim is taken once, until it is released', async () => {
  const store = open();
  expect(await store.claim(key('a'), 'f')).toBeNull();
  expect(await store.claim(key('a'), 'f')).toEqual({ fingerprint: 'f', answer: 'interrupted' });
  await store.release(key('a'));
  expect(await store.claim(key('a'), 'g')).toBeNull();
});

test('an answer is kept sealed, and only until its time is over', async () => {
  const store = open();
  await store.claim(key('a'), 'f');
  await store.keep(key('a'), 'f', answer, []);
  expect(await store.claim(key('a'), 'f')).toEqual({ fingerprint: 'f', answer });
  expect(
    JSON.stringify(
      await database.withTables<{ kept_answers: object }>().selectFrom('kept_answers').selectAll().execute(),
    ),
  ).not.toContain('secret');
  now += 61;
  await store.sweep();
  expect(await store.claim(key('a'), 'f')).toBeNull();
});

test('what a killed server was doing has an unknown end', async () => {
  await open().claim(key('a'), 'f');
  const next = open();
  await next.start();
  expect(await next.claim(key('a'), 'f')).toEqual({ fingerprint: 'f', answer: 'interrupted' });
});

test('a project keeps so many and no more, and none goes before its time', async () => {
  const store = open(2);
  for (const id of ['a', 'b']) {
    await store.claim(key(id), 'f');
    await store.keep(key(id), 'f', answer, []);
  }
  await expect(store.claim(key('c'), 'f')).rejects.toMatchObject({ code: 'quota_exceeded' });
  expect(await store.claim({ ...key('c'), project: 'other' }, 'f')).toBeNull();
  expect(await store.claim(key('a'), 'f')).toMatchObject({ answer });
  now += 61;
  await store.sweep();
  expect(await store.claim(key('c'), 'f')).toBeNull();
});

test('an answer goes with any of what it shows', async () => {
  const store = open();
  await store.claim(key('a'), 'f');
  await store.keep(key('a'), 'f', answer, ['one', 'two', 'two']);
  await store.forget('other', ['one']);
  expect(await store.claim(key('a'), 'f')).toMatchObject({ answer });
  await store.forget('p', ['two']);
  expect(await store.claim(key('a'), 'f')).toBeNull();
});
