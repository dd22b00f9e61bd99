import { type PackedTexts, unpackTexts } from '../texts/packed-texts.ts';
import { type DocumentBounds, documentBounds } from './bounds.ts';
import { type Chunking, DocumentError, type DocumentSource, type Documents } from './documents.ts';
import { type Reader, startReader } from './reader.ts';

export interface DocumentsOptions {
  bounds?: Partial<DocumentBounds>;
  /** How many documents are read at a time, each in a process of its own. */
  processes?: number;
  /** How many more may wait for one. */
  waiting?: number;
  /** How long a process waits for another document. */
  idleSeconds?: number;
  /** Called with the id of each process that starts, and once more when it has ended. */
  onProcess?(pid: number, isRunning: boolean): void;
}

/** Documents read in processes of their own, which are started when they are needed and replaced when they fail. */
export interface DocumentReaders extends Documents {
  /** The text in parts, or in chunks. */
  read(source: DocumentSource, chunking: Chunking | null, signal: AbortSignal): Promise<PackedTexts>;
  /** Process ids, for those who measure. */
  processes(): number[];
}

interface Waiting {
  begin(): void;
  refuse(reason: unknown): void;
}

export function createDocuments({
  bounds: given = {},
  processes = 2,
  waiting: mostWaiting = 64,
  idleSeconds = 60,
  onProcess = () => {},
}: DocumentsOptions = {}): DocumentReaders {
  const bounds: DocumentBounds = { ...documentBounds, ...given };
  const readers = new Set<Reader>();
  /** Those that have nothing to do, with what ends them; the latest used last. */
  const idle = new Map<Reader, NodeJS.Timeout>();
  const queue: Waiting[] = [];
  let active = 0;
  let closed = false;

  const takeReader = (): Reader => {
    const free = [...idle.keys()].reverse().find(({ alive }) => alive);
    for (const [reader, timer] of idle) {
      if (reader !== free && reader.alive) continue;
      clearTimeout(timer);
      idle.delete(reader);
      if (reader !== free) readers.delete(reader);
    }
    const reader = free ?? begin();
    readers.add(reader);
    return reader;
  };

  const begin = (): Reader => {
    const reader = startReader(bounds);
    onProcess(reader.pid, true);
    void reader.gone.then(() => onProcess(reader.pid, false));
    return reader;
  };

  const putAway = async (reader: Reader): Promise<void> => {
    clearTimeout(idle.get(reader));
    idle.delete(reader);
    await reader.stop();
    readers.delete(reader);
  };

  const giveBack = async (reader: Reader): Promise<void> => {
    if (!reader.alive || closed) await putAway(reader);
    else idle.set(reader, setTimeout(() => void putAway(reader), idleSeconds * 1000).unref());
  };

  const takePlace = async (signal: AbortSignal): Promise<void> => {
    if (active < processes) {
      active++;
      return;
    }
    if (queue.length >= mostWaiting) throw tooBusy();
    let onAbort = (): void => {};
    try {
      await new Promise<void>((begin, refuse) => {
        const entry = { begin, refuse };
        queue.push(entry);
        onAbort = () => {
          const at = queue.indexOf(entry);
          if (at >= 0) queue.splice(at, 1);
          refuse(signal.reason);
        };
        signal.addEventListener('abort', onAbort, { once: true });
      });
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  };

  /** The place goes to the one who has waited longest. */
  const leavePlace = (): void => {
    const next = queue.shift();
    if (next === undefined) active--;
    else next.begin();
  };

  const read = async (
    source: DocumentSource,
    chunking: Chunking | null,
    signal: AbortSignal,
  ): Promise<PackedTexts> => {
    signal.throwIfAborted();
    if (closed) throw shutDown();
    await takePlace(signal);
    try {
      if (closed) throw shutDown();
      const reader = takeReader();
      try {
        return await reader.read(source, chunking, signal);
      } finally {
        await giveBack(reader);
      }
    } finally {
      leavePlace();
    }
  };

  return {
    async text(source, signal) {
      return unpackTexts(await read(source, null, signal)).join('');
    },
    read,
    chunks: read,
    processes: () => [...readers].filter(({ alive }) => alive).map(({ pid }) => pid),
    async close() {
      closed = true;
      for (const { refuse } of queue.splice(0)) refuse(shutDown());
      await Promise.all([...readers].map(putAway));
    },
  };
}

const tooBusy = (): DocumentError =>
  new DocumentError('server_error', 'Too many documents wait to be read. Try again later.');

export const shutDown = (): DocumentError =>
  new DocumentError('server_error', 'The server is shutting down.');
