import { collectAll } from '../storage/collect-garbage.ts';

const quietMilliseconds = 300;

/**
 * Gives back what loading left behind, some 20 MB, once the start is over: V8 would keep it for as long as the server
 * is idle. It takes about 60 ms, once.
 */
export function releaseStartUpMemory(): void {
  setTimeout(collectAll, quietMilliseconds).unref();
}
