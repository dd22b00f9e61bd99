import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Client, Cut, createClient, type Json, listAll, Refused } from './client.ts';
import { purge } from './purge-check.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { type ServedProcess, startProcess } from './served-process.ts';

const kills = Number(process.env.BLOOMERY_KILLS ?? 10);
const seed = Number(process.env.BLOOMERY_SEED ?? randomInt(2 ** 31));

/** A kill comes behind so many requests and answers, at most, and so long behind that one. */
const mostEvents = 60;
const mostMilliseconds = 300;
/** How long what was left may take after a restart. */
const endMilliseconds = 120_000;
/** How all words begin. */
const mark = 'zanzibar';
const vectorStores = '/openai/v1/vector_stores';

/** A file with a word that no other has. `attached` is null where an answer was cut off. */
interface Known {
  id: string;
  word: string;
  store: string;
  attached: boolean | null;
}

let directory: string;
let server: ServedProcess;
/** Is told of every request and answer. */
let onEvent = () => {};
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-ingestion-'));
  server = await startProcess(directory);
});
afterEach(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

test(`what vector stores show is whole and found, through ${kills} kills`, {
  timeout: 60_000 + kills * 120_000,
}, async () => {
  process.stderr.write(`BLOOMERY_SEED=${seed} BLOOMERY_KILLS=${kills}\n`);
  const random = seededRandom(seed);
  const known: Known[] = [];
  const stores = [await newStore(), await newStore()];
  for (let kill = 1; kill <= kills; kill++) {
    const killed = events(random.below(mostEvents))
      .then(() => setTimeout(random.below(mostMilliseconds)))
      .then(() => server.kill());
    await Promise.all(stores.map((store) => work(store, known, random.fork())));
    await killed;
    server = await startProcess(directory);
    const client = createClient(server);
    try {
      for (const store of stores) await untilDone(client, store);
      for (const file of known) await check(client, file);
    } catch (error) {
      throw new Error(`At kill ${kill} of BLOOMERY_SEED=${seed}: ${error}`, { cause: error });
    }
  }
  process.stderr.write(`${known.length} files in ${stores.length} stores\n`);
  await removeAll(known, stores);
  // While what is left of them is being removed, if it still is.
  await server.kill();
  purge(directory);
  expect(purge(directory, '--verify', '--contains', mark)).toEqual({ left: [], found: [] });
});

async function removeAll(known: Known[], stores: string[]): Promise<void> {
  const client = createClient(server);
  for (const store of stores) await client.ask('DELETE', `${vectorStores}/${store}`);
  for (const { id } of await listAll(client, '/openai/v1/files?order=asc')) {
    await client.ask('DELETE', `/openai/v1/files/${id}`);
  }
  expect(known.length).toBeGreaterThan(0);
}

const newStore = async (): Promise<string> =>
  String((await createClient(server).ask('POST', vectorStores, {})).id);

/** Settles when there have been so many requests and answers. */
const events = (count: number): Promise<void> =>
  new Promise((resolve) => {
    let left = count;
    onEvent = () => {
      if (left-- <= 0) resolve();
    };
  });

/** Attaches, changes and detaches files until the server is gone. */
async function work(store: string, known: Known[], random: SeededRandom): Promise<void> {
  const client = createClient(server, () => onEvent());
  try {
    for (;;) {
      const own = known.filter((file) => file.store === store && file.attached === true);
      if (own.length > 0 && random.oneIn(4)) await detach(client, random.pick(own));
      else await attach(client, store, known, random);
    }
  } catch (error) {
    if (!(error instanceof Cut)) throw error;
  }
}

async function attach(client: Client, store: string, known: Known[], random: SeededRandom): Promise<void> {
  const files: Known[] = [];
  const count = 1 + random.below(4);
  for (let n = 0; n < count; n++) {
    const word = `${mark}${random.below(2 ** 31).toString(36)}`;
    files.push({ id: await upload(word), word, store, attached: null });
  }
  known.push(...files);
  const path = `${vectorStores}/${store}/${count === 1 ? 'files' : 'file_batches'}`;
  const body = count === 1 ? { file_id: files[0]?.id } : { file_ids: files.map(({ id }) => id) };
  await client.ask('POST', path, body);
  for (const file of files) file.attached = true;
}

async function detach(client: Client, file: Known): Promise<void> {
  file.attached = null;
  await client.ask('DELETE', `${vectorStores}/${file.store}/files/${file.id}`);
  file.attached = false;
}

async function upload(word: string): Promise<string> {
  const form = new FormData();
  form.set('purpose', 'assistants');
  form.set('file', new Blob([`${word} `.repeat(3000)]), `${word}.txt`);
  try {
    const headers = { 'api-key': server.apiKey };
    const reply = await fetch(`${server.base}/openai/v1/files`, { method: 'POST', headers, body: form });
    const { id } = (await reply.json()) as { id?: string };
    onEvent();
    if (reply.status === 200 && id !== undefined) return id;
  } catch (error) {
    throw new Cut(0, error);
  }
  throw new Error('The upload was refused.');
}

async function untilDone(client: Client, store: string): Promise<void> {
  const deadline = performance.now() + endMilliseconds;
  for (;;) {
    const { status, file_counts: counts } = await client.ask('GET', `${vectorStores}/${store}`);
    if (status === 'completed') return;
    if (performance.now() > deadline) expect([status, counts], 'a store that never ends').toBe('completed');
    await setTimeout(50);
  }
}

/** A file that is attached is completed and found by its word; one that is not is neither. */
async function check(client: Client, file: Known): Promise<void> {
  const status = await statusOf(client, file);
  const found = await client.ask('POST', `${vectorStores}/${file.store}/search`, {
    query: file.word,
    ranking_options: { hybrid_search: { embedding_weight: 0, text_weight: 1 } },
  });
  const ids = new Set((found.data as Json[]).map(({ file_id }) => file_id));
  const isThere = status !== null;
  if (file.attached !== null) expect([file.word, isThere]).toEqual([file.word, file.attached]);
  if (isThere) expect([file.word, status]).toEqual([file.word, 'completed']);
  expect([file.word, ids.has(file.id)]).toEqual([file.word, isThere]);
  file.attached = isThere;
}

async function statusOf(client: Client, { store, id }: Known): Promise<unknown> {
  try {
    return (await client.ask('GET', `${vectorStores}/${store}/files/${id}`)).status;
  } catch (error) {
    if (error instanceof Refused && error.status === 404) return null;
    throw error;
  }
}
