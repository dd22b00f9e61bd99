import fc from 'fast-check';
import { countTokens } from 'gpt-tokenizer/encoding/o200k_base';
import { expect, test } from 'vitest';
import { longestPiece } from '../../texts/pieces.ts';
import { longWildTexts, wildTexts } from '../../texts/testing/wild-texts.ts';
import { loadTokenizer } from '../../texts/tokenizer.ts';
import { chunksOf, type Span } from './chunks.ts';

const tokenizer = await loadTokenizer();
const tokens = (text: string): number => countTokens(text, { disallowedSpecial: new Set<string>() });
const spans = (text: string, maxTokens: number, overlapTokens: number): Span[] => [
  ...chunksOf(text, { maxTokens, overlapTokens }, tokenizer),
];
const cut = (...[text, ...chunking]: Parameters<typeof spans>): string[] =>
  spans(text, ...chunking).map(({ start, end }) => text.slice(start, end));

const chunkings = fc
  .integer({ min: 4, max: 200 })
  .chain((maxTokens) => fc.tuple(fc.constant(maxTokens), fc.integer({ min: 0, max: maxTokens >> 1 })));

test.each([
  ['', wildTexts, 400],
  [', in texts that are long', longWildTexts, 30],
] as const)(
  'no chunk has more tokens than it may, and together the chunks are the text%s',
  (_, source, numRuns) => {
    fc.assert(
      fc.property(source, chunkings, (text, [maxTokens, overlapTokens]) => {
        const chunks = spans(text, maxTokens, overlapTokens);
        let covered = 0;
        for (const { start, end } of chunks) {
          const chunk = text.slice(start, end);
          expect(tokens(chunk)).toBeLessThanOrEqual(maxTokens);
          expect(chunk.isWellFormed()).toBe(true);
          expect(chunk.trim()).not.toBe('');
          expect(end).toBeGreaterThan(covered);
          // What is left out is white space; what comes twice is within the overlap.
          expect(text.slice(covered, start).trim()).toBe('');
          expect(tokens(text.slice(start, covered))).toBeLessThanOrEqual(overlapTokens);
          covered = end;
        }
        expect(text.slice(covered).trim()).toBe('');
        expect(spans(text, maxTokens, overlapTokens)).toEqual(chunks);
      }),
      { numRuns },
    );
  },
);

test('chunks of words begin with what the one before ends with, as far as the overlap allows', () => {
  const text = Array.from({ length: 3000 }, (_, i) => `${i}_${['alpha', 'beta.', 'gamma\n'][i % 3]}`).join(
    ' ',
  );
  const chunks = spans(text, 200, 100);
  chunks.slice(1).forEach(({ start }, i) => {
    const repeated = tokens(text.slice(start, chunks[i]?.end));
    expect(repeated).toBeGreaterThan(50);
    expect(repeated).toBeLessThanOrEqual(100);
  });
});

test('white space of any length between lines does not lead astray', () => {
  for (const blanks of [200, 255, 256, 257, 3800, 4094, 4095, 4096, 9000]) {
    const text = `One line.\n${' '.repeat(blanks)}\n${' '.repeat(300)}Another.`;
    for (const maxTokens of [4, 10, 100]) {
      for (const chunk of cut(text, maxTokens, 2)) expect(tokens(chunk)).toBeLessThanOrEqual(maxTokens);
    }
  }
});

test('a text that fits is one chunk as it is', () => {
  expect(cut('A line.\n\nAnother one. ', 800, 400)).toEqual(['A line.\n\nAnother one. ']);
});

test('nothing but white space makes no chunk', () => {
  expect(cut(' \n\t \n'.repeat(3000), 100, 50)).toEqual([]);
});

test('cuts come at paragraphs rather than in sentences', () => {
  const paragraphs = Array.from({ length: 12 }, (_, i) =>
    `Paragraph ${i}. ${'It goes on and on. '.repeat(5)}`.trim(),
  );
  const chunks = cut(paragraphs.join('\n\n'), 100, 0);
  expect(chunks.length).toBeGreaterThan(3);
  for (const chunk of chunks) expect(chunk).toMatch(/^Paragraph \d/);
});

test('where there is only one long paragraph, cuts come between sentences', () => {
  const text = Array.from({ length: 60 }, (_, i) => `Sentence number ${i} says little.`).join(' ');
  for (const chunk of cut(text, 100, 40)) expect(chunk).toMatch(/^ ?Sentence.*little\.$/);
});

test('a long run without any place to cut at is cut between characters', () => {
  const chunks = cut('😀'.repeat(5000), 100, 50);
  expect(chunks.join('')).toBe('😀'.repeat(5000));
  for (const chunk of chunks) expect(chunk.length).toBeLessThanOrEqual(longestPiece);
});

test('as much is put into a chunk as there is room for', () => {
  const text = Array.from({ length: 5000 }, (_, i) => `word${i}`).join(' ');
  const chunks = cut(text, 800, 400);
  for (const chunk of chunks.slice(0, -1)) expect(tokens(chunk)).toBeGreaterThan(700);
});
