import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './connection.ts';
import { succeeded } from './load.ts';

/**
 * Asks at a fixed rate, whatever the answers take, until `done` settles; how long each took, in milliseconds and
 * sorted. A connection that is still busy when its turn comes counts the wait, too.
 */
export async function pulse(
  connections: readonly Connection[],
  { request, perSecond, done }: { request: Buffer; perSecond: number; done: Promise<unknown> },
): Promise<number[]> {
  const times: number[] = [];
  const apart = 1000 / perSecond;
  const start = performance.now();
  let isDone = false;
  const end = done.finally(() => {
    isDone = true;
  });
  await Promise.all(
    connections.map(async (connection, first) => {
      for (let turn = first; !isDone; turn += connections.length) {
        const due = start + turn * apart;
        let from = due;
        const early = due - performance.now();
        if (early > 0) {
          await sleep(early);
          if (isDone) return;
          from = performance.now();
        }
        succeeded(await connection.ask(request));
        times.push(performance.now() - from);
      }
    }),
  );
  await end;
  return times.sort((a, b) => a - b);
}
