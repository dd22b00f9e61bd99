import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packTexts } from '../texts/packed-texts.ts';
import { openSearchIndex } from './open-search-index.ts';
import type { IndexedChunk, SearchIndex, SearchQuery } from './search-index.ts';

let directory: string;
let index: SearchIndex;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  index = openSearchIndex({ directory });
});
afterEach(async () => {
  await index.close();
  rmSync(directory, { recursive: true, force: true });
});

const vs = { project: 'p', id: 'vs_1' };
const file = (id: string, attributes = {}) => ({ id, filename: `${id}.txt`, attributes });
const words = (...texts: string[]): IndexedChunk[] => texts.map((text) => ({ text, vector: null }));
const query = (text: string, more: Partial<SearchQuery> = {}): SearchQuery => ({
  queries: [{ text, vector: null }],
  limit: 10,
  filter: null,
  weights: { embedding: 1, text: 1 },
  scoreThreshold: 0,
  ...more,
});
const found = async (one: SearchQuery, collections = [vs]) =>
  (await index.search(collections, one)).map((hit) => `${hit.collection} ${hit.file.id} ${hit.chunk}`);
const path = () => join(directory, 'search.db');

test('nothing is started or made before it is needed', async () => {
  await index.close();
  expect(existsSync(path())).toBe(false);
});

test('closed it leaves no log beside the file, in which removed texts could be read', async () => {
  await index.put(vs, file('a'), words('apple'));
  await index.search([vs], query('apple'));
  await index.removeFile(vs, 'a');
  const closing = index.close();
  await expect(index.search([vs], query('apple'))).rejects.toThrow();
  await expect(index.removeFile(vs, 'a')).rejects.toThrow();
  await closing;
  expect(readdirSync(directory)).toEqual(['search.db']);
});

test('what is not there is found empty, and left alone', async () => {
  expect(await index.search([vs], query('apple'))).toEqual([]);
  expect(await index.chunks(vs, 'file')).toEqual([]);
  expect(await index.usage(vs)).toEqual(new Map());
  await index.setAttributes(vs, 'file', { a: 1 });
  await index.removeFile(vs, 'file');
  await index.removeCollection(vs);
  expect(statSync(path()).mode & 0o777).toBe(0o600);
});

test('any text can be looked for', async () => {
  await index.put(vs, file('a'), words('the "quoted" NEAR(text) AND\0more', 'nothing of it'));
  const texts = ['"', '"quoted', 'text*', 'AND OR NOT NEAR(', 'a:b {c} ^d', '\0', '😀', '\ud800', ''];
  for (const text of texts) await index.search([vs], query(text));
  expect(await found(query('NEAR( "quoted'))).toEqual(['vs_1 a 0']);
  const many = Array.from({ length: 10_000 }, (_, at) => `word${at}`).join(' ');
  expect(await found(query(`quoted ${many}`))).toEqual(['vs_1 a 0']);
  expect(await index.chunks(vs, 'a')).toEqual(['the "quoted" NEAR(text) AND\0more', 'nothing of it']);
});

test('what is rare in its own collection counts, whatever others hold', async () => {
  await index.put(vs, file('a'), words('apple pear', 'apple plum', 'apple fig', 'pear'));
  const alone = await index.search([vs], query('apple pear'));
  const other = { project: 'p', id: 'vs_2' };
  await index.put(other, file('b'), words(...new Array<string>(50).fill('pear')));
  await index.put({ project: 'q', id: 'vs_1' }, file('a'), words('apple', 'pear'));
  expect(await index.search([vs], query('apple pear'))).toEqual(alone);
});

test('a collection that grows and is copied again and again stays in order, and its numbers stay low', async () => {
  const copies = 50;
  const grown: IndexedChunk[][] = [];
  for (let n = 0; n < copies; n++) {
    grown.push(words(`apple ${n}`, `${n} pear`));
    await index.put(vs, file(`f${n}`), grown[n] ?? []);
    await index.copy(vs, { project: 'p', id: `copy_${n}` });
  }
  const last = { project: 'p', id: `copy_${copies - 1}` };
  const hits = async (collection: typeof vs) =>
    (await index.search([collection], query('apple', { limit: copies }))).map(
      ({ collection: _, ...hit }) => hit,
    );
  expect(await hits(vs)).toHaveLength(copies);
  expect(await hits(last)).toEqual(await hits(vs));
  expect(await index.chunks(last, 'f7')).toEqual(['apple 7', '7 pear']);
  await index.removeFile(last, 'f7');
  expect(await hits(last)).toHaveLength(copies - 1);
  expect(await hits(vs)).toHaveLength(copies);
  const db = new DatabaseSync(path(), { readOnly: true });
  const highest = db.prepare('select max(number) as n from segments').get()?.n;
  db.close();
  expect(highest).toBeLessThan(copies * copies * 64);
});

test('collections are ranked together', async () => {
  const other = { project: 'p', id: 'vs_2' };
  await index.put(vs, file('b'), words('apple and more', 'pear'));
  await index.put(other, file('a'), words('apple', 'apple and more'));
  expect(await found(query('apple'), [vs, other])).toEqual(['vs_2 a 0', 'vs_2 a 1', 'vs_1 b 0']);
  expect(await found(query('apple'), [other, vs, vs])).toEqual(['vs_2 a 0', 'vs_2 a 1', 'vs_1 b 0']);
});

test('a filter that leaves one file of many still finds it', async () => {
  const near = Float32Array.of(1, 0);
  for (let number = 0; number < 300; number++) {
    await index.put(vs, file(`f${number}`, { number }), [{ text: 'apple', vector: near }]);
  }
  await index.put(vs, file('last', { number: 300 }), [{ text: 'apple pie', vector: Float32Array.of(-1, 0) }]);
  const filter = { type: 'gte', key: 'number', value: 300 } as const;
  const both = query('apple', { filter, queries: [{ text: 'apple', vector: near }] });
  expect(await found(both)).toEqual(['vs_1 last 0']);
  await index.setAttributes(vs, 'last', {});
  expect(await found(both)).toEqual([]);
});

test('a file is replaced at once, and a vector of another length changes nothing', async () => {
  await index.put(vs, file('a'), [{ text: 'apple', vector: new Float32Array(3).fill(1) }]);
  await index.put(vs, file('b'), [{ text: 'pear', vector: new Float32Array(3).fill(1) }]);
  const wrong = [{ text: 'plum', vector: new Float32Array(4).fill(1) }];
  await expect(index.put(vs, file('a'), wrong)).rejects.toThrow(/4 dimensions.*'vs_1' have 3/);
  expect(await index.chunks(vs, 'a')).toEqual(['apple']);
  const asked = query('apple', { queries: [{ text: '', vector: new Float32Array(4).fill(1) }] });
  await expect(index.search([vs], asked)).rejects.toThrow(/4 dimensions.*'vs_1' have 3/);

  await index.put(vs, file('a'), words('fig'));
  expect(await found(query('apple'))).toEqual([]);
  expect(await found(query('fig'))).toEqual(['vs_1 a 0']);
  expect(await index.usage(vs)).toEqual(
    new Map([
      ['b', 16],
      ['a', 3],
    ]),
  );
  await index.removeFile(vs, 'b');
  await index.put(vs, file('a'), wrong);
  expect(await found(query('plum'))).toEqual(['vs_1 a 0']);
});

test('several files are put together, and none suffers for another', async () => {
  const of = (id: string, ...texts: string[]) => ({ file: file(id), texts: packTexts(texts), vectors: null });
  const apple = of('a', 'apple pie', 'apple');
  const pear = of('b', 'pear pie');
  await index.putAll(vs, [apple, pear]);
  expect(await found(query('pie'))).toEqual(['vs_1 a 0', 'vs_1 b 0']);
  expect(await found(query('apple'))).toEqual(['vs_1 a 1', 'vs_1 a 0']);

  const vectors = [3, 4].map((length) => new Float32Array(length).fill(1));
  const unlike = () => vectors.map((vector, at) => ({ ...of(`v${at}`, 'plum'), vectors: [vector] }));
  expect(await index.putAll(vs, unlike())).toEqual([
    null,
    expect.objectContaining({ message: expect.stringContaining('4 dimensions') }),
  ]);
  expect(await found(query('plum'))).toEqual(['vs_1 v0 0']);
  expect(await index.putAll(vs, [of('a', 'plum pie'), ...unlike().slice(0, 1)])).toEqual([null, null]);
  expect((await found(query('plum'))).sort()).toEqual(['vs_1 a 0', 'vs_1 v0 0']);
  const tooMany = of('many', ...Array.from({ length: 65_537 }, () => 'fig'));
  expect(await index.putAll(vs, [tooMany, of('c', 'fig')])).toEqual([
    expect.objectContaining({ code: 'invalid_payload' }),
    null,
  ]);
  expect(await found(query('fig'))).toEqual(['vs_1 c 0']);
  expect(await found(query('apple'))).toEqual([]);
  await index.removeFile(vs, 'b');
  expect(await found(query('pie'))).toEqual(['vs_1 a 0']);
});

test('nothing of what could not be put comes with what is done next', async () => {
  const other = { project: 'p', id: 'vs_2' };
  await index.put(other, file('x'), words('something else'));
  await index.put(vs, file('first'), [{ text: 'plum', vector: new Float32Array(2).fill(1) }]);
  const unlike = [3, 4].map((length, at) => ({
    file: file(`v${at}`),
    texts: packTexts(['zanzibar']),
    vectors: [new Float32Array(length).fill(1)],
  }));
  expect(await index.putAll(vs, unlike)).toEqual([expect.any(Error), expect.any(Error)]);
  await index.removeFile(other, 'x');
  await index.put(other, file('y'), words('apples and pears'));
  expect(await index.search([other], query('zanzibar'))).toEqual([]);
  await index.put(vs, file('v0'), words('zanzibar'));
  await index.copy(vs, { project: 'p', id: 'vs_3' });
  const [hit] = await index.search([{ project: 'p', id: 'vs_3' }], query('zanzibar'));
  expect(hit?.file.id).toBe('v0');
});

test('wrong questions are refused with the field that is wrong', async () => {
  const wrong: [Partial<SearchQuery>, string][] = [
    [{ limit: 0 }, 'limit'],
    [{ limit: 1.5 }, 'limit'],
    [{ weights: { embedding: 0, text: 0 } }, 'weights'],
    [{ weights: { embedding: -1, text: 1 } }, 'weights.embedding'],
    [{ scoreThreshold: Number.NaN }, 'scoreThreshold'],
    [{ queries: [{ text: '', vector: Float32Array.of(1, Number.NaN) }] }, 'vector'],
  ];
  for (const [part, target] of wrong) {
    await expect(index.search([vs], query('a', part))).rejects.toMatchObject({ status: 400, target });
  }
  const mixed = [1, 2].map((length) => ({ text: '', vector: new Float32Array(length) }));
  await expect(index.put(vs, file('a'), mixed)).rejects.toMatchObject({ status: 400, target: 'vector' });
});

test('what is removed is in none of the files any more', async () => {
  const marked = (mark: string) =>
    Array.from({ length: 600 }, (_, at) => ({
      text: `${mark}${at % 50} ${'some words before it '.repeat(at % 20)} ${mark}`,
      vector: Float32Array.from({ length: 64 }, (_, place) => Math.sin(at + place * mark.length)),
    }));
  const unit = (vector: Float32Array | null) => {
    const length = Math.hypot(...(vector ?? []));
    return Buffer.from(Float32Array.from(vector ?? [], (value) => value / length).buffer).subarray(0, 32);
  };
  const removed = marked('xylographic');
  const gone = marked('quokkaesque');
  const replaced = marked('zymurgical');
  const onDisk = (chunks: IndexedChunk[], mark: string) => {
    const bytes = Buffer.concat([path(), `${path()}-wal`].map((one) => readFileSync(one)));
    return bytes.includes(mark) || chunks.some(({ vector }) => bytes.includes(unit(vector)));
  };
  await index.put(vs, file('kept'), replaced);
  expect(onDisk(replaced, 'zymurg')).toBe(true);
  await index.put(vs, file('kept'), marked('remaining'));
  expect(onDisk(replaced, 'zymurg')).toBe(false);
  await index.put(vs, file('a'), removed);
  await index.put({ project: 'p', id: 'vs_2' }, file('b'), gone);
  await index.search([vs], query('xylographic'));
  expect([onDisk(removed, 'xylograph'), onDisk(gone, 'quokkaesq')]).toEqual([true, true]);
  const before = statSync(path()).size + statSync(`${path()}-wal`).size;
  await index.removeFile(vs, 'a');
  await index.removeCollection({ project: 'p', id: 'vs_2' });
  expect([onDisk(removed, 'xylograph'), onDisk(gone, 'quokkaesq')]).toEqual([false, false]);
  expect(statSync(path()).size).toBeLessThan(before / 2);
  expect(await found(query('xylographic'))).toEqual([]);
  expect(await found(query('remaining7'))).toHaveLength(10);
});

test('a search is as fresh as the last change, while others go on', async () => {
  const putting = Array.from({ length: 20 }, (_, at) =>
    index.put(vs, file(`f${at}`), words(`apple number${at}`)),
  );
  for (const [at, put] of putting.entries()) {
    await put;
    expect(await found(query(`number${at}`))).toEqual([`vs_1 f${at} 0`]);
  }
  const closing = index.put(vs, file('last'), words('the last one'));
  await index.close();
  await closing;
  await expect(index.search([vs], query('apple'))).rejects.toMatchObject({ code: 'service_unavailable' });
  index = openSearchIndex({ directory });
  expect(await found(query('last one'))).toEqual(['vs_1 last 0']);
});

test('a search that nobody waits for any more is not made', async () => {
  const abort = new AbortController();
  const searches = [index.search([vs], query('a')), index.search([vs], query('a'), abort.signal)];
  abort.abort(new Error('gone'));
  const results = await Promise.allSettled(searches);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
});

test('files that were put survive a kill, and none is there in part', async () => {
  const program = new URL('./testing/put-forever.ts', import.meta.url).pathname;
  for (let round = 1; round <= 3; round++) {
    const child = spawn(process.execPath, [program, directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    let printed = '';
    for await (const part of child.stdout) {
      printed += part;
      if (printed.split('\n').length > 7 * round) child.kill('SIGKILL');
    }
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    expect(child.signalCode).toBe('SIGKILL');
    const last = Number(printed.split('\n').at(-2));

    const reopened = openSearchIndex({ directory });
    const newest = await reopened.search([vs], query('none'));
    expect(newest).toEqual([]);
    const collection = { project: 'p', id: 'vs' };
    for (let number = 0; number < 5; number++) {
      const chunks = await reopened.chunks(collection, `file-${number}`);
      const versions = new Set(chunks.map((text) => Number(/^version(\d+)/.exec(text)?.[1])));
      expect([chunks.length, versions.size]).toEqual([40, 1]);
      const acknowledged = Math.floor((last - number) / 5);
      expect([acknowledged, acknowledged + 1]).toContain([...versions][0]);
      const hits = await reopened.search([collection], query(`version${[...versions][0]}`, { limit: 1000 }));
      expect(hits.filter(({ file: { id } }) => id === `file-${number}`)).toHaveLength(40);
    }
    await reopened.close();
  }
});

test('a file that a newer version has written is refused, and one of the first version is read', async () => {
  const old = new DatabaseSync(path());
  old.exec(readFileSync(new URL('./testing/version-1.sql', import.meta.url), 'utf8'));
  old.close();
  const asked = query('cherries', { queries: [{ text: 'cherries', vector: Float32Array.of(0, 1, 0) }] });
  expect(await found(asked)).toEqual(['vs_1 file-b 1', 'vs_1 file-a 0', 'vs_1 file-b 0']);
  await index.removeFile(vs, 'file-a');
  await index.put(vs, file('file-c'), words('more cherries'));
  expect(await found(query('cherry'))).toEqual(['vs_1 file-b 1', 'vs_1 file-c 0']);
  await index.close();

  const newer = new DatabaseSync(path());
  newer.exec('pragma user_version = 999');
  newer.close();
  index = openSearchIndex({ directory });
  await expect(index.usage(vs)).rejects.toThrow('written by a newer version of Bloomery');
  await expect(index.put(vs, file('a'), [])).rejects.toThrow('written by a newer version of Bloomery');
});
