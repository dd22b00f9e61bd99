export interface Recurring {
  /** Does `first`, then the work, now and from time to time. */
  start(first?: () => Promise<void>): void;
  /** Waits for what is being done, and has no more done. */
  close(): Promise<void>;
}

/** Work to be done from time to time, in the background and never twice at once. */
export function recurring(
  milliseconds: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): Recurring {
  let timer: NodeJS.Timeout | undefined;
  let doing: Promise<void> | null = null;
  const run = (what: () => Promise<void>): void => {
    doing ??= what()
      .catch(onError)
      .finally(() => {
        doing = null;
      });
  };
  return {
    start(first) {
      run(async () => {
        await first?.();
        await work();
      });
      timer = setInterval(() => run(work), milliseconds).unref();
    },
    async close() {
      clearInterval(timer);
      await doing;
    },
  };
}
