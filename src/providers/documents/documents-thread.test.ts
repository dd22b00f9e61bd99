import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { unpackTexts } from '../texts/packed-texts.ts';
import { allowedCores } from '../workers/cores.ts';
import type { Documents } from './documents.ts';
import { documentsThread } from './documents-thread.ts';
import { endlessPage } from './testing/sample-documents.ts';

const folder = mkdtempSync(join(tmpdir(), 'documents-'));
afterAll(() => rmSync(folder, { recursive: true }));
const sourceOf = (filename: string, content: string) => {
  const path = join(folder, filename);
  writeFileSync(path, content);
  return { path, filename };
};
const never = new AbortController().signal;
let documents: Documents;
afterEach(() => documents.close());
const open = () => {
  documents = documentsThread({ processes: 2 }, { warn: () => {} });
};

test('texts come back as they are, whole and in chunks, several at a time', async () => {
  open();
  const short = sourceOf('a.txt', 'Ä');
  const long = sourceOf('b.md', 'one two three\n'.repeat(2000));
  const chunking = { maxTokens: 100, overlapTokens: 0 };
  const [text, chunks, other] = await Promise.all([
    documents.text(short, never),
    documents.chunks(long, chunking, never),
    documents.text(long, never),
  ]);
  expect([text, unpackTexts(chunks).join('')]).toEqual(['Ä', other]);
  expect(chunks.lengths.length).toBeGreaterThan(10);
});

test('what is wrong with a document is said by its code', async () => {
  open();
  const empty = documents.text(sourceOf('empty.txt', ''), never);
  await expect(empty).rejects.toMatchObject({ name: 'DocumentError', code: 'invalid_file' });
  const gone = documents.text({ path: join(folder, 'gone.txt'), filename: 'gone.txt' }, never);
  await expect(gone).rejects.toMatchObject({ code: 'server_error' });
});

test('who no longer waits is told so, and others go on', async () => {
  open();
  const abort = new AbortController();
  const source = sourceOf('c.html', endlessPage());
  const unwanted = documents.text(source, abort.signal);
  const wanted = documents.text(sourceOf('d.txt', 'kept'), never);
  abort.abort(new Error('not wanted any more'));
  await expect(unwanted).rejects.toThrow('not wanted any more');
  expect(await wanted).toBe('kept');
  await expect(documents.text(source, abort.signal)).rejects.toThrow('not wanted any more');
});

const hasTaskset = spawnSync('taskset', ['-p', String(process.pid)]).status === 0;
const onLinux = test.runIf(process.platform === 'linux');

onLinux('the processes that read give way with all their threads', async () => {
  open();
  await documents.text(sourceOf('nice.txt', 'read'), never);
  const threads = (pid: number | string) => readdirSync(`/proc/${pid}/task`);
  const started = threads(process.pid).flatMap(
    (thread) => readFileSync(`/proc/${process.pid}/task/${thread}/children`, 'utf8').match(/\d+/g) ?? [],
  );
  const readers = started.filter((pid) =>
    readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('documents/inside/main'),
  );
  const priorities = readers.flatMap(threads).map((thread) => getPriority(Number(thread)));
  expect(priorities.length).toBeGreaterThan(1);
  expect(new Set(priorities)).toEqual(new Set([Math.max(10, getPriority())]));
  if (!hasTaskset || getPriority() >= 10) return;
  const cores = readers.flatMap(threads).map((thread) => allowedCores(thread).length);
  expect(new Set(cores)).toEqual(new Set([Math.max(1, allowedCores().length - 1)]));
});

test('once closed, what waits and what comes is refused', async () => {
  open();
  const waiting = documents.text(sourceOf('e.html', endlessPage()), never).catch((error) => error);
  await documents.text(sourceOf('f.txt', 'read'), never);
  await documents.close();
  expect(await waiting).toMatchObject({ code: 'server_error' });
  await expect(documents.text(sourceOf('g.txt', 'late'), never)).rejects.toThrow('shutting down');
});
