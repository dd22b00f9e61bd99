import { expect, test } from 'vitest';
import { countTextTokens } from '../token-count.ts';
import { createBuiltinModel } from './index.ts';
import { vectorOf } from './vectors.ts';

const { embed } = createBuiltinModel({ scenarios: [] });
const signal = new AbortController().signal;

const dot = (left: Float64Array | number[], right: Float64Array | number[]): number =>
  Array.from(left).reduce((sum, value, at) => sum + value * (right[at] ?? 0), 0);

test('vectors have length 1 and the dimension asked for', async () => {
  const inputs = ['The furnace takes ore.', '', '!!!', '东京', 'a'.repeat(20_000)];
  for (const dimensions of [null, 1, 7, 1536]) {
    const { embeddings, inputTokens } = await embed({ inputs, dimensions }, signal);
    expect(embeddings.map((vector) => vector.length)).toEqual(inputs.map(() => dimensions ?? 256));
    for (const vector of embeddings) expect(dot(vector, vector)).toBeCloseTo(1, 10);
    expect(inputTokens).toBe(await countTextTokens(inputs));
  }
});

test('similar texts are nearer than others', () => {
  const near = (left: string, right: string): number => dot(vectorOf(left, 256), vectorOf(right, 256));
  const cat = 'The cat sat on the mat.';
  expect(near(cat, cat)).toBeCloseTo(1, 10);
  expect(near(cat, 'A cat is sitting on a mat')).toBeGreaterThan(0.5);
  expect(near(cat, 'Quarterly revenue grew by ten percent')).toBeLessThan(0.25);
  expect(near('smart eyewear', 'Smart Eyewear features and prices')).toBeGreaterThan(
    near('smart eyewear', 'Camping tent features and prices'),
  );
});

test('dimensions out of bounds are refused, an abort stops', async () => {
  for (const dimensions of [0, -1, 1.5, 4097]) {
    await expect(embed({ inputs: ['a'], dimensions }, signal)).rejects.toMatchObject({
      status: 400,
      target: 'dimensions',
    });
  }
  const reason = new Error('gone');
  await expect(embed({ inputs: ['a'], dimensions: null }, AbortSignal.abort(reason))).rejects.toBe(reason);
});
