import { setFlagsFromString } from 'node:v8';
import { collectAll } from '../storage/collect-garbage.ts';

const quietMilliseconds = 300;
/** What may be added to the heap, in hundredths of what is in use, before all of it is gone through. */
const growth = 100;

/**
 * Gives back what loading left behind, some 20 MB, once the start is over: V8 would keep it for as long as the server
 * is idle. It takes about 60 ms, once. From then on the heap may double between two collections of all of it; left to
 * itself, V8 has them come with every few MB, and requests wait for each.
 */
export function settleMemory(): void {
  setTimeout(() => {
    setFlagsFromString(`--heap-growing-percent=${growth}`);
    collectAll();
  }, quietMilliseconds).unref();
}
