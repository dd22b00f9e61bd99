import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { areCrowded } from './core-leaving.ts';
import { allowedCores } from './cores.ts';

const module = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);
/** The first thread answers, another one gives way and is busy, until it is told to rest. */
const script = `
  import { Worker } from 'node:worker_threads';
  import { createCoreLeaving } from ${module('./core-leaving.ts')};
  const busy = 'import { giveWay } from ${module('./give-way.ts')};' +
    'import { parentPort, workerData } from "node:worker_threads"; giveWay(false); parentPort.postMessage(0);' +
    'while (workerData[0] === 0); Atomics.wait(workerData, 0, 1);';
  const resting = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('data:text/javascript,' + encodeURIComponent(busy)), { workerData: resting });
  const leaving = createCoreLeaving(() => [], 300);
  process.once('SIGUSR2', () => Atomics.store(resting, 0, 1));
  worker.once('message', () => {
    leaving.watch();
    console.log('watched');
  });`;

const all = allowedCores();
const started: ChildProcess[] = [];
afterEach(() => {
  for (const one of started.splice(0)) one.kill('SIGKILL');
});

async function watched(environment: NodeJS.ProcessEnv = process.env): Promise<number> {
  const options = { env: environment };
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], options);
  started.push(child);
  for await (const text of child.stdout) if (String(text).includes('watched')) break;
  return child.pid as number;
}

const busyThread = (pid: number): string => {
  const threads = readdirSync(`/proc/${pid}/task`);
  const low = threads.filter((thread) => getPriority(Number(thread)) > getPriority(pid));
  expect(low).toHaveLength(1);
  return low[0] as string;
};

test('threads are crowded where they wait more than they run, and have less than half of their cores', () => {
  const passed = 1000;
  expect(areCrowded({ ran: 100, waited: 900, passed, cores: 1 })).toBe(true);
  // With each other.
  expect(areCrowded({ ran: 950, waited: 2000, passed, cores: 1 })).toBe(false);
  // With little to do.
  expect(areCrowded({ ran: 10, waited: 30, passed, cores: 1 })).toBe(false);
  expect(areCrowded({ ran: 600, waited: 900, passed, cores: 3 })).toBe(true);
});

const taskset = spawnSync('taskset', ['-p', String(process.pid)]).status === 0;

describe.runIf(taskset && all.length > 1)('with several cores', () => {
  test('what gives way leaves one, and others have all', async () => {
    const pid = await watched();
    expect(allowedCores(busyThread(pid))).toHaveLength(all.length - 1);
    expect(allowedCores(String(pid))).toEqual(all);
  });

  test('another one is left where those that are kept are busy', { timeout: 60_000 }, async () => {
    const pid = await watched();
    const thread = busyThread(pid);
    const before = allowedCores(thread);
    for (const core of before) {
      started.push(spawn('taskset', ['-c', String(core), process.execPath, '--eval', 'while (true);']));
    }
    while (String(allowedCores(thread)) === String(before)) await sleep(100);
    expect(allowedCores(thread)).toHaveLength(all.length - 1);
  });

  test('it is left for as long as there is work, and then all have all cores', {
    timeout: 90_000,
  }, async () => {
    const pid = await watched();
    const thread = busyThread(pid);
    await sleep(2500);
    expect(allowedCores(thread)).toHaveLength(all.length - 1);
    process.kill(pid, 'SIGUSR2');
    while (allowedCores(thread).length < all.length) await sleep(100);
  });

  test('where the system has no program for it, nothing is kept', async () => {
    const pid = await watched({ PATH: '/nowhere' });
    expect(allowedCores(busyThread(pid))).toEqual(all);
  });
});
