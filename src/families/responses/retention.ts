import type { ModelLog } from '../../providers/models/upstream.ts';
import type { ResponseStore } from './store.ts';

const day = 86_400_000;
const pageSize = 100;

/**
 * Reduces event logs that are older than so many days to what their responses are folded from: a response outlives
 * the words by which it came. Once now, then daily; answers how to stop.
 */
export function keepLogsFor(days: number, store: ResponseStore, log: ModelLog): () => void {
  let stopped = false;
  const reduce = async (): Promise<void> => {
    const below = `resp_${(Date.now() - days * day).toString(16).padStart(12, '0')}`;
    while (!stopped && (await store.reduceLogs(below, pageSize)) === pageSize);
  };
  const once = () => {
    reduce().catch((error) => log.warn({ err: error }, 'old event logs could not be reduced'));
  };
  const timer = setInterval(once, day).unref();
  once();
  return () => {
    stopped = true;
    clearInterval(timer);
  };
}
