import { Worker } from 'node:worker_threads';

const worker = import.meta.url.endsWith('.ts') ? './checkpoint-worker.ts' : './checkpoint-worker.js';
const script = new URL(worker, import.meta.url);
const heapMegabytes = 16;

/** Merges what is in a database's log into its file, on a thread of its own: it waits for the disk twice. */
export interface Checkpoints {
  /** Does nothing while it is at it. */
  begin(): void;
  /** Once it is over. */
  close(): Promise<void>;
}

export function openCheckpoints(file: string): Checkpoints {
  let worker: Worker | null = null;
  let underWay: PromiseWithResolvers<void> | null = null;

  const settle = (): void => {
    underWay?.resolve();
    underWay = null;
  };
  /** A thread that fails is given up: the writer merges the log itself where nobody else does. */
  const start = (): Worker => {
    const started = new Worker(script, {
      ...{ workerData: file, execArgv: [] },
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    });
    started.unref();
    started.on('message', settle);
    started.on('error', () => {});
    started.on('exit', () => {
      if (worker === started) worker = null;
      settle();
    });
    return started;
  };

  return {
    begin() {
      if (underWay !== null) return;
      underWay = Promise.withResolvers();
      worker ??= start();
      worker.postMessage('begin');
    },
    async close() {
      // Else nothing would keep the process until the thread is done.
      worker?.ref();
      await underWay?.promise;
      await worker?.terminate();
    },
  };
}
