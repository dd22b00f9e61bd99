import { readdirSync, readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import { allowedCores, coresButOne, keepOnCores } from './cores.ts';

/**
 * Has what gives way leave one of the cores to others, on Linux: a thread of a lower priority may keep its core for 3 ms
 * all the same when another one wakes for it. Where other programs are busy on the cores that are kept instead, another
 * one is left.
 */
export interface CoreLeaving {
  /** There is work that gives way: for some seconds from then on a core is left. */
  watch(): void;
}

interface Thread {
  id: string;
  /** So far, in milliseconds: on a core, and waiting for one. */
  ran: number;
  waited: number;
}

const lookMilliseconds = 2000;
const looksAfterWork = 3;
/** Servers that find each other on the same cores must not all leave them at once, again and again. */
const restMilliseconds = (): number => 2000 + Math.random() * 5000;

/** Of the threads of this process those that have a lower priority than its first, and all of `processes`. */
export function createCoreLeaving(processes: () => readonly number[]): CoreLeaving {
  let left = process.pid;
  /** What they are kept on, and which threads are by now. */
  let cores: readonly number[] = [];
  let kept = new Map<string, Thread>();
  let lookedAt = 0;
  let restsUntil = 0;
  let looksLeft = 0;
  let timer: NodeJS.Timeout | undefined;
  let isAble = process.platform === 'linux';

  const look = (): void => {
    const all = allowedCores();
    if (looksLeft-- === 0) {
      rest();
      for (const id of kept.keys()) keepOnCores(id, all);
      kept.clear();
      cores = [];
      return;
    }
    if (all.length < 2) return;
    const now = performance.now();
    const threads = [...ownThreads(), ...processes().flatMap((pid) => threadsOf(String(pid)))];
    const change = { ...changeOf(threads, kept), passed: now - lookedAt, cores: cores.length };
    if (lookedAt > 0 && now > restsUntil && areCrowded(change)) {
      left++;
      restsUntil = now + restMilliseconds();
    }
    const wanted = coresButOne(all, left);
    const isMoving = String(wanted) !== String(cores);
    const toKeep = isMoving ? threads : threads.filter(({ id }) => !kept.has(id));
    cores = wanted;
    kept = new Map(threads.map((thread) => [thread.id, thread]));
    lookedAt = now;
    // Who may not do it for one may not for the others.
    isAble = toKeep.every(({ id }) => keepOnCores(id, cores) || allowedCores(id).length === 0);
    if (!isAble) rest();
  };

  const rest = (): void => {
    clearInterval(timer);
    timer = undefined;
    lookedAt = 0;
  };

  return {
    watch() {
      looksLeft = looksAfterWork;
      if (timer !== undefined || !isAble) return;
      timer = setInterval(look, lookMilliseconds).unref();
      look();
    },
  };
}

/** Whether threads got less than half of their cores, and waited for longer than they ran. */
export const areCrowded = (threads: {
  ran: number;
  waited: number;
  passed: number;
  cores: number;
}): boolean =>
  threads.ran < (threads.passed * threads.cores) / 2 &&
  threads.waited > Math.max(threads.ran, threads.passed / 4);

function changeOf(threads: readonly Thread[], before: ReadonlyMap<string, Thread>) {
  let ran = 0;
  let waited = 0;
  for (const thread of threads) {
    const earlier = before.get(thread.id);
    if (earlier === undefined) continue;
    ran += thread.ran - earlier.ran;
    waited += thread.waited - earlier.waited;
  }
  return { ran, waited };
}

function ownThreads(): Thread[] {
  const first = getPriority(process.pid);
  return threadsOf('self').filter(({ id }) => priorityOf(id, first) > first);
}

function priorityOf(thread: string, otherwise: number): number {
  try {
    return getPriority(Number(thread));
  } catch {
    return otherwise;
  }
}

function threadsOf(processId: string): Thread[] {
  try {
    const folder = `/proc/${processId}/task`;
    return readdirSync(folder).map((id) => ({ id, ...timesOf(`${folder}/${id}`) }));
  } catch {
    // It has ended.
    return [];
  }
}

/** None where the system does not count them. */
function timesOf(folder: string): Omit<Thread, 'id'> {
  try {
    const [ran, waited] = readFileSync(`${folder}/schedstat`, 'utf8').split(' ');
    return { ran: Number(ran) / 1e6, waited: Number(waited) / 1e6 };
  } catch {
    return { ran: 0, waited: 0 };
  }
}
