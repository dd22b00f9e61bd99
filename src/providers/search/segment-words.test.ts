import fc from 'fast-check';
import { expect, test } from 'vitest';
import { longestKnown } from '../texts/known-parts.ts';
import { packTexts, textParts } from '../texts/packed-texts.ts';
import { wildTexts } from '../texts/testing/wild-texts.ts';
import { createWordCounter, type WordCounter } from './segment-words.ts';
import { countWords } from './words.ts';

/** Each word with the chunks it is in and how often. */
function countedBy(counter: WordCounter, chunks: string[]) {
  const { words, starts, ends } = counter.count(textParts(packTexts(chunks)), 0, chunks.length);
  const found = new Map<string, [number, number][]>();
  for (const place of chunks.keys()) {
    const counts = new Map<string, number>();
    for (const word of words.subarray(starts[place], ends[place])) {
      const text = wordAt(counter, word);
      counts.set(text, (counts.get(text) ?? 0) + 1);
    }
    for (const [word, times] of counts) found.set(word, [...(found.get(word) ?? []), [place, times]]);
  }
  return { found, lengths: chunks.map((_, at) => (ends[at] ?? 0) - (starts[at] ?? 0)) };
}

const wordAt = ({ vocabulary }: WordCounter, word: number): string => {
  const { bytes, starts } = vocabulary.words();
  return new TextDecoder().decode(bytes.subarray(starts[word], starts[word + 1]));
};

function countedOneByOne(chunks: string[]) {
  const counted = chunks.map(countWords);
  const found = new Map<string, [number, number][]>();
  for (const [place, { counts }] of counted.entries()) {
    for (const [word, times] of counts) found.set(word, [...(found.get(word) ?? []), [place, times]]);
  }
  return { found, lengths: counted.map(({ total }) => total) };
}

const texts = fc.oneof(
  wildTexts.map((text) => text.toWellFormed()),
  fc.stringMatching(/^[ a-cA-C0-9_{é’Σσ.]{0,80}$/),
);

test('words of a segment are those of its chunks, whatever was counted before', () => {
  const counter = createWordCounter();
  fc.assert(
    fc.property(fc.array(texts, { maxLength: 6 }), (chunks) => {
      expect(countedBy(counter, chunks)).toEqual(countedOneByOne(chunks));
    }),
  );
});

test('so are those of chunks that repeat parts of others, wherever they were cut', () => {
  const counter = createWordCounter();
  const cuts = fc.array(fc.tuple(fc.nat(120), fc.nat(90)), { maxLength: 8 });
  const long = fc.stringMatching(/^[ a-cA-C0-9_{.]{200,600}$/);
  fc.assert(
    fc.property(
      fc.oneof(
        long,
        fc.tuple(long, texts, long).map((parts) => parts.join(' ')),
      ),
      cuts,
      (text, all) => {
        let end = 60;
        const chunks = [text.slice(0, end)];
        for (const [further, repeated] of all) {
          chunks.push(text.slice(end - Math.min(repeated, end), end + further));
          end = Math.min(text.length, end + further);
        }
        const wellFormed = chunks.map((chunk) => chunk.toWellFormed());
        expect(countedBy(counter, wellFormed)).toEqual(countedOneByOne(wellFormed));
      },
    ),
  );
});

test('words that take the place of others in memory, and words too long for it', () => {
  const counter = createWordCounter();
  const many = Array.from({ length: 50_000 }, (_, n) => n.toString(36)).join(' ');
  const long = [-1, 0, 1, 74].map((more) => 'x'.repeat(longestKnown + more)).join(' ');
  for (const text of [many, long, many]) {
    expect(countedBy(counter, [text])).toEqual(countedOneByOne([text]));
  }
  counter.reset();
  expect(countedBy(counter, [long])).toEqual(countedOneByOne([long]));
});
