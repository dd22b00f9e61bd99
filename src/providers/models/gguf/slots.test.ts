import { expect, test } from 'vitest';
import { createSlots } from './slots.ts';

const never = new AbortController().signal;
const any = () => 0;

test('of several free ones the preferred is taken', async () => {
  const slots = createSlots(['a', 'b', 'c'], 0, 'mine');
  expect(await slots.acquire(never, (item) => (item === 'b' ? 1 : 0))).toBe('b');
  expect(await slots.acquire(never, (item) => (item === 'b' ? 1 : 0))).not.toBe('b');
});

test('those who wait are served in order, and those who gave up are passed over', async () => {
  const slots = createSlots(['a'], 3, 'mine');
  await slots.acquire(never, any);
  const order: string[] = [];
  const gone = new AbortController();
  const waiting = [
    slots.acquire(never, any).then(() => order.push('first')),
    slots.acquire(gone.signal, any).catch((error) => order.push(error.message)),
    slots.acquire(never, any).then(() => order.push('third')),
  ];
  gone.abort(new Error('gave up'));
  await waiting[1];
  slots.release('a');
  await waiting[0];
  slots.release('a');
  await waiting[2];
  expect(order).toEqual(['gave up', 'first', 'third']);
  slots.release('a');
  expect(await slots.acquire(never, any)).toBe('a');
});

test('the queue is bounded, and who gives up leaves a place in it', async () => {
  const slots = createSlots(['a'], 1, 'mine');
  await slots.acquire(never, any);
  const gone = new AbortController();
  const waiting = slots.acquire(gone.signal, any);
  expect(() => slots.acquire(never, any)).toThrow(
    expect.objectContaining({
      code: 'rate_limit_exceeded',
      status: 429,
      headers: { 'retry-after': '1' },
      message: expect.stringContaining("'mine' is busy, and 1 calls wait"),
    }),
  );
  gone.abort();
  await expect(waiting).rejects.toThrow('aborted');
  const next = slots.acquire(never, any);
  slots.release('a');
  expect(await next).toBe('a');
});

test('whoever has been aborted before takes nothing', () => {
  expect(() => createSlots(['a'], 1, 'mine').acquire(AbortSignal.abort(new Error('early')), any)).toThrow(
    'early',
  );
});
