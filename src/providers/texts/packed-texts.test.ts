import fc from 'fast-check';
import { expect, test } from 'vitest';
import { packTexts, unpackTexts } from './packed-texts.ts';

test('texts come out as they went in', () => {
  const text = fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: 'binary-ascii' }));
  fc.assert(
    fc.property(fc.array(text), (texts) => {
      expect(unpackTexts(packTexts(texts))).toEqual(texts);
    }),
  );
});

test('half a character is replaced, and what is behind it stays where it was', () => {
  expect(unpackTexts(packTexts(['a\ud800b', 'c']))).toEqual(['a\ufffdb', 'c']);
});

test('halves that only the packing puts together are no character', () => {
  expect(unpackTexts(packTexts(['a\ud83d', '\ude00b']))).toEqual(['a\ufffd', '\ufffdb']);
});
