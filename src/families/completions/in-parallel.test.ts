import fc from 'fast-check';
import { expect, test } from 'vitest';
import { inParallel } from './in-parallel.ts';

const never = new AbortController().signal;

test('results stand in the order of their items, and no more than allowed are under way', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 4 })), fc.integer({ min: 1, max: 5 }), async (items, most) => {
      let underWay = 0;
      let peak = 0;
      const results = await inParallel(items, most, never, async (turns) => {
        peak = Math.max(peak, ++underWay);
        for (let i = 0; i <= turns; i++) await Promise.resolve();
        underWay--;
        return turns * 2;
      });
      expect(results).toEqual(items.map((turns) => turns * 2));
      expect(peak).toBe(Math.min(most, items.length));
    }),
  );
});

test('the first failure aborts what is under way and starts nothing more', async () => {
  const started: string[] = [];
  let aborted: unknown = null;
  const working = inParallel(['hang', 'fail', 'late'], 2, never, async (item, signal) => {
    started.push(item);
    if (item === 'fail') throw new Error('no');
    await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()));
    aborted = signal.reason;
  });
  await expect(working).rejects.toThrow('no');
  await Promise.resolve();
  expect(started).toEqual(['hang', 'fail']);
  expect(aborted).toEqual(new Error('no'));
});

test('an abort from outside is thrown', async () => {
  const outside = new AbortController();
  const working = inParallel([1, 2], 1, outside.signal, async () => outside.abort(new Error('gone')));
  await expect(working).rejects.toThrow('gone');
});
