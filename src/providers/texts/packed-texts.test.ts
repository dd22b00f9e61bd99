import fc from 'fast-check';
import { expect, test } from 'vitest';
import { areSound, packTexts, textParts, unpackTexts } from './packed-texts.ts';

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

const sea = 'By the sea, where all the ships lie at anchor in the evening.';

test.each([
  ['ASCII', sea],
  ['other characters', sea.replace('sea', 'sæ')],
])('what a text of %s repeats is there once', (_, before) => {
  const texts = [before, `${before.slice(20)} Nobody sleeps.`, 'Other'];
  const packed = packTexts(texts);
  expect([...packed.overlaps]).toEqual([0, before.length - 20, 0]);
  expect(packed.bytes.length).toBe(Buffer.byteLength(`${before} Nobody sleeps.Other`));
  expect(unpackTexts(packed)).toEqual(texts);
});

test('texts that repeat what is not there, or too much, are not sound', () => {
  const packed = packTexts([sea, sea.slice(20)]);
  const units = sea.length * 2 - 20;
  expect([areSound(packed, units), areSound(packed, units - 1)]).toEqual([true, false]);
  for (const overlaps of [
    [1, 0],
    [0, sea.length - 19],
    [0, sea.length + 1],
  ]) {
    expect(areSound({ ...packed, overlaps: Uint32Array.from(overlaps) }, 1000)).toBe(false);
  }
});

test.each([[sea], [`${sea}…`]])('lengths that are not those of the texts are refused', (text) => {
  const packed = packTexts([text]);
  for (const more of [-1, 1]) {
    const lengths = Uint32Array.of(text.length + more);
    expect(() => textParts({ ...packed, lengths })).toThrow('The lengths of texts are not theirs.');
  }
});
