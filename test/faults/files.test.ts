import { createHash, randomInt } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { checkDatabase } from './database-check.ts';
import { purge } from './purge-check.ts';
import { type SeededRandom, seededRandom } from './seeded-random.ts';
import { type ServedProcess, startProcess } from './served-process.ts';

const kills = Number(process.env.BLOOMERY_KILLS ?? 8);
const seed = Number(process.env.BLOOMERY_SEED ?? randomInt(2 ** 31));

const senders = 4;
/** A kill comes behind so many answers, at most, and so long behind that one. */
const mostAnswers = 40;
const mostMilliseconds = 60;
const mostBytes = 3_000_000;

let directory: string;
let server: ServedProcess;
/** Is told of every answer. */
let onAnswer = () => {};
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-kill-'));
  server = await startProcess(directory, { scripted: false });
});
afterEach(async () => {
  await server.kill();
  rmSync(directory, { recursive: true, force: true });
});

/** What the server has said, by file id, or path of a dataset: the digest of a file that is there, null for one that was deleted. */
type Known = Map<string, string | null>;

test(`no file that was acknowledged is lost, and none is half there, after ${kills} kills`, {
  timeout: 60_000 + kills * 40_000,
}, async () => {
  process.stderr.write(`BLOOMERY_SEED=${seed} BLOOMERY_KILLS=${kills}\n`);
  const random = seededRandom(seed);
  const known: Known = new Map();
  const read = new Set<string>();
  for (let kill = 1; kill <= kills; kill++) {
    const state = { killed: false };
    const answered = answers(random.below(mostAnswers));
    const sending = Array.from({ length: senders }, () => sendUntil(state, known, random.fork()));
    const settled = Promise.all(sending);
    await Promise.race([answered.then(() => setTimeout(random.below(mostMilliseconds))), settled]);
    state.killed = true;
    await server.kill();
    await settled;
    checkDatabase(directory);
    server = await startProcess(directory, { scripted: false });
    const when = `kill ${kill} of BLOOMERY_SEED=${seed}`;
    // Contents are read when they are new, and all of them in the end.
    await checkFiles(known, kill === kills ? new Set() : read, when);
  }
  const acknowledged = [...known.values()];
  expect(
    acknowledged.filter((digest) => digest !== null).length,
    'files that outlived it all',
  ).toBeGreaterThan(0);
  for (const [id, digest] of known) if (digest !== null && id.startsWith('/')) await ask('DELETE', id);
  for (const { id } of (await ask('GET', '/openai/v1/files')).data as { id: string }[]) {
    await ask('DELETE', `/openai/v1/files/${id}`);
  }
  await server.stop();
  expect(purge(directory, '--verify').left, `left when all is deleted, BLOOMERY_SEED=${seed}`).toEqual([]);
});

/** Settles when there have been so many answers. */
const answers = (count: number): Promise<void> =>
  new Promise((resolve) => {
    let left = count;
    onAnswer = () => {
      if (left-- === 0) resolve();
    };
    if (count === 0) resolve();
  });

/** Uploads, in one piece, in parts or as a dataset, and deletes, until the server is gone. */
async function sendUntil(state: { killed: boolean }, known: Known, random: SeededRandom): Promise<void> {
  try {
    while (!state.killed) {
      const content = contentOf(random);
      const id = await random.pick([uploadWhole, uploadInParts, uploadDataset])(content, random);
      known.set(id, digestOf(content));
      if (!random.oneIn(3)) continue;
      // From here on it may be there or not, until the answer says so.
      known.delete(id);
      await ask('DELETE', id.startsWith('/') ? id : `/openai/v1/files/${id}`);
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
  return (await ask('POST', '/openai/v1/files', form)).id as string;
}

/** The parts are sent together, in an order of their own. */
async function uploadInParts(content: Buffer<ArrayBuffer>, random: SeededRandom): Promise<string> {
  const uploads = '/openai/v1/uploads';
  const upload = await ask('POST', uploads, {
    filename: 'a.bin',
    purpose: 'user_data',
    bytes: content.length,
    mime_type: 'application/octet-stream',
  });
  const inner = Array.from({ length: 1 + random.below(4) }, () => random.below(content.length));
  const cuts = [0, ...inner.sort((a, b) => a - b), content.length];
  const pieces = cuts.slice(1).map((to, at) => ({ at, bytes: content.subarray(cuts[at], to) }));
  const ids: string[] = [];
  const waiting = [...pieces];
  while (waiting.length > 0) {
    const some = waiting.splice(random.below(waiting.length), 1 + random.below(2));
    await Promise.all(
      some.map(async ({ at, bytes }) => {
        const form = new FormData();
        form.append('data', new Blob([bytes]), 'part');
        ids[at] = (await ask('POST', `${uploads}/${upload.id}/parts`, form)).id as string;
      }),
    );
  }
  const done = await ask('POST', `${uploads}/${upload.id}/complete`, { part_ids: ids });
  return (done.file as { id: string }).id;
}

/** Answers the path of its version. */
async function uploadDataset(content: Buffer<ArrayBuffer>, random: SeededRandom): Promise<string> {
  const path = `/datasets/d${random.below(2 ** 31)}/versions/1`;
  const started = await ask('POST', `${path}/startPendingUpload`, { pendingUploadType: 'BlobReference' });
  const { blobUri, credential } = started.blobReference as BlobReference;
  const headers = { 'x-ms-blob-type': 'BlockBlob' };
  const answer = await fetch(blobAddress(credential.sasUri), { method: 'PUT', headers, body: content });
  if (!answer.ok) throw new Error(`A blob was answered with ${answer.status}.`);
  await ask('PATCH', path, { type: 'uri_file', dataUri: `${blobUri}/a.bin` });
  return path;
}

interface BlobReference {
  blobUri: string;
  credential: { sasUri: string };
}

/** Of the one blob in a container. */
function blobAddress(sasUri: string): URL {
  const { pathname, search } = new URL(sasUri);
  return new URL(`${pathname}/a.bin${search}`, server.base);
}

async function checkFiles(known: Known, read: Set<string>, when: string): Promise<void> {
  const listed = (await ask('GET', '/openai/v1/files')).data as { id: string; bytes: number }[];
  const ids = listed.map(({ id }) => id);
  for (const [id, digest] of known) {
    const isDataset = id.startsWith('/');
    const isThere = isDataset ? await hasDataset(id) : ids.includes(id);
    expect(isThere, `${id} is there, ${when}`).toBe(digest !== null);
    if (digest === null || read.has(id)) continue;
    const content = isDataset ? await downloadDataset(id) : await download(id);
    expect(digestOf(content), `content of ${id}, ${when}`).toBe(digest);
    read.add(id);
  }
  // Also those whose answer was cut: what is listed is whole.
  const folder = join(directory, 'data/files');
  for (const { id, bytes } of listed) expect(statSync(join(folder, id)).size, `${id}, ${when}`).toBe(bytes);
  const left = () => readdirSync(folder).filter((name) => name !== 'drafts' && !ids.includes(name));
  await expect.poll(left, { message: `contents without a file, ${when}`, timeout: 10_000 }).toEqual([]);
}

async function ask(method: string, path: string, body?: FormData | object): Promise<Record<string, unknown>> {
  const isForm = body instanceof FormData;
  const version = path.startsWith('/openai') ? '' : '?api-version=v1';
  const answer = await fetch(`${server.base}${path}${version}`, {
    method,
    headers: {
      'api-key': server.apiKey,
      ...(body === undefined || isForm ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: isForm ? body : JSON.stringify(body) }),
  });
  const text = await answer.text();
  onAnswer();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
  return text === '' ? {} : (JSON.parse(text) as Record<string, unknown>);
}

const fetchFrom = (url: string | URL): Promise<Response> =>
  fetch(url, { headers: { 'api-key': server.apiKey } });

async function hasDataset(path: string): Promise<boolean> {
  const { status } = await fetchFrom(`${server.base}${path}?api-version=v1`);
  expect(status).toBeOneOf([200, 404]);
  return status === 200;
}

async function downloadDataset(path: string): Promise<Buffer> {
  const { credential } = (await ask('POST', `${path}/credentials`, {})).blobReference as BlobReference;
  const answer = await fetch(blobAddress(credential.sasUri));
  if (!answer.ok) throw new Error(`The content of ${path} was answered with ${answer.status}.`);
  return Buffer.from(await answer.arrayBuffer());
}

async function download(id: string): Promise<Buffer> {
  const answer = await fetchFrom(`${server.base}/openai/v1/files/${id}/content`);
  if (!answer.ok) throw new Error(`The content of ${id} was answered with ${answer.status}.`);
  return Buffer.from(await answer.arrayBuffer());
}

function contentOf(random: SeededRandom): Buffer<ArrayBuffer> {
  const content = Buffer.alloc(2 + random.below(mostBytes), random.below(256));
  content.writeUInt8(random.below(256), 0);
  return content;
}

const digestOf = (content: Uint8Array): string => createHash('sha256').update(content).digest('hex');
