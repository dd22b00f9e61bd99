import fc from 'fast-check';
import { expect, test } from 'vitest';
import { overlapsOf, wholeTexts } from './overlaps.ts';
import { wildTexts } from './testing/wild-texts.ts';

const words = (from: number, to: number): string =>
  Array.from({ length: to - from }, (_, at) => `word${from + at}`).join(' ');

test('what a text repeats of the one before is found, and the texts come back', () => {
  const texts = [words(0, 100), words(50, 150), words(100, 120), words(110, 300), words(0, 9)];
  const overlaps = overlapsOf(texts);
  expect([...overlaps]).toEqual([0, words(50, 100).length, 0, words(110, 120).length, 0]);
  const parts = texts.map((text, at) => text.slice(overlaps[at]));
  expect(wholeTexts(parts, overlaps)).toEqual(texts);
});

test('a text that is all in the one before, and one of the same sign over and over', () => {
  expect([...overlapsOf([words(0, 100), words(50, 100), words(70, 120)])]).toEqual([
    0,
    words(50, 100).length,
    words(70, 100).length,
  ]);
  const many = 'x'.repeat(5000);
  const overlaps = overlapsOf([many, many, 'x'.repeat(40)]);
  const parts = [many, many, 'x'.repeat(40)].map((text, at) => text.slice(overlaps[at]));
  expect(wholeTexts(parts, overlaps)).toEqual([many, many, 'x'.repeat(40)]);
});

test('any texts come back', () => {
  const long = wildTexts.map((text) => text.toWellFormed().repeat(5));
  const overlapping = fc.tuple(long, fc.nat(300), long).map(([a, cut, b]) => {
    const shared = a.slice(-cut).toWellFormed();
    return [a.slice(0, a.length - cut) + shared, shared + b].map((text) => text.toWellFormed());
  });
  fc.assert(
    fc.property(fc.array(overlapping, { maxLength: 4 }), (pairs) => {
      const texts = pairs.flat();
      const overlaps = overlapsOf(texts);
      const parts = texts.map((text, at) => text.slice(overlaps[at]));
      for (const part of parts) expect(part.isWellFormed()).toBe(true);
      expect(wholeTexts(parts, overlaps)).toEqual(texts);
    }),
  );
});
