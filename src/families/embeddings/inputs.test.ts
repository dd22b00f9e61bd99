import fc from 'fast-check';
import { encode } from 'gpt-tokenizer/encoding/cl100k_base';
import { expect, test } from 'vitest';
import { ApiError } from '../../errors.ts';
import type { CreateEmbedding } from './contract.ts';
import { inputTexts } from './inputs.ts';

const element = fc.oneof(
  fc.string(),
  fc.double(),
  fc.integer({ min: -1, max: 100_300 }),
  fc.array(fc.oneof(fc.integer({ min: -1, max: 100_300 }), fc.string()), { maxLength: 4 }),
);

test('any input is either texts, one per element, or refused with a place in it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(element, { minLength: 1, maxLength: 5 }), async (input) => {
      try {
        const texts = await inputTexts(input as CreateEmbedding['input']);
        expect(texts).toHaveLength(typeof input[0] === 'number' ? 1 : input.length);
        expect(texts.every((text) => typeof text === 'string')).toBe(true);
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        expect(error).toMatchObject({ status: 400, target: expect.stringMatching(/^input\[\d+\]/) });
      }
    }),
  );
});

test('every text token has a text', async () => {
  const { vocabularySize } = await import('gpt-tokenizer/encoding/cl100k_base');
  const all = Array.from({ length: 100_256 }, (_, id) => id);
  expect(vocabularySize).toBeGreaterThan(all.length);
  await expect(inputTexts(all)).resolves.toHaveLength(1);
});

test('half a character at the end of one list does not show in the next', async () => {
  const [half, rest] = encode('😀') as [number, number];
  expect(await inputTexts([half])).toEqual(['�']);
  expect(await inputTexts([[rest], encode('é')])).toEqual(['�', 'é']);
});
