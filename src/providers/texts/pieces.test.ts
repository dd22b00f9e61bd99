import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { pieceReader } from './pieces.ts';
import { longWildTexts, wildTexts } from './testing/wild-texts.ts';
import { loadTokenizer } from './tokenizer.ts';

const tokenizer = await loadTokenizer();
const tokens = (text: string): number => countTokens(text, { disallowedSpecial: new Set<string>() });

interface Read {
  end: number;
  tokens: number;
}

/** The pieces up to the first place that has to be cut at. */
function piecesUntilCut(text: string, start: number): Read[] {
  const read = pieceReader(text, start, tokenizer);
  const pieces: Read[] = [];
  for (let piece = read(); piece !== null; piece = read()) {
    pieces.push({ end: piece.end, tokens: piece.tokens });
    if (piece.cut) break;
  }
  return pieces;
}

/** The tokenizer sees no white space alone before something else; its pieces there depend on what follows. */
const dependsOnNext = (text: string, end: number): boolean =>
  /[^\S\r\n]/.test(text.charAt(end - 1)) && /\S/.test(text.charAt(end));

test.each([
  ['texts', wildTexts, 300],
  ['long texts', longWildTexts, 30],
] as const)('the tokens of the pieces of %s are those of the text up to there', (_, source, numRuns) => {
  fc.assert(
    fc.property(source, fc.nat(), (text, seed) => {
      const pieces = piecesUntilCut(text, 0);
      const stride = Math.max(29, Math.ceil(pieces.length / 8));
      let sum = 0;
      pieces.forEach((piece, i) => {
        sum += piece.tokens;
        // Counting the text at every place would take long.
        if (pieces.length - i > 3 && (i + seed) % stride !== 0) return;
        if (dependsOnNext(text, piece.end)) return;
        expect(tokens(text.slice(0, piece.end)), `up to ${piece.end}`).toBe(sum);
      });
    }),
    { numRuns },
  );
});

test('a text that begins where a piece begins has the same pieces from there on', () => {
  fc.assert(
    fc.property(longWildTexts, fc.nat(), (text, seed) => {
      const pieces = piecesUntilCut(text, 0);
      const begin = seed % (pieces.length + 1);
      const start = pieces[begin - 1]?.end ?? 0;
      if (begin === pieces.length && pieces.length > 0) return;
      expect(piecesUntilCut(text.slice(start), 0).map(({ end }) => end + start)).toEqual(
        pieces.slice(begin).map(({ end }) => end),
      );
    }),
    { numRuns: 100 },
  );
});
