import { expect, test } from 'vitest';
import { modelRequest } from './testing/fake-upstream.ts';
import { countRequestTokens, countTextTokens } from './token-count.ts';

test('counts by o200k_base, and takes special tokens for plain text', async () => {
  expect(await countTextTokens(['Hello, world!'])).toBe(4);
  expect(await countTextTokens(['<|endoftext|>'])).toBeGreaterThan(1);
  expect(await countRequestTokens(modelRequest())).toBe(3 + 3 + 3);
});

test('long unbroken runs take no long time', async () => {
  await countTextTokens(['warm']);
  const started = performance.now();
  const count = await countTextTokens(['a'.repeat(300_000), ' '.repeat(300_000)]);
  expect(performance.now() - started).toBeLessThan(1500);
  expect(count).toBeGreaterThan(30_000);
});
