import { Worker } from 'node:worker_threads';
import type { DigestAnswer, DigestCall } from './digest-worker.ts';
import type { Digest, Digests } from './digesting.ts';

/** One content that is hashed on the thread. */
export interface DigestStream {
  /** Settles when the bytes, which lie in shared memory, have been hashed. */
  add(bytes: Uint8Array): Promise<void>;
  finish(): Promise<Digests>;
  /** Ends it, finished or not. */
  close(): void;
}

interface Pending {
  resolve: (value: never) => void;
  reject: (error: unknown) => void;
}

const worker = import.meta.url.endsWith('.ts') ? './digest-worker.ts' : './digest-worker.js';
const script = new URL(worker, import.meta.url);
/** After so long without work the thread and its memory are given back. */
const idleMilliseconds = 60_000;
const heapMegabytes = 32;

/** All contents share one thread; answers come in the order of the calls. */
let thread: { worker: Worker; pending: Pending[]; streams: number; idle: NodeJS.Timeout | null } | null =
  null;
let lastId = 0;

export function openDigestStream(names: readonly Digest[]): DigestStream {
  thread ??= startThread();
  const used = thread;
  const id = ++lastId;
  let isOpen = true;
  used.streams++;
  if (used.idle !== null) clearTimeout(used.idle);
  const call = <T>(message: DigestCall): Promise<T> => {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    if (thread === used) {
      used.pending.push({ resolve, reject });
      used.worker.postMessage(message);
    } else {
      reject(lost());
    }
    // What was added is waited for later, or never; until then nobody may miss that it failed.
    promise.catch(() => {});
    return promise;
  };
  used.worker.postMessage({ id, names: [...names] } satisfies DigestCall);
  return {
    add: (bytes) => call({ id, bytes }),
    finish: () => call({ id, end: true }),
    close() {
      if (!isOpen) return;
      isOpen = false;
      if (thread !== used) return;
      used.worker.postMessage({ id, drop: true } satisfies DigestCall);
      if (--used.streams > 0) return;
      used.idle = setTimeout(() => {
        thread = null;
        void used.worker.terminate();
      }, idleMilliseconds).unref();
    },
  };
}

function startThread(): NonNullable<typeof thread> {
  const worker = new Worker(script, {
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
  });
  const started = { worker, pending: [] as Pending[], streams: 0, idle: null };
  let cause: unknown;
  worker.unref();
  worker.on('message', ({ digests }: DigestAnswer) => {
    started.pending.shift()?.resolve(digests as never);
  });
  worker.on('error', (error) => {
    cause = error;
  });
  worker.on('exit', () => {
    if (thread === started) thread = null;
    for (const { reject } of started.pending) reject(lost(cause));
  });
  return started;
}

const lost = (cause?: unknown): Error => new Error('The thread that hashes contents ended.', { cause });
