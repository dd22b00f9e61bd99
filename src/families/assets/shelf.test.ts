import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Blobs } from '../../providers/blobs/blobs.ts';
import { embeddedBlobs } from '../../providers/blobs/embedded/embedded-blobs.ts';
import { type Database, openDatabase } from '../../storage/database.ts';
import type { AssetName } from './asset-shapes.ts';
import { migrations } from './migrations.ts';
import { createShelf, type Shelf } from './shelf.ts';
import { type AssetStore, assetBudget, assetStore } from './store.ts';

const asset: AssetName = { project: 'default', kind: 'datasets', name: 'data', version: '1' };
const doomed = { project: 'default', storage: null, container: 'content' };
const upload = { id: null, newId: 'one', place: { storage: null, container: 'content' }, now: 1000 };

let directory: string;
let database: Database;
let blobs: Blobs;
let store: AssetStore;
let warnings: string[];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-shelf-'));
  database = await openDatabase(directory, migrations);
  const key = Buffer.alloc(64).toString('base64');
  blobs = embeddedBlobs({ directory: join(directory, 'blobs'), key, sasMinutes: 5 });
  store = assetStore(database, assetBudget({ assets: 100 }));
  warnings = [];
  await blobs.createContainer('content');
});

afterEach(async () => {
  await database.destroy();
  await blobs.close();
  rmSync(directory, { recursive: true });
});

function shelfOf(own: Blobs, abandonedSeconds = 60): Shelf {
  const accounts = {
    own,
    of: async () => ({ blobs: own, storage: null }),
    async check() {},
  };
  const log = { warn: (_: object, message: string) => void warnings.push(message) };
  return createShelf({ store, accounts, abandonedSeconds, log });
}

const isThere = () =>
  blobs.list('content', 1).then(
    () => true,
    () => false,
  );

test('an upload that nobody asks for any more is given up, with what was uploaded', async () => {
  await store.startUpload(asset, { ...upload, now: Math.floor(Date.now() / 1000) });
  const patient = shelfOf(blobs);
  patient.startSweeping();
  await patient.close();
  expect(await isThere()).toBe(true);

  const impatient = shelfOf(blobs, -60);
  impatient.startSweeping();
  await expect.poll(isThere).toBe(false);
  await impatient.close();
  expect(await store.uploads(asset)).toEqual([]);
  expect(await store.doomed('', 1)).toEqual([]);
});

test('content of what was deleted before a crash is deleted after it', async () => {
  const started = await store.startUpload(asset, upload);
  if (started === 'full') throw new Error('no room');
  expect(await store.add(asset, {}, started)).toBe(true);
  expect(await store.remove(asset)).toEqual(doomed);
  const shelf = shelfOf(blobs);
  shelf.startSweeping();
  await expect.poll(isThere).toBe(false);
  await shelf.close();
});

test('content that cannot be deleted is told of, and tried again', async () => {
  const started = await store.startUpload(asset, upload);
  if (started === 'full') throw new Error('no room');
  await store.add(asset, {}, started);
  await store.remove(asset);
  await shelfOf({ ...blobs, deleteContainer: () => Promise.reject(new Error('unreachable')) }).remove(doomed);
  expect(warnings).toHaveLength(1);
  expect(await store.doomed('', 2)).toHaveLength(1);
  const shelf = shelfOf(blobs);
  shelf.startSweeping();
  await expect.poll(isThere).toBe(false);
  await shelf.close();
  expect(await store.doomed('', 2)).toEqual([]);
});

test('a version is made once, and an upload becomes the content of one version only', async () => {
  const started = await store.startUpload(asset, upload);
  if (started === 'full') throw new Error('no room');
  const made = await Promise.all([store.add(asset, {}, started), store.add(asset, {}, started)]);
  expect(made).toEqual([true, false]);
  expect(await store.add({ ...asset, version: '2' }, {}, started)).toBe(false);
});

test('the containers of an import are left alone while it goes on, and go after a kill', async () => {
  const there = (name: string) => blobs.list(name, 1).then(Boolean, () => false);
  const shelf = shelfOf(blobs);
  const [ended, broken] = [shelf.startImport('new'), shelf.startImport('other')];
  const [kept, lost] = [await ended.container(), await broken.container()];
  await shelf.sweep();
  expect([await there(kept), await there(lost)]).toEqual([true, true]);
  await database.transaction().execute(ended.written);
  // Another process knows nothing of the import that has not ended.
  await shelfOf(blobs).sweep();
  expect([await there(kept), await there(lost)]).toEqual([true, false]);
  const refused = shelf.startImport('third');
  const unused = await refused.container();
  await refused.discard();
  expect([await there(unused), await store.doomed('', 10)]).toEqual([false, []]);
});
