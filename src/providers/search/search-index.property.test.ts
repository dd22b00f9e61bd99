import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packTexts } from '../texts/packed-texts.ts';
import { openSearchIndex } from './open-search-index.ts';
import type {
  ChunkedFile,
  Filter,
  IndexedChunk,
  SearchHit,
  SearchIndex,
  SearchQuery,
} from './search-index.ts';
import { type NaiveFile, naiveSearch } from './testing/naive-search.ts';

let directory: string;
let index: SearchIndex;
/** Without memory, where all is read from the file each time. */
let poor: SearchIndex;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  index = openSearchIndex({ directory });
  poor = openSearchIndex({ directory, memoryMegabytes: 0 });
});
afterEach(async () => {
  await Promise.all([index.close(), poor.close()]);
  rmSync(directory, { recursive: true, force: true });
});

const dimensions = 3;
const vector = fc
  .array(fc.integer({ min: -2, max: 2 }), { minLength: dimensions, maxLength: dimensions })
  .map((numbers) => Float32Array.from(numbers));
const text = fc
  .array(fc.constantFrom('apple', 'Apples', 'pear', 'plum', 'fig', '"', 'OR', '東京都', '😀', '\0'), {
    maxLength: 12,
  })
  .map((words) => words.join(' '));
const chunk: fc.Arbitrary<IndexedChunk> = fc.record({ text, vector: fc.option(vector, { freq: 4 }) });
const fileId = fc.constantFrom('file-a', 'file-b', 'file-c', 'file-d');
const attributes = fc.record({ year: fc.integer({ min: 2020, max: 2023 }) });
const filter = fc.option(
  fc.record({ type: fc.constantFrom('gte', 'ne'), key: fc.constant('year'), value: fc.constant(2022) }),
) as fc.Arbitrary<Filter | null>;
const query: fc.Arbitrary<SearchQuery> = fc.record({
  queries: fc.array(fc.record({ text, vector: fc.option(vector) }), { minLength: 1, maxLength: 3 }),
  limit: fc.integer({ min: 1, max: 30 }),
  filter,
  weights: fc.constantFrom(
    { embedding: 1, text: 1 },
    { embedding: 0.3, text: 0.7 },
    { embedding: 1, text: 0 },
    { embedding: 0, text: 2 },
  ),
  scoreThreshold: fc.constantFrom(0, 0.5, 0.9),
});
const step = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('put' as const),
      store: fc.nat(1),
      id: fileId,
      attributes,
      chunks: fc.array(chunk, { maxLength: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), store: fc.nat(1), id: fileId }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('set' as const), store: fc.nat(1), id: fileId, attributes }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('copy' as const), store: fc.nat(1) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('putAll' as const),
      store: fc.nat(1),
      files: fc.uniqueArray(
        fc.record({ id: fileId, attributes, chunks: fc.array(chunk, { maxLength: 6 }) }),
        {
          minLength: 1,
          maxLength: 4,
          selector: ({ id }) => id,
        },
      ),
      isRefused: fc.boolean(),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('search' as const),
      stores: fc.constantFrom([0], [1], [0, 1]),
      query,
    }),
  },
);

const chunkedFile = ({ file, chunks }: Omit<NaiveFile, 'collection'>): ChunkedFile => ({
  file,
  texts: packTexts(chunks.map(({ text }) => text)),
  vectors: chunks.map(({ vector }) => vector),
});

const single = (id: string, text: string, length: number) => ({
  file: { id, filename: `${id}.txt`, attributes: {} },
  chunks: [{ text, vector: new Float32Array(length).fill(1) }],
});
/** With the former in a collection, the latter can't be put. */
const like = () => single('like', 'plum', dimensions);
const unlike = () => single('unlike', 'zanzibar', dimensions + 1);

/** Sums are not made in the same order, so what is equally good but for the last bits may change places. */
function expectSame(found: SearchHit[], expected: SearchHit[]): void {
  const scores = (hits: SearchHit[]) => hits.map(({ score }) => score.toFixed(9));
  expect(scores(found)).toEqual(scores(expected));
  const named = (hits: SearchHit[], least: number) =>
    hits
      .filter(({ score }) => score > least)
      .map(({ collection, file, chunk, text }) => JSON.stringify([file, collection, chunk, text]))
      .sort();
  const last = (expected.at(-1)?.score ?? 0) + 1e-9;
  expect(named(found, last)).toEqual(named(expected, last));
}

test('whatever is put, changed, copied and removed, searches find what they should', async () => {
  let run = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 20 }), async (steps) => {
      const project = `p${run++}`;
      const stores = [0, 1].map((number) => ({ project, id: `vs_${number}` }));
      const files = new Map<string, NaiveFile>();
      for (const one of steps) {
        if (one.do === 'search') {
          const searched = stores.filter((_, at) => one.stores.some((store) => store === at));
          const known = [...files.values()].filter((file) => searched.includes(file.collection));
          const expected = naiveSearch(known, one.query);
          expectSame(await index.search(searched, one.query), expected);
          expectSame(await poor.search(searched, one.query), expected);
          continue;
        }
        const collection = stores[one.store] ?? { project, id: '' };
        if (one.do === 'copy') {
          const other = 1 - one.store;
          await index.copy(collection, stores[other] ?? collection);
          for (const key of [...files.keys()]) if (key.startsWith(`${other} `)) files.delete(key);
          for (const [key, file] of [...files]) {
            if (file.collection !== collection) continue;
            files.set(`${other}${key.slice(1)}`, { ...file, collection: stores[other] ?? collection });
          }
          continue;
        }
        if (one.do === 'putAll') {
          const given: Omit<NaiveFile, 'collection'>[] = one.files.map(({ id, attributes, chunks }) => ({
            file: { id, filename: `${id}.txt`, attributes },
            chunks,
          }));
          const refused = one.isRefused ? [unlike()] : [];
          if (one.isRefused) given.push(like());
          const outcome = await index.putAll(collection, [...given, ...refused].map(chunkedFile));
          expect(outcome.map((error) => error?.message.includes('dimensions') ?? null)).toEqual([
            ...given.map(() => null),
            ...refused.map(() => true),
          ]);
          for (const { file, chunks } of given) {
            files.set(`${one.store} ${file.id}`, { collection, file, chunks });
          }
          continue;
        }
        const key = `${one.store} ${one.id}`;
        if (one.do === 'put') {
          const file = { id: one.id, filename: `${one.id}.txt`, attributes: one.attributes };
          await index.put(collection, file, one.chunks);
          files.set(key, { collection, file, chunks: one.chunks });
        } else if (one.do === 'remove') {
          await index.removeFile(collection, one.id);
          files.delete(key);
        } else {
          await index.setAttributes(collection, one.id, one.attributes);
          const changed = files.get(key);
          if (changed !== undefined) {
            files.set(key, { ...changed, file: { ...changed.file, attributes: one.attributes } });
          }
        }
      }
    }),
    { numRuns: 60 },
  );
});

const wide = 100;
function vectorSource() {
  let seed = 1;
  const random = () => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return seed / 2 ** 32 - 0.5;
  };
  return () => Float32Array.from({ length: wide }, random);
}

const nearestTo = (vector: Float32Array, more: Partial<SearchQuery> = {}): SearchQuery => ({
  queries: [{ text: '17', vector }],
  limit: 10,
  filter: null,
  weights: { embedding: 1, text: 0 },
  scoreThreshold: 0,
  ...more,
});

test('the nearest of many chunks are found exactly, in memory and without', async () => {
  const make = vectorSource();
  const collection = { project: 'many', id: 'vs' };
  const files = Array.from({ length: 3 }, (_, at): NaiveFile => {
    const chunks = Array.from({ length: 700 }, (_, place) => ({ text: `${place} of ${at}`, vector: make() }));
    return { collection, file: { id: `file-${at}`, filename: 'f', attributes: { at } }, chunks };
  });
  for (const { file, chunks } of files) await index.put(collection, file, chunks);
  for (const limit of [10, 300]) {
    const one = nearestTo(make(), { limit, filter: { type: 'ne', key: 'at', value: 1 } });
    const expected = naiveSearch(files, one);
    expect(expected).toHaveLength(limit);
    expect(await index.search([collection], one)).toEqual(expected);
    expect(await poor.search([collection], one)).toEqual(expected);
  }
});

test('collections that grow and shrink share a memory that is too small for them', async () => {
  const make = vectorSource();
  // Six pages of 585 vectors for codes.
  const narrow = openSearchIndex({ directory, memoryMegabytes: 0.5 });
  const collections = [0, 1, 2].map((number) => ({ project: 'narrow', id: `vs_${number}` }));
  let files: NaiveFile[] = [];
  for (let round = 0; round < 24; round++) {
    const collection = collections[round % 3] ?? { project: '', id: '' };
    const id = `file-${round % 8}`;
    const chunks = Array.from({ length: 300 + round * 10 }, (_, at) => ({ text: `${at}`, vector: make() }));
    const file = { id, filename: 'f', attributes: { round } };
    await index.put(collection, file, chunks);
    files = files.filter((one) => one.collection !== collection || one.file.id !== id);
    files.push({ collection, file, chunks });
    for (const searched of [collections, collections.slice(0, 2), [collection]]) {
      const one = nearestTo(make());
      const expected = naiveSearch(
        files.filter((one) => searched.includes(one.collection)),
        one,
      );
      expect(await narrow.search(searched, one)).toEqual(expected);
    }
  }
  await narrow.close();
});
