import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { packTexts } from '../texts/packed-texts.ts';
import { createIndexReader } from './index-reader.ts';
import { createIndexWriter } from './index-writer.ts';
import { openToRead, openToWrite, type SearchFile } from './search-file.ts';

let directory: string;
let file: SearchFile;
let reading: SearchFile;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  file = openToWrite(join(directory, 'search.db'));
  reading = openToRead(join(directory, 'search.db'));
});
afterEach(() => {
  reading.close();
  file.close();
  rmSync(directory, { recursive: true, force: true });
});

const collection = { project: 'p', id: 'vs' };
/** Words of which some are in all files, some in a few, and some in this one only. */
const textOf = (number: number): string =>
  `all file${number} few${number % 7} ${Array.from({ length: 200 }, (_, at) => `w${(number * 31 + at * 7) % 2000}`).join(' ')}`;
const packed = (number: number, text = textOf(number)) => ({
  collection,
  file: { id: `f${number}`, filename: 'f', attributes: {} },
  texts: packTexts([text]),
  present: new Uint8Array(1),
  vectors: new Float32Array(),
  dimensions: null,
});
const runs = (): number => Number(file.prepare('select count(*) as runs from runs').get()?.runs);

function finder(memoryBytes = 1e6) {
  const reader = createIndexReader(reading, memoryBytes);
  return (text: string): string[] =>
    reader
      .search({
        collections: [collection],
        query: {
          queries: [{ text, vector: null }],
          limit: 1000,
          filter: null,
          weights: { embedding: 0, text: 1 },
          scoreThreshold: 0,
        },
      })
      .map((hit) => hit.file.id)
      .sort();
}

const names = (of: (number: number) => boolean, count: number): string[] =>
  Array.from({ length: count }, (_, number) => number)
    .filter(of)
    .map((number) => `f${number}`)
    .sort();

test('many files put one by one are in few runs, and found as they come and go', () => {
  const writer = createIndexWriter(file);
  const find = finder();
  const count = 120;
  for (let number = 0; number < count; number++) {
    writer.put([packed(number)]);
    if (number % 40 === 0) expect(find('few3')).toEqual(names((one) => one % 7 === 3, number + 1));
  }
  expect(runs()).toBeLessThan(24);
  for (const search of [find, finder()]) {
    expect(search('all')).toHaveLength(count);
    expect(search('few3')).toEqual(names((one) => one % 7 === 3, count));
    expect(search('file100')).toEqual(['f100']);
  }
  for (let number = 1; number < count; number += 3) writer.removeFile({ collection, fileId: `f${number}` });
  for (const search of [find, finder()]) {
    expect(search('few3')).toEqual(names((one) => one % 7 === 3 && one % 3 !== 1, count));
    expect(search('file100')).toEqual([]);
  }
  const bytes = Buffer.concat(['', '-wal'].map((end) => readFileSync(join(directory, `search.db${end}`))));
  expect([bytes.includes('file99'), bytes.includes('file100')]).toEqual([true, false]);
  for (let number = 0; number < count; number++) writer.removeFile({ collection, fileId: `f${number}` });
  expect([runs(), Number(file.prepare('select count(*) as n from words').get()?.n)]).toEqual([0, 0]);
});

test('runs that became small by removals are not made one of all', () => {
  const writer = createIndexWriter(file);
  const large = (number: number): string =>
    Array.from({ length: 30_000 }, (_, at) => `w${number.toString(36)}x${at.toString(36)}`).join(' ');
  for (let number = 0; number < 10; number++) {
    writer.put([packed(number, large(number)), packed(100 + number, `${large(number)} more`)]);
  }
  for (let number = 0; number < 10; number++) writer.removeFile({ collection, fileId: `f${number}` });
  writer.put([packed(200)]);
  const largest = Number(file.prepare('select max(bytes) as most from runs').get()?.most);
  expect(largest).toBeLessThan(5_000_000);
  expect(finder()('w0x0')).toEqual(['f100']);
  expect(finder()('w9x1')).toEqual(['f109']);
});

test('a file that is put twice at once is there as it was put last', () => {
  const writer = createIndexWriter(file);
  writer.put([packed(1, 'first apple'), packed(2), packed(1, 'second pear')]);
  const find = finder();
  expect([find('apple'), find('pear'), find('all')]).toEqual([[], ['f1'], ['f2']]);
  expect(readFileSync(join(directory, 'search.db')).includes('appl')).toBe(false);
});

test('more words than are kept in memory are written in between', () => {
  const writer = createIndexWriter(file);
  const many = (from: number): string =>
    Array.from({ length: 120_000 }, (_, at) => `x${(from + at).toString(36)}`).join(' ');
  writer.put([packed(1, many(0)), packed(2, many(120_000)), packed(3, many(0))]);
  expect(runs()).toBe(2);
  const find = finder();
  expect(find(`x${(77).toString(36)}`)).toEqual(['f1', 'f3']);
  expect(find(`x${(120_077).toString(36)}`)).toEqual(['f2']);
});
