import { createHash, randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDatabase } from './database-check.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { type ServedProcess, startProcess } from './served-process.ts';

const kills = Number(process.env.BLOOMERY_KILLS ?? 8);
const seed = Number(process.env.BLOOMERY_SEED ?? randomInt(2 ** 31));

const senders = 4;
/** A kill comes within this time; an upload takes some of it. */
const mostMilliseconds = 400;
const mostBytes = 3_000_000;

let directory: string;
let server: ServedProcess;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-kill-'));
  server = await startProcess(directory, { scripted: false });
});
afterEach(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

/** What the server has said, by file id: the digest of a file that is there, null for one that was deleted. */
type Known = Map<string, string | null>;

test(`no file that was acknowledged is lost, and none is half there, after ${kills} kills`, {
  timeout: 60_000 + kills * 10_000,
}, async () => {
  process.stderr.write(`BLOOMERY_SEED=${seed} BLOOMERY_KILLS=${kills}\n`);
  const random = seededRandom(seed);
  const known: Known = new Map();
  for (let kill = 1; kill <= kills; kill++) {
    const state = { killed: false };
    const sending = Array.from({ length: senders }, () => sendUntil(state, known, random.fork()));
    const settled = Promise.all(sending);
    await Promise.race([setTimeout(random.below(mostMilliseconds)), settled]);
    state.killed = true;
    await server.kill();
    await settled;
    checkDatabase(directory);
    server = await startProcess(directory, { scripted: false });
    await checkFiles(known, `kill ${kill} of BLOOMERY_SEED=${seed}`);
  }
  const acknowledged = [...known.values()];
  expect(
    acknowledged.filter((digest) => digest !== null).length,
    'files that outlived it all',
  ).toBeGreaterThan(0);
});

/** Uploads, in one piece or in parts, and deletes, until the server is gone. */
async function sendUntil(state: { killed: boolean }, known: Known, random: SeededRandom): Promise<void> {
  try {
    while (!state.killed) {
      const content = contentOf(random);
      const id = random.oneIn(2) ? await uploadWhole(content) : await uploadInParts(content, random);
      known.set(id, digestOf(content));
      if (!random.oneIn(3)) continue;
      // From here on it may be there or not, until the answer says so.
      known.delete(id);
      await ask('DELETE', `/files/${id}`);
      known.set(id, null);
    }
  } catch (error) {
    // A request that was cut says nothing.
    if (!state.killed) throw error;
  }
}

async function uploadWhole(content: Buffer<ArrayBuffer>): Promise<string> {
  const form = new FormData();
  form.append('purpose', 'user_data');
  form.append('file', new Blob([content]), 'a.bin');
  return (await ask('POST', '/files', form)).id as string;
}

async function uploadInParts(content: Buffer<ArrayBuffer>, random: SeededRandom): Promise<string> {
  const upload = await ask('POST', '/uploads', {
    filename: 'a.bin',
    purpose: 'user_data',
    bytes: content.length,
    mime_type: 'application/octet-stream',
  });
  const cut = random.below(content.length);
  const parts = await Promise.all(
    [content.subarray(0, cut), content.subarray(cut)].map((bytes) => {
      const form = new FormData();
      form.append('data', new Blob([bytes]), 'part');
      return ask('POST', `/uploads/${upload.id}/parts`, form);
    }),
  );
  const done = await ask('POST', `/uploads/${upload.id}/complete`, { part_ids: parts.map(({ id }) => id) });
  return (done.file as { id: string }).id;
}

async function checkFiles(known: Known, when: string): Promise<void> {
  const listed = (await ask('GET', '/files')).data as { id: string; bytes: number }[];
  const ids = listed.map(({ id }) => id);
  for (const [id, digest] of known) {
    expect(ids.includes(id), `${id} is listed, ${when}`).toBe(digest !== null);
    if (digest === null) continue;
    expect(digestOf(await download(id)), `content of ${id}, ${when}`).toBe(digest);
  }
  // Also those whose answer was cut: what is listed is whole.
  const folder = join(directory, 'data/files');
  for (const { id, bytes } of listed) expect(statSync(join(folder, id)).size, `${id}, ${when}`).toBe(bytes);
  const left = () => readdirSync(folder).filter((name) => name !== 'drafts' && !ids.includes(name));
  await expect.poll(left, { message: `contents without a file, ${when}`, timeout: 10_000 }).toEqual([]);
}

async function ask(method: string, path: string, body?: FormData | object): Promise<Record<string, unknown>> {
  const isForm = body instanceof FormData;
  const answer = await fetch(`${server.base}/openai/v1${path}`, {
    method,
    headers: {
      'api-key': server.apiKey,
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
  return JSON.parse(text) as Record<string, unknown>;
}

async function download(id: string): Promise<Buffer> {
  const answer = await fetch(`${server.base}/openai/v1/files/${id}/content`, {
    headers: { 'api-key': server.apiKey },
  });
  if (!answer.ok) throw new Error(`The content of ${id} was answered with ${answer.status}.`);
  return Buffer.from(await answer.arrayBuffer());
}

function contentOf(random: SeededRandom): Buffer<ArrayBuffer> {
  const content = Buffer.alloc(2 + random.below(mostBytes), random.below(256));
  content.writeUInt8(random.below(256), 0);
  return content;
}

const digestOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
