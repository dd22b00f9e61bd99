import { afterEach, expect, test } from 'vitest';
import type { OddCalls } from './testing/odd-worker.ts';
import { createWorkerLine, type WorkerLine } from './worker-line.ts';

const script = new URL('./testing/odd-worker.ts', import.meta.url);
let line: WorkerLine<OddCalls>;
const open = (mostWaiting = 100, mostWaitingBytes = 1000) => {
  line = createWorkerLine<OddCalls>({
    script,
    name: 'The odd worker',
    data: null,
    mostWaiting,
    mostWaitingBytes,
    heapMegabytes: 64,
  });
};
afterEach(() => line.close());

const messages = async (calls: Promise<unknown>[]) =>
  (await Promise.allSettled(calls)).map((one) =>
    one.status === 'fulfilled' ? one.value : (one.reason as Error).message,
  );

test('answers come to those who asked, and errors keep their code and target', async () => {
  open();
  const calls = [line.call('echo', 'a'), line.call('fail', 'broken'), line.call('echo', 'b')];
  expect(await messages(calls)).toEqual(['a', 'The odd worker failed: broken', 'b']);
  const refused = line.call('refuse', 'limit');
  await expect(refused).rejects.toMatchObject({ code: 'invalid_payload', target: 'limit', status: 400 });
});

test('what cannot be sent fails alone', async () => {
  open();
  const calls = [line.call('echo', (() => 'a') as never), line.call('echo', 'b')];
  expect(await messages(calls)).toEqual([expect.stringContaining('could not be cloned'), 'b']);
});

test('a worker that dies fails what was pending, and the next call has another', async () => {
  open();
  const lost = [line.call('die', 3), line.call('echo', 'after')];
  const stopped = 'The odd worker stopped working.';
  expect(await messages(lost)).toEqual([stopped, stopped]);
  expect(await line.call('echo', 'again')).toBe('again');
});

test('a worker that takes too much memory ends alone', async () => {
  open();
  await expect(line.call('fillMemory', undefined as never)).rejects.toThrow(
    'stopped working: Worker terminated',
  );
  expect(await line.call('echo', 'again')).toBe('again');
});

test('calls beyond the bounds are refused', async () => {
  open(2);
  const calls = ['a', 'b', 'c', 'd'].map((text) => line.call('echo', text));
  expect(await messages(calls)).toEqual(['a', 'b', 'c', expect.stringContaining('too much to do')]);
  await line.close();
  open(100, 10);
  const large = ['a', 'b', 'c'].map((text) => line.call('echo', text, { bytes: 9 }));
  expect(await messages(large)).toEqual(['a', 'b', expect.stringContaining('too much to do')]);
  expect(await line.call('echo', 'later', { bytes: 9 })).toBe('later');
});

test('who no longer waits is not called for', async () => {
  open(2);
  const abort = new AbortController();
  const first = line.call('echo', 'a');
  const left = ['b', 'c'].map((text) => line.call('echo', text, { signal: abort.signal }));
  abort.abort(new Error('gone'));
  const next = line.call('echo', 'd');
  expect(await messages([first, ...left, next])).toEqual(['a', 'gone', 'gone', 'd']);
  await expect(line.call('echo', 'e', { signal: abort.signal })).rejects.toThrow('gone');
});

test('closing finishes what was called and refuses the rest', async () => {
  open();
  const calls = [line.call('echo', 'a'), line.call('echo', 'b')];
  const closing = line.close();
  await expect(line.call('echo', 'c')).rejects.toMatchObject({ code: 'service_unavailable' });
  expect(await messages(calls)).toEqual(['a', 'b']);
  await closing;
  await line.close();
});
