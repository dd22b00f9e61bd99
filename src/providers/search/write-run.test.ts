import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { packTexts, textParts } from '../texts/packed-texts.ts';
import { wildTexts } from '../texts/testing/wild-texts.ts';
import { addPostings, noPostings } from './postings.ts';
import { createRunFile } from './run-file.ts';
import { openToWrite } from './search-file.ts';
import { createWordCounter } from './segment-words.ts';
import { BlockCursor, hashedWord } from './word-block.ts';
import { countWords } from './words.ts';
import { writeRun } from './write-run.ts';

const directory = mkdtempSync(join(tmpdir(), 'bloomery-run-'));
const db = openToWrite(join(directory, 'search.db'));
const file = createRunFile(db);
afterAll(() => {
  db.close();
  rmSync(directory, { recursive: true, force: true });
});

/** `word segment chunk` with how often, as a run of the segments has it. */
function writtenCounts(segments: string[][]): Map<string, number> {
  db.exec('delete from runs; delete from words');
  const counter = createWordCounter();
  const taken = segments.map((chunks, at) => ({
    segment: at * 1000 + 1,
    words: counter.count(textParts(packTexts(chunks)), 0, chunks.length),
  }));
  writeRun(file, 1, taken, counter.vocabulary);
  const found = new Map<string, number>();
  const hashes: number[] = [];
  for (const run of file.ofCollection(1)) {
    expect(run.segments).toEqual(taken.map(({ segment }) => segment));
    for (const { data } of file.blocks(run)) {
      for (const cursor = new BlockCursor(data); cursor.next(); ) {
        const word = Buffer.from(data).toString('utf8', cursor.wordStart, cursor.wordEnd);
        hashes.push(hashedWord(data, cursor.wordStart, cursor.wordEnd));
        cursor.readParts((segment, _, postings, end) => {
          const read = noPostings();
          addPostings(read, 0, data, postings, end);
          for (let at = 0; at < read.size; at++) {
            found.set(`${word} ${segment} ${read.chunks[at]}`, read.counts[at] as number);
          }
        });
      }
    }
  }
  expect(hashes).toEqual([...hashes].sort((a, b) => a - b));
  return found;
}

const expectedCounts = (segments: string[][]): Map<string, number> =>
  new Map(
    segments.flatMap((chunks, segment) =>
      chunks.flatMap((chunk, place) =>
        [...countWords(chunk).counts].map(([word, count]): [string, number] => [
          `${word} ${segment * 1000 + 1} ${place}`,
          count,
        ]),
      ),
    ),
  );

/** Chunks of a text that repeat the end of the one before them. */
const overlapping = (text: fc.Arbitrary<string>): fc.Arbitrary<string[]> =>
  fc.tuple(text, fc.array(fc.tuple(fc.nat(120), fc.nat(90)), { maxLength: 6 })).map(([whole, cuts]) => {
    let end = 60;
    const chunks = [whole.slice(0, end)];
    for (const [further, repeated] of cuts) {
      chunks.push(whole.slice(end - Math.min(repeated, end), end + further));
      end = Math.min(whole.length, end + further);
    }
    return chunks.map((chunk) => chunk.toWellFormed());
  });

test('a run has the words of all segments where they are, in the order of their hashes', () => {
  const plain = fc.stringMatching(/^[ a-cA-C0-9_{.]{200,600}$/);
  const wild = fc.array(wildTexts, { maxLength: 4 }).map((texts) => texts.join(' '));
  fc.assert(
    fc.property(
      fc.array(fc.oneof(overlapping(plain), overlapping(wild)), { minLength: 1, maxLength: 4 }),
      (segments) => {
        expect(writtenCounts(segments)).toEqual(expectedCounts(segments));
      },
    ),
  );
});

test('thousands of words are in many blocks', () => {
  const words = (from: number): string =>
    Array.from({ length: 30_000 }, (_, at) => `x${(from + at).toString(36)}`).join(' ');
  const segments = [[words(0)], [words(20_000), words(49_900)]];
  expect(writtenCounts(segments)).toEqual(expectedCounts(segments));
  expect(Number(db.prepare('select count(*) as blocks from words').get()?.blocks)).toBeGreaterThan(100);
});
