import { apiError } from '../../../errors.ts';

export interface Slots<T> {
  /**
   * Waits for a free one; `preference` says which of several free ones to take, the highest wins. Throws `rate_limit_exceeded`
   * when too many wait already, and the signal's reason after an abort.
   */
  acquire(signal: AbortSignal, preference: (item: T) => number): Promise<T>;
  release(item: T): void;
}

interface Waiting<T> {
  grant(item: T): void;
}

const longestRetrySeconds = 60;

/** Things that one call at a time may use, and a queue of bounded length before them. */
export function createSlots<T>(items: T[], mostWaiting: number, deployment: string): Slots<T> {
  const free = [...items];
  const waiting = new Set<Waiting<T>>();
  const since = new Map<T, number>();
  let lastSeconds = 1;

  const take = (item: T): T => {
    since.set(item, performance.now());
    return item;
  };
  return {
    acquire(signal, preference) {
      signal.throwIfAborted();
      const best = free.toSorted((one, other) => preference(other) - preference(one))[0];
      if (best !== undefined) {
        free.splice(free.indexOf(best), 1);
        return Promise.resolve(take(best));
      }
      if (waiting.size >= mostWaiting) throw tooMany(deployment, waiting.size, lastSeconds);
      const { promise, resolve, reject } = Promise.withResolvers<T>();
      const entry: Waiting<T> = {
        grant(item) {
          signal.removeEventListener('abort', giveUp);
          resolve(take(item));
        },
      };
      const giveUp = () => {
        waiting.delete(entry);
        reject(signal.reason);
      };
      waiting.add(entry);
      signal.addEventListener('abort', giveUp, { once: true });
      return promise;
    },
    release(item) {
      lastSeconds = (performance.now() - (since.get(item) ?? 0)) / 1000;
      since.delete(item);
      const [next] = waiting;
      if (next === undefined) {
        free.push(item);
        return;
      }
      waiting.delete(next);
      next.grant(item);
    },
  };
}

function tooMany(deployment: string, waiting: number, lastSeconds: number) {
  const seconds = Math.min(longestRetrySeconds, Math.max(1, Math.ceil(lastSeconds)));
  return apiError(
    'rate_limit_exceeded',
    `Deployment '${deployment}' is busy, and ${waiting} calls wait for it already. Repeat the request later, or raise ` +
      '`parallel` or `queue` of the deployment in bloomery.yaml.',
    { headers: { 'retry-after': String(seconds) } },
  );
}
