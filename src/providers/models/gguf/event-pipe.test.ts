import { expect, test } from 'vitest';
import { eventPipe } from './event-pipe.ts';

test('what was put in is taken out in order, before and after the end', async () => {
  const pipe = eventPipe<number>();
  pipe.push(1);
  const taken = Array.fromAsync(pipe);
  await Promise.resolve();
  pipe.push(2);
  pipe.push(3);
  pipe.end();
  pipe.push(4);
  expect(await taken).toEqual([1, 2, 3]);
});

test('a failure comes last, or at once', async () => {
  for (const [atOnce, expected] of [
    [false, [1]],
    [true, []],
  ] as const) {
    const pipe = eventPipe<number>();
    const taken: number[] = [];
    pipe.push(1);
    pipe.fail(new Error('broken'), atOnce);
    pipe.fail(new Error('again'));
    const reading = (async () => {
      for await (const value of pipe) taken.push(value);
    })();
    await expect(reading).rejects.toThrow('broken');
    expect(taken).toEqual(expected);
  }
});
