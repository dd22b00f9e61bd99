/** Values that callbacks put in and a loop takes out. What is put in after the end is lost. */
export interface EventPipe<T> extends AsyncIterable<T> {
  push(value: T): void;
  end(): void;
  /** Whatever was put in before is still taken out first, except after an abort. */
  fail(reason: unknown, atOnce?: boolean): void;
}

export function eventPipe<T>(): EventPipe<T> {
  const values: T[] = [];
  let ended = false;
  let failure: { reason: unknown } | null = null;
  let wake = Promise.withResolvers<void>();
  const finish = (reason: { reason: unknown } | null) => {
    if (ended) return;
    ended = true;
    failure = reason;
    wake.resolve();
  };
  return {
    push(value) {
      if (ended) return;
      values.push(value);
      wake.resolve();
    },
    end: () => finish(null),
    fail(reason, atOnce = false) {
      if (atOnce) values.length = 0;
      finish({ reason });
    },
    async *[Symbol.asyncIterator]() {
      for (;;) {
        const taken = values.splice(0);
        for (const value of taken) yield value;
        if (values.length > 0) continue;
        if (failure !== null) throw failure.reason;
        if (ended) return;
        wake = Promise.withResolvers<void>();
        await wake.promise;
      }
    },
  };
}
