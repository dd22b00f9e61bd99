import { Worker } from 'node:worker_threads';
import type { ModelLog } from '../models/upstream.ts';
import { type PackedTexts, unpackTexts } from '../texts/packed-texts.ts';
import { helpersGiveWay } from '../workers/give-way.ts';
import { type DocumentsOptions, shutDown } from './create-documents.ts';
import { type Chunking, DocumentError, type DocumentSource, type Documents } from './documents.ts';
import type { Answer, Fault, Message } from './thread.ts';

interface Waiting {
  resolve(texts: PackedTexts): void;
  reject(reason: unknown): void;
}

/** Of JavaScript's objects. */
const heapMegabytes = 512;
const script = new URL(import.meta.url.endsWith('.ts') ? './thread.ts' : './thread.js', import.meta.url);

/**
 * Documents by way of a thread of its own, started when it is first needed: what goes to and fro between processes is
 * none of the memory that the main thread has to clean up.
 */
export function documentsThread(
  options: Omit<DocumentsOptions, 'onProcess'>,
  log: Pick<ModelLog, 'warn'>,
): Documents {
  const waiting = new Map<number, Waiting>();
  let worker: Worker | null = null;
  let lastId = 0;
  let closed = false;

  const start = (): Worker => {
    helpersGiveWay();
    const started = new Worker(script, {
      workerData: options,
      execArgv: [],
      resourceLimits: { maxOldGenerationSizeMb: heapMegabytes },
    });
    /** Processes that read: without the thread nobody would watch them. */
    const readers = new Set<number>();
    started.unref();
    started.on('message', (answer: Answer) => {
      if ('pid' in answer) {
        if (answer.isRunning) readers.add(answer.pid);
        else readers.delete(answer.pid);
        return;
      }
      const one = waiting.get(answer.id);
      if (one === undefined) return;
      leave(answer.id);
      if ('fault' in answer) one.reject(errorOf(answer.fault));
      else one.resolve(answer.texts);
    });
    started.on('error', (error) => log.warn({ err: error }, 'the thread that reads documents has ended'));
    started.on('exit', () => {
      if (worker === started) worker = null;
      for (const pid of readers) end(pid);
      for (const [id, { reject }] of waiting) {
        leave(id);
        reject(threadEnded());
      }
    });
    return started;
  };

  /** While nothing waits, the thread keeps no process alive. */
  const leave = (id: number): void => {
    waiting.delete(id);
    if (waiting.size === 0) worker?.unref();
  };

  const read = async (
    source: DocumentSource,
    chunking: Chunking | null,
    signal: AbortSignal,
  ): Promise<PackedTexts> => {
    signal.throwIfAborted();
    if (closed) throw shutDown();
    const { promise, resolve, reject } = Promise.withResolvers<PackedTexts>();
    worker ??= start();
    const to = worker;
    const send = (message: Message): void => to.postMessage(message);
    const id = ++lastId;
    const onAbort = (): void => {
      leave(id);
      send({ unwanted: id });
      reject(signal.reason);
    };
    waiting.set(id, { resolve, reject });
    to.ref();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      send({ id, source, chunking });
      return await promise;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };

  return {
    async text(source, signal) {
      return unpackTexts(await read(source, null, signal)).join('');
    },
    chunks: read,
    async close() {
      closed = true;
      if (worker === null) return;
      const exited = new Promise((resolve) => worker?.once('exit', resolve));
      worker.ref();
      worker.postMessage('end' satisfies Message);
      await exited;
    },
  };
}

function end(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone.
  }
}

const errorOf = ({ code, message }: Fault): Error =>
  code === null ? new Error(message) : new DocumentError(code, message);

/** What went wrong is in none of the documents: all may be tried again. */
const threadEnded = (): DocumentError =>
  new DocumentError('server_error', 'The thread that reads documents has ended.');
