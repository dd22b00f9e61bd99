import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createCoreShare } from './core-share.ts';

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => void vi.useRealTimers());

/** Work that has begun and goes on until it is told to end, by name. */
function share(cores: number) {
  const ofCores = createCoreShare(cores);
  const ends = new Map<string, (outcome: 'done' | 'failed') => void>();
  const run = (kind: 'read' | 'embed' | 'index', name: string) =>
    ofCores
      .run(
        kind,
        () =>
          new Promise<void>((resolve, reject) => {
            ends.set(name, (outcome) => {
              ends.delete(name);
              if (outcome === 'done') resolve();
              else reject(new Error(name));
            });
          }),
      )
      .catch(() => {});
  const underWay = async () => {
    await vi.advanceTimersByTimeAsync(0);
    return [...ends.keys()];
  };
  const end = async (name: string, outcome: 'done' | 'failed' = 'done') => {
    ends.get(name)?.(outcome);
    return await underWay();
  };
  return { run, underWay, end };
}

test('no more is under way than there are cores, and what fails leaves its place as well', async () => {
  const { run, underWay, end } = share(2);
  for (const name of ['a', 'b', 'c', 'd']) void run('read', name);
  expect(await underWay()).toEqual(['a', 'b']);
  expect(await end('a', 'failed')).toEqual(['b', 'c']);
  expect(await end('b')).toEqual(['c', 'd']);
  await end('c');
  await end('d');
});

test('one is indexed at a time, and those behind it hold no place', async () => {
  const { run, underWay, end } = share(2);
  for (const name of ['a', 'b']) void run('index', name);
  for (const name of ['c', 'd']) void run('read', name);
  expect(await underWay()).toEqual(['a', 'c']);
  expect(await end('c')).toEqual(['a', 'd']);
  await vi.advanceTimersByTimeAsync(5000);
  expect(await underWay()).toEqual(['a', 'd']);
  expect(await end('a')).toEqual(['d', 'b']);
});

test('what has been read is embedded before more is read, one at a time', async () => {
  const { run, underWay, end } = share(2);
  for (const name of ['a', 'b', 'c']) void run('read', name);
  for (const name of ['x', 'y']) void run('embed', name);
  expect(await underWay()).toEqual(['a', 'b']);
  expect(await end('a')).toEqual(['b', 'x']);
  expect(await end('b')).toEqual(['x', 'c']);
  expect(await end('x')).toEqual(['c', 'y']);
});

test('beside a long document those that have waited long are embedded one right after the other', async () => {
  const { run, underWay, end } = share(1);
  void run('read', 'long');
  for (const name of ['x', 'y']) void run('embed', name);
  await vi.advanceTimersByTimeAsync(999);
  expect(await underWay()).toEqual(['long']);
  await vi.advanceTimersByTimeAsync(1);
  expect(await underWay()).toEqual(['long', 'x']);
  expect(await end('x')).toEqual(['long', 'y']);
});

test('what is to be indexed lets reading go first for a while', async () => {
  const { run, underWay, end } = share(1);
  for (const name of ['a', 'b', 'c']) void run('read', name);
  void run('index', 'put');
  expect(await underWay()).toEqual(['a']);
  await vi.advanceTimersByTimeAsync(249);
  expect(await end('a')).toEqual(['b']);
  await vi.advanceTimersByTimeAsync(1);
  expect(await end('b')).toEqual(['put']);
  expect(await end('put')).toEqual(['c']);
});

test('with nothing to read it is indexed at once', async () => {
  const { run, underWay, end } = share(1);
  void run('read', 'a');
  void run('index', 'put');
  expect(await underWay()).toEqual(['a']);
  expect(await end('a')).toEqual(['put']);
});

test('who has waited long goes on beside the others, for once', async () => {
  const { run, underWay, end } = share(1);
  for (const name of ['long', 'b', 'c']) void run('read', name);
  await vi.advanceTimersByTimeAsync(999);
  expect(await underWay()).toEqual(['long']);
  await vi.advanceTimersByTimeAsync(1);
  expect(await underWay()).toEqual(['long', 'b', 'c']);
  for (const name of ['d', 'e']) void run('read', name);
  expect(await end('b')).toEqual(['long', 'c']);
  expect(await end('c')).toEqual(['long']);
  expect(await end('long')).toEqual(['d']);
});
