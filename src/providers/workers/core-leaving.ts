import { readdirSync } from 'node:fs';
import { getPriority } from 'node:os';
import { allowedCores, coresButOne, coresOnline, keepOnCores } from './cores.ts';
import { threadTimes } from './system-files.ts';

/**
 * Has what gives way leave one of the cores to others, on Linux: a thread of a lower priority may keep its core for some
 * milliseconds all the same when another one wakes for it. Where other programs are busy on the cores that are kept
 * instead, another one is left.
 */
export interface CoreLeaving {
  /** There is work that gives way: from now until it has been quiet for a while a core is left. */
  watch(): void;
  close(): void;
}

interface Thread {
  id: string;
  /** So far, in milliseconds: on a core, and waiting for one. */
  running: number;
  waiting: number;
}

const quietLooks = 5;
/** In which threads run for less than this share of a core. */
const quietShare = 0.05;
/** Servers that find each other on the same cores must not all leave them at once, again and again. */
const stayMilliseconds = (): number => 2000 + Math.random() * 5000;
const mostPatience = 16;

/** Of the threads of this process those that have a lower priority than its first, and all of `processes`. */
export function createCoreLeaving(processes: () => readonly number[], lookMilliseconds = 2000): CoreLeaving {
  /** In containers all servers may have the same process id. */
  let turn = Math.floor(Math.random() * 1024);
  let before = new Map<string, Thread>();
  let lookedAt = 0;
  let staysUntil = 0;
  /** How many times as long the cores are kept: others may be as busy. */
  let patience = 1;
  let looksLeft = 0;
  let timer: NodeJS.Timeout | undefined;
  let isAble = process.platform === 'linux';

  const threadsNow = (): Thread[] => {
    const own = ownThreads();
    // Where all of the server has that priority, nothing gives way.
    return own.length === 0 ? [] : [...own, ...processes().flatMap((pid) => threadsOf(String(pid)))];
  };

  const put = (threads: readonly Thread[], cores: readonly number[]): void => {
    const astray = threads.filter(({ id }) => String(allowedCores(id)) !== String(cores)).map(({ id }) => id);
    if (astray.length > 0 && cores.length > 0) isAble = keepOnCores(astray, cores);
  };

  const move = (now: number): void => {
    turn++;
    staysUntil = now + stayMilliseconds() * patience;
    patience = Math.min(patience * 2, mostPatience);
  };

  const look = (): void => {
    const now = performance.now();
    const passed = now - lookedAt;
    const all = coresOnline(allowedCores());
    const threads = threadsNow();
    const { ran, waited } = changeOf(threads, before);
    if (lookedAt > 0) {
      const areBusy = ran + waited > passed * quietShare;
      looksLeft = areBusy ? quietLooks : looksLeft - 1;
      if (!areCrowded({ ran, waited, passed, cores: all.length - 1 })) patience = 1;
      else if (now > staysUntil) move(now);
    }
    before = new Map(threads.map((thread) => [thread.id, thread]));
    lookedAt = now;
    if (looksLeft > 0) put(threads, coresButOne(all, turn));
    if (looksLeft <= 0 || !isAble) end();
  };

  const end = (): void => {
    clearInterval(timer);
    timer = undefined;
    lookedAt = 0;
    before.clear();
    if (isAble) put(threadsNow(), allowedCores());
  };

  return {
    watch() {
      looksLeft = quietLooks;
      if (timer !== undefined || !isAble) return;
      timer = setInterval(look, lookMilliseconds).unref();
      look();
    },
    close() {
      if (timer !== undefined) end();
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
    ran += thread.running - earlier.running;
    waited += thread.waiting - earlier.waiting;
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
    const ids = readdirSync(`/proc/${processId}/task`);
    return ids.map((id) => ({ id, ...(threadTimes(id) ?? { running: 0, waiting: 0 }) }));
  } catch {
    // It has ended.
    return [];
  }
}
