import { expect, test } from 'vitest';
import { exportQueue } from './export-queue.ts';
import type { Span } from './spans.ts';
import { responseSpans } from './spans.ts';
import { ended } from './testing/ended.ts';
import type { Sent, Transport } from './transport.ts';

const resource: Span['resource'] = { attributes: {}, merge: () => resource, getRawAttributes: () => [] };
/** Six spans, about 12 KiB. */
const trace = (): Span[] =>
  responseSpans(ended(), { resource, scope: { name: 'test' }, deployment: () => undefined, content: false });

const taken: Sent = { outcome: 'taken' };
const busy: Sent = { outcome: 'retry', why: 'busy', afterMilliseconds: null };

function start(send: Transport, { queueBytes = 1_000_000, flushSeconds = 5 } = {}) {
  const warnings: object[] = [];
  const log = { warn: (fields: object) => warnings.push(fields) };
  const pace = { batchMilliseconds: 0, retryMilliseconds: 0 };
  return { queue: exportQueue(send, { queueBytes, flushSeconds }, log, pace), warnings };
}

test('what waits is sent together, and all of it by the end', async () => {
  const sizes: number[] = [];
  const first = Promise.withResolvers<Sent>();
  const began = Promise.withResolvers<void>();
  const { queue } = start(async (spans) => {
    sizes.push(spans.length);
    began.resolve();
    return sizes.length === 1 ? first.promise : taken;
  });
  queue.add(trace());
  await began.promise;
  queue.add(trace());
  queue.add(trace());
  first.resolve(taken);
  await queue.close();
  expect([sizes, queue.dropped]).toEqual([[6, 12], 0]);
});

test('requests are bounded, and no trace is taken apart', async () => {
  const sizes: number[] = [];
  const { queue } = start(
    async (spans) => {
      sizes.push(spans.length);
      return taken;
    },
    { queueBytes: 100_000_000 },
  );
  for (let i = 0; i < 100; i++) queue.add(trace());
  await queue.close();
  expect(sizes).toEqual([510, 90]);
});

test('a full queue drops and counts', async () => {
  const held = Promise.withResolvers<Sent>();
  const { queue, warnings } = start(() => held.promise, { queueBytes: 30_000 });
  for (let i = 0; i < 5; i++) queue.add(trace());
  expect(queue.dropped).toBe(3);
  // Said at once, and not once more for each.
  expect(warnings).toEqual([
    { traces: 1, total: 1, reason: expect.stringContaining('telemetry.queueBytes') },
  ]);
  held.resolve(taken);
  await queue.close();
  expect(queue.dropped).toBe(3);
  expect(warnings.at(-1)).toMatchObject({ traces: 2, total: 3 });
  queue.add(trace());
  expect(queue.dropped).toBe(4);
});

test('room is there again when spans have been sent', async () => {
  let sent = 0;
  const done = Promise.withResolvers<void>();
  const { queue } = start(
    async () => {
      sent++;
      if (sent === 1) setImmediate(done.resolve);
      return taken;
    },
    { queueBytes: 15_000 },
  );
  queue.add(trace());
  await done.promise;
  queue.add(trace());
  await queue.close();
  expect([sent, queue.dropped]).toEqual([2, 0]);
});

test('a busy receiver is asked again, five times at most, one that refuses is not', async () => {
  for (const [answers, tries, dropped] of [
    [[busy, busy, taken], 3, 0],
    [[busy, busy, busy, busy, busy, taken], 5, 1],
    [[{ outcome: 'refused', why: 'no' }, taken], 1, 1],
  ] as [Sent[], number, number][]) {
    let tried = 0;
    const settled = Promise.withResolvers<void>();
    const { queue } = start(async () => {
      const answer = answers[tried++] ?? taken;
      if (tried === tries) setImmediate(settled.resolve);
      return answer;
    });
    queue.add(trace());
    await settled.promise;
    await queue.close();
    expect([tried, queue.dropped]).toEqual([tries, dropped]);
  }
});

test('at the end nobody waits for a receiver that is busy or never answers', async () => {
  let tried = 0;
  const asked = Promise.withResolvers<void>();
  const busyNow = start(async () => {
    tried++;
    setImmediate(asked.resolve);
    return { ...busy, afterMilliseconds: 3_600_000 };
  });
  busyNow.queue.add(trace());
  await asked.promise;
  await busyNow.queue.close();
  expect([tried, busyNow.queue.dropped]).toEqual([2, 1]);

  const silent = start(
    (_spans, signal) =>
      new Promise((resolve) => signal.addEventListener('abort', () => resolve(busy), { once: true })),
    { flushSeconds: 0 },
  );
  silent.queue.add(trace());
  await silent.queue.close();
  expect(silent.queue.dropped).toBe(1);
});
