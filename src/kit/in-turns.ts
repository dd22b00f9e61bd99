import { setImmediate } from 'node:timers/promises';

/**
 * What is to be done, slice by slice, with a turn of the event loop between them: the database does not wait, so
 * without it other requests would have to, until all is done.
 */
export async function* inTurns<T>(all: readonly T[], atOnce: number): AsyncGenerator<T[]> {
  for (let from = 0; from < all.length; from += atOnce) {
    if (from > 0) await setImmediate();
    yield all.slice(from, from + atOnce);
  }
}
