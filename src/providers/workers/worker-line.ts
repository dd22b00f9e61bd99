import { Worker } from 'node:worker_threads';
import { apiError, conflict, stopping } from '../../errors.ts';
import { type Answer, type Calls, endOfCalls, type Fault } from './worker-calls.ts';

export interface WorkerLineOptions {
  script: URL;
  /** As it is called in errors, at the beginning of a sentence. */
  name: string;
  /** What the worker finds as its `workerData`. */
  data: unknown;
  mostWaiting: number;
  /** Of all inputs that wait, by what callers say they take. */
  mostWaitingBytes: number;
  /** Of JavaScript's objects; a worker that needs more dies alone. */
  heapMegabytes: number;
  /** Of its young objects; V8's own measure unless told otherwise. */
  youngMegabytes?: number;
}

export interface CallOptions {
  bytes?: number;
  transfer?: ArrayBuffer[];
  /** A call that has begun is not interrupted, but nobody waits for it. */
  signal?: AbortSignal | undefined;
}

/** Calls to a worker thread, one after the other. */
export interface WorkerLine<C extends Calls> {
  call<N extends keyof C & string>(
    name: N,
    input: Parameters<C[N]>[0],
    options?: CallOptions,
  ): Promise<Awaited<ReturnType<C[N]>>>;
  /** Finishes what was called and refuses the rest. The worker ends once `before` is over. */
  close(before?: Promise<void>): Promise<void>;
}

interface Pending {
  name: string;
  input: unknown;
  bytes: number;
  transfer: ArrayBuffer[];
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

/** The worker starts with the first call; when it dies, what was pending fails and the next call starts another. */
export function createWorkerLine<C extends Calls>(options: WorkerLineOptions): WorkerLine<C> {
  let worker: Worker | null = null;
  let current: Pending | null = null;
  let queue: Pending[] = [];
  let waitingBytes = 0;
  let lastId = 0;
  let closing: Promise<void> | null = null;
  let idle = Promise.withResolvers<void>();

  const start = (): Worker => {
    const started = new Worker(options.script, {
      workerData: options.data,
      execArgv: [],
      resourceLimits: {
        maxOldGenerationSizeMb: options.heapMegabytes,
        ...(options.youngMegabytes === undefined ? {} : { maxYoungGenerationSizeMb: options.youngMegabytes }),
      },
    });
    let cause: unknown = null;
    started.on('message', (answer: Answer) => {
      const pending = current;
      if (pending === null || answer.id !== lastId) return;
      current = null;
      if ('fault' in answer) pending.reject(errorOf(answer.fault, options.name));
      else pending.resolve(answer.value as never);
      next();
    });
    started.on('error', (error) => {
      cause = error;
    });
    started.on('exit', () => {
      if (worker !== started) return;
      worker = null;
      const lost = current === null ? queue : [current, ...queue];
      current = null;
      queue = [];
      waitingBytes = 0;
      const message = cause instanceof Error ? `: ${cause.message}` : '.';
      for (const { reject } of lost) {
        reject(new Error(`${options.name} stopped working${message}`, { cause }));
      }
      idle.resolve();
    });
    return started;
  };

  const next = (): void => {
    const pending = queue.shift();
    if (pending === undefined) {
      // Whoever has forgotten to close it need not wait for it.
      worker?.unref();
      idle.resolve();
      return;
    }
    waitingBytes -= pending.bytes;
    current = pending;
    lastId++;
    const { name, input, transfer } = pending;
    try {
      worker ??= start();
      worker.ref();
      worker.postMessage({ id: lastId, name, input }, transfer);
    } catch (error) {
      current = null;
      pending.reject(error);
      next();
    }
  };

  const enqueue = (pending: Pending): void => {
    queue.push(pending);
    waitingBytes += pending.bytes;
    if (current !== null) return;
    idle = Promise.withResolvers<void>();
    next();
  };

  return {
    async call(name, input, { bytes = 0, transfer = [], signal } = {}) {
      signal?.throwIfAborted();
      if (closing !== null) throw stopping();
      const isFull = queue.length >= options.mostWaiting;
      if (isFull || (queue.length > 0 && waitingBytes + bytes > options.mostWaitingBytes))
        throw tooBusy(options.name);
      const { promise, resolve, reject } = Promise.withResolvers<never>();
      const pending: Pending = { name, input, bytes, transfer, resolve, reject };
      const leave = (): void => {
        if (queue.includes(pending)) waitingBytes -= bytes;
        queue = queue.filter((one) => one !== pending);
        reject(signal?.reason);
      };
      signal?.addEventListener('abort', leave, { once: true });
      try {
        enqueue(pending);
        return await promise;
      } finally {
        signal?.removeEventListener('abort', leave);
      }
    },

    close(before) {
      closing ??= (async () => {
        if (current !== null) await idle.promise;
        await before;
        const ending = worker;
        worker = null;
        if (ending === null) return;
        ending.ref();
        const exited = new Promise((resolve) => ending.once('exit', resolve));
        ending.postMessage(endOfCalls);
        await exited;
      })();
      return closing;
    },
  };
}

/** `name` is the worker's, at the beginning of a sentence. */
export function errorOf({ message, code, target }: Fault, name: string): Error {
  if (code === null) return new Error(`${name} failed: ${message}`);
  return code === 'conflict' ? conflict(message, target) : apiError(code, message, { target });
}

const tooBusy = (name: string) =>
  apiError('service_unavailable', `${name} has too much to do. Repeat the request.`, {
    headers: { 'retry-after': '2' },
  });
