const waiting: (() => void)[] = [];

/**
 * The database does not wait, so what takes a while goes in small steps with this between them. Of all such steps one
 * is begun in each turn of the event loop, and what requests have sent meanwhile is dealt with before the next. Not for
 * the middle of a transaction: it would wait for steps that can't go on until it ends.
 */
export function ownTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (waiting.push(resolve) === 1) setImmediate(next);
  });
}

function next(): void {
  // What waits from here on has its turn after the requests, too.
  const begin = waiting.shift();
  if (waiting.length > 0) setImmediate(next);
  begin?.();
}

/** What is to be done, slice by slice, with `turn` between them. */
export async function* inTurns<T>(
  all: readonly T[],
  atOnce: number,
  turn: () => Promise<void> = ownTurn,
): AsyncGenerator<T[]> {
  for (let from = 0; from < all.length; from += atOnce) {
    if (from > 0) await turn();
    yield all.slice(from, from + atOnce);
  }
}
