import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createLanes } from './websocket-lanes.ts';

/** Jobs that end when they are told to. */
function bench(limits = { parallel: 2, waiting: 3, waitingBytes: 100 }) {
  const started: string[] = [];
  const ends = new Map<string, () => void>();
  let idled = 0;
  const lanes = createLanes(limits, () => idled++);
  return {
    lanes,
    started,
    get idled() {
      return idled;
    },
    add(name: string, size = 1): boolean {
      const run = () => {
        started.push(name);
        return new Promise<void>((resolve) => ends.set(name, resolve));
      };
      return lanes.add({ lane: name.charAt(0), size, run });
    },
    async end(name: string): Promise<void> {
      ends.get(name)?.();
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

describe('lanes', () => {
  test('run one job at a time each, side by side up to the bound', async () => {
    const { add, end, started } = bench();
    for (const name of ['a1', 'a2', 'b1', 'c1']) expect(add(name)).toBe(true);
    expect(started).toEqual(['a1', 'b1']);
    await end('b1');
    expect(started).toEqual(['a1', 'b1', 'c1']);
    await end('a1');
    expect(started).toEqual(['a1', 'b1', 'c1', 'a2']);
  });

  test('refuse what is too many or too large to wait, and nothing that can start', async () => {
    const { add, end } = bench();
    expect([add('a1', 1000), add('a2', 60), add('a3', 60)]).toEqual([true, true, false]);
    expect([add('a4', 40), add('a5', 0), add('a6', 0)]).toEqual([true, true, false]);
    expect(add('b1', 1000)).toBe(true);
    await end('a1');
    expect([add('a7', 60), add('a8', 0)]).toEqual([true, false]);
  });

  test('are idle when nothing is left, and tell so once', async () => {
    const one = bench();
    expect(one.lanes.idle).toBe(true);
    one.add('a1');
    one.add('a2');
    await one.end('a1');
    expect([one.lanes.idle, one.idled]).toEqual([false, 0]);
    await one.end('a2');
    expect([one.lanes.idle, one.idled]).toEqual([true, 1]);
  });

  test('give waiting jobs back, and run none of them', async () => {
    const { lanes, add, end, started } = bench();
    for (const name of ['a1', 'a2', 'a3']) add(name);
    expect(lanes.clear()).toHaveLength(2);
    await end('a1');
    expect([started, lanes.idle]).toEqual([['a1'], true]);
  });

  test('keep every order of arrival within a lane', async () => {
    const names = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(names, fc.infiniteStream(fc.nat()), async (lane, choices) => {
        const one = bench({ parallel: 2, waiting: 12, waitingBytes: 100 });
        const jobs = lane.map((name, at) => `${name}${at}`);
        for (const job of jobs) expect(one.add(job)).toBe(true);
        const running = () => one.started.filter((job) => !ended.has(job));
        const ended = new Set<string>();
        while (ended.size < jobs.length) {
          expect(running().length).toBeGreaterThan(0);
          expect(running().length).toBeLessThanOrEqual(2);
          const chosen = running()[(choices.next().value ?? 0) % running().length] ?? '';
          ended.add(chosen);
          await one.end(chosen);
        }
        for (const name of new Set(lane)) {
          const inLane = (job: string) => job.startsWith(name);
          expect(one.started.filter(inLane)).toEqual(jobs.filter(inLane));
        }
      }),
      { numRuns: 60 },
    );
  });
});
