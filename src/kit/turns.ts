/** Runs what has the same key one after another, in the order it came. */
export type Turns = <T>(key: string, run: () => Promise<T>) => Promise<T>;

export function turns(): Turns {
  const tails = new Map<string, Promise<unknown>>();
  return async (key, run) => {
    const turn = (tails.get(key) ?? Promise.resolve()).then(run);
    const tail = turn.catch(() => {});
    tails.set(key, tail);
    try {
      return await turn;
    } finally {
      if (tails.get(key) === tail) tails.delete(key);
    }
  };
}
