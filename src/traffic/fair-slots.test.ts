import { expect, test } from 'vitest';
import { FairSlots } from './fair-slots.ts';

const never = new AbortController().signal;
const long = 100_000;
const full = () => new Error('full');
const slots = (most: number, queue: number) => new FairSlots({ most, queue, full });
const settled = () => new Promise((resolve) => setImmediate(resolve));

test('projects take turns, and each has an order of its own', async () => {
  const places = slots(1, 10);
  const order: string[] = [];
  await places.enter('a', never, long);
  for (const who of ['a1', 'a2', 'a3', 'b1', 'c1', 'b2']) {
    void places.enter(who.charAt(0), never, long).then(() => order.push(who));
  }
  expect([places.running, places.waiting]).toEqual([1, 6]);
  for (let i = 0; i < 7; i++) {
    places.leave();
    await settled();
  }
  expect(order).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3']);
  expect([places.running, places.waiting]).toEqual([0, 0]);
});

test('a full queue refuses, but makes room for who has less in it', async () => {
  const places = slots(1, 3);
  await places.enter('a', never, long);
  const waiting = [1, 2, 3].map(() => places.enter('a', never, long).then(() => 'in', String));
  await expect(places.enter('a', never, long)).rejects.toThrow('full');
  void places.enter('b', never, long);
  expect(await waiting[2]).toBe('Error: full');
  expect(places.waiting).toBe(3);
});

test('without a queue whoever finds no place is refused', async () => {
  const places = slots(1, 0);
  await places.enter('a', never, long);
  await expect(places.enter('b', never, long)).rejects.toThrow('full');
  places.leave();
  await places.enter('b', never, long);
});

test('who goes away, or waits too long, waits no more', async () => {
  const places = slots(1, 5);
  await places.enter('a', never, long);
  const gone = new AbortController();
  const left = places.enter('a', gone.signal, long);
  gone.abort(new Error('gone'));
  await expect(left).rejects.toThrow('gone');
  await expect(places.enter('a', AbortSignal.abort(new Error('before')), long)).rejects.toThrow('before');
  await expect(places.enter('a', never, 1)).rejects.toThrow('full');
  expect([places.running, places.waiting]).toEqual([1, 0]);
});

test('never more at once than there are places, however many come and go', async () => {
  const places = slots(7, 1000);
  let [inside, most] = [0, 0];
  const visit = async (project: string): Promise<void> => {
    await places.enter(project, never, long);
    most = Math.max(most, ++inside);
    await settled();
    inside--;
    places.leave();
  };
  await Promise.all(Array.from({ length: 1000 }, (_, i) => visit(`p${i % 13}`)));
  expect([most, places.running, places.waiting]).toEqual([7, 0, 0]);
});
