import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { openSearchIndex } from '../src/providers/search/open-search-index.ts';
import type { IndexedChunk, SearchIndex, SearchQuery } from '../src/providers/search/search-index.ts';
import { percentile } from './statistics.ts';
import { seededRandom, zipfRanks } from './zipf.ts';

export interface Search {
  chunks: number;
  /** Of putting all of them in, one file after the other. */
  chunksPerSecond: number;
  /** Of the first search after a start, which has to read the collection, in milliseconds. */
  firstMilliseconds: number;
  hybrid: Latency;
  vectors: Latency;
  words: Latency;
  /** With a filter that leaves a tenth of the files. */
  filtered: Latency;
  /** While files are being put in. */
  ingesting: Latency;
  /** Of the ten that a comparison with every vector finds, the share that the vector half finds. */
  recall: number;
}

/** In milliseconds. */
export interface Latency {
  median: number;
  p99: number;
}

const files = 1000;
const chunksPerFile = 100;
const wordsPerChunk = 120;
const wordsPerQuery = 8;
const vocabulary = 30_000;
const dimensions = 384;
const topics = 200;
const warmUp = 20;
const queries = 200;
const recallQueries = 50;
const weights = { embedding: 1, text: 1 };

/** Fills an index with 100,000 chunks and searches it; takes about two minutes whatever the time for other cases. */
export async function measureSearch(parent: string): Promise<Search> {
  const directory = join(parent, 'search');
  mkdirSync(directory);
  const source = generator(1);
  const collection = { project: 'bench', id: 'vs_bench' };
  const vectors: Float32Array[] = [];
  let index = openSearchIndex({ directory });
  const putFile = async (to: SearchIndex, number: number, chunks: IndexedChunk[]): Promise<void> => {
    const file = { id: `file-${number}`, filename: `${number}.txt`, attributes: { tenth: number % 10 } };
    await to.put(collection, file, chunks);
  };
  const makeChunks = () => Array.from({ length: chunksPerFile }, () => source.chunk());

  let putting = 0;
  for (let number = 0; number < files; number++) {
    const chunks = makeChunks();
    vectors.push(...chunks.flatMap(({ vector }) => vector ?? []));
    const start = performance.now();
    await putFile(index, number, chunks);
    putting += performance.now() - start;
  }
  await index.close();
  index = openSearchIndex({ directory });

  const ask = async (query: SearchQuery) => {
    const start = performance.now();
    const hits = await index.search([collection], query);
    return { hits, milliseconds: performance.now() - start };
  };
  const measure = async (more: Partial<SearchQuery> = {}): Promise<Latency> => {
    for (let i = 0; i < warmUp; i++) await ask({ ...source.query(), ...more });
    const times: number[] = [];
    for (let i = 0; i < queries; i++) times.push((await ask({ ...source.query(), ...more })).milliseconds);
    return latencyOf(times);
  };

  const { milliseconds: firstMilliseconds } = await ask(source.query());
  const hybrid = await measure();
  const onlyVectors = await measure({ weights: { embedding: 1, text: 0 } });
  const onlyWords = await measure({ weights: { embedding: 0, text: 1 } });
  const filtered = await measure({ filter: { type: 'eq', key: 'tenth', value: 3 } });

  let found = 0;
  for (let i = 0; i < recallQueries; i++) {
    const query = { ...source.query(), weights: { embedding: 1, text: 0 } };
    const { hits } = await ask(query);
    const exact = nearest(vectors, query.queries[0]?.vector ?? new Float32Array());
    const numbers = hits.map(({ file, chunk }) => Number(file.id.slice(5)) * chunksPerFile + chunk);
    found += numbers.filter((number) => exact.has(number)).length;
  }

  const more = Array.from({ length: 50 }, makeChunks);
  let isPutting = true;
  const ingestion = (async () => {
    for (const [at, chunks] of more.entries()) await putFile(index, files + at, chunks);
    isPutting = false;
  })();
  const whilePutting: number[] = [];
  while (isPutting) whilePutting.push((await ask(source.query())).milliseconds);
  await ingestion;
  await index.close();
  return {
    chunks: files * chunksPerFile,
    chunksPerSecond: (files * chunksPerFile * 1000) / putting,
    firstMilliseconds,
    hybrid,
    vectors: onlyVectors,
    words: onlyWords,
    filtered,
    ingesting: latencyOf(whilePutting),
    recall: found / (recallQueries * 10),
  };
}

function latencyOf(times: number[]): Latency {
  const sorted = times.toSorted((a, b) => a - b);
  return { median: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) };
}

/** The ten that are nearest, by comparing with each. */
function nearest(vectors: readonly Float32Array[], query: Float32Array): Set<number> {
  const scored = vectors.map((vector, number) => {
    let product = 0;
    let squares = 0;
    for (let at = 0; at < vector.length; at++) {
      const value = vector[at] ?? 0;
      product += value * (query[at] ?? 0);
      squares += value * value;
    }
    return { number, score: product / Math.sqrt(squares) };
  });
  return new Set(
    scored
      .sort((a, b) => b.score - a.score)
      .slice(0, 10)
      .map(({ number }) => number),
  );
}

/** Text of words as frequent as those of a language, and vectors around topics; the same in every run. */
function generator(first: number) {
  const random = seededRandom(first);
  const rank = zipfRanks(random, vocabulary);
  const normal = (): number => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  const word = (): string => `w${rank().toString(36)}`;
  const text = (words: number): string => Array.from({ length: words }, word).join(' ');
  const centres = Array.from({ length: topics }, () => Float32Array.from({ length: dimensions }, normal));
  const vector = (): Float32Array => {
    const centre = centres[Math.floor(random() * topics)] ?? new Float32Array(dimensions);
    return centre.map((value) => value * 0.7 + normal());
  };
  return {
    chunk: (): IndexedChunk => ({ text: text(wordsPerChunk), vector: vector() }),
    query: (): SearchQuery => ({
      queries: [{ text: text(wordsPerQuery), vector: vector() }],
      limit: 10,
      filter: null,
      weights,
      scoreThreshold: 0,
    }),
  };
}
