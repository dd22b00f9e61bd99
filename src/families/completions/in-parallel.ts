/** Results in the order of their items, `most` at a time. The first failure is thrown and aborts the others. */
export async function inParallel<T, R>(
  items: T[],
  most: number,
  signal: AbortSignal,
  work: (item: T, signal: AbortSignal) => Promise<R>,
): Promise<R[]> {
  const failure = new AbortController();
  const either = AbortSignal.any([signal, failure.signal]);
  const results: R[] = [];
  const queue = items.entries();
  const worker = async (): Promise<void> => {
    for (const [i, item] of queue) {
      if (either.aborted) return;
      results[i] = await work(item, either);
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(most, items.length) }, worker));
  } catch (error) {
    failure.abort(error);
    throw error;
  }
  signal.throwIfAborted();
  return results;
}
