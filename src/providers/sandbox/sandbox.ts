import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { apiError } from '../../errors.ts';
import type { ModelLog } from '../models/upstream.ts';
import { type Interpreter, type InterpreterBounds, pyodidePackage, startInterpreter } from './interpreter.ts';

export interface SandboxOptions {
  /** Where the snapshot of a started interpreter is kept. */
  directory: string;
  memoryMegabytes: number;
  timeoutSeconds: number;
  outputBytes: number;
  /** How long a process waits for more code. */
  idleMinutes: number;
  /** Processes kept ready, once there has been a first use. */
  warm: number;
  log: Pick<ModelLog, 'warn'>;
}

/** The process of one container, and what it knows of the container's files. */
export interface Session {
  interpreter: Interpreter;
  /** The revision of each file that the process has, by path. */
  known: Map<string, string>;
  /** Whether the process is new, with nothing of what earlier code has defined. */
  fresh: boolean;
}

export interface Sandbox {
  readonly bounds: InterpreterBounds;
  /** Lends the process of a container, starting one where there is none. Works of one container follow each other. */
  use<T>(container: string, signal: AbortSignal, work: (session: Session) => Promise<T>): Promise<T>;
  /** Ends the process of a container. */
  drop(container: string): Promise<void>;
  /** Process ids, for those who measure. */
  processes(): number[];
  close(): Promise<void>;
}

export const mostFiles = 100;
export const mostFileBytes = 33_554_432;
export const mostContainerBytes = 134_217_728;

const mostProcesses = 4;
const mostWaiting = 64;
const megabyte = 1_048_576;

interface Entry {
  session: Session | null;
  /** Settles when the latest work has; the next is appended to it. */
  tail: Promise<unknown>;
  waiting: number;
  idle: NodeJS.Timeout | null;
}

export function createSandbox(options: SandboxOptions): Sandbox {
  const bounds: InterpreterBounds = {
    memoryBytes: options.memoryMegabytes * megabyte,
    outputBytes: options.outputBytes,
    timeoutMilliseconds: options.timeoutSeconds * 1000,
    files: mostFiles,
    fileBytes: mostFileBytes,
    totalBytes: mostContainerBytes,
  };
  const starter = interpreterStarter(options, bounds);
  /** Least recently used first. */
  const entries = new Map<string, Entry>();
  let spare: Promise<Interpreter | null> | null = null;
  let starting = 0;
  let waiters: (() => void)[] = [];
  let closed = false;

  const live = (): number =>
    starting + [...entries.values()].filter(({ session }) => session?.interpreter.alive).length;
  const wake = (): void => {
    const woken = waiters;
    waiters = [];
    for (const waiter of woken) waiter();
  };

  const putAway = async (container: string, entry: Entry): Promise<void> => {
    if (entry.idle !== null) clearTimeout(entry.idle);
    if (entries.get(container) === entry && entry.waiting === 0) entries.delete(container);
    const { session } = entry;
    entry.session = null;
    await session?.interpreter.stop();
    wake();
  };

  /** Takes the place of one more process: one that idles makes room, else the next that falls idle. */
  const takePlace = async (signal: AbortSignal): Promise<void> => {
    while (live() >= mostProcesses) {
      const idle = [...entries].find(([, entry]) => entry.waiting === 0 && entry.session !== null);
      if (idle !== undefined) {
        await putAway(...idle);
        continue;
      }
      if (waiters.length >= mostWaiting) throw tooBusy();
      await new Promise<void>((resolve, reject) => {
        waiters.push(resolve);
        signal.addEventListener('abort', () => reject(signal.reason), { once: true });
      });
      signal.throwIfAborted();
    }
    starting++;
  };

  const prepareSpare = (): void => {
    if (options.warm < 1 || spare !== null || closed) return;
    spare = starter().catch((error: unknown) => {
      options.log.warn({ err: error }, 'no Python process could be kept ready');
      return null;
    });
  };

  const newSession = async (signal: AbortSignal): Promise<Session> => {
    await takePlace(signal);
    try {
      const ready = spare;
      spare = null;
      const kept = await ready;
      const interpreter = kept?.alive ? kept : await starter();
      if (closed) {
        await interpreter.stop();
        throw tooBusy();
      }
      return { interpreter, known: new Map(), fresh: true };
    } finally {
      starting--;
    }
  };

  const use: Sandbox['use'] = async (container, signal, work) => {
    if (closed) throw tooBusy();
    const entry: Entry = entries.get(container) ?? {
      session: null,
      tail: Promise.resolve(),
      waiting: 0,
      idle: null,
    };
    entries.delete(container);
    entries.set(container, entry);
    if (entry.waiting >= mostWaiting) throw tooBusy();
    entry.waiting++;
    if (entry.idle !== null) clearTimeout(entry.idle);
    const turn = entry.tail.then(async () => {
      signal.throwIfAborted();
      if (!entry.session?.interpreter.alive) entry.session = null;
      const session = entry.session ?? (await newSession(signal));
      entry.session = session;
      prepareSpare();
      try {
        return await work(session);
      } finally {
        session.fresh = false;
      }
    });
    entry.tail = turn.catch(() => {});
    try {
      return await turn;
    } finally {
      entry.waiting--;
      if (entry.waiting === 0) {
        if (entry.session?.interpreter.alive) {
          entry.idle = setTimeout(() => void putAway(container, entry), options.idleMinutes * 60_000).unref();
        } else entries.delete(container);
      }
      wake();
    }
  };

  return {
    bounds,
    use,
    async drop(container) {
      const entry = entries.get(container);
      if (entry !== undefined) await putAway(container, entry);
    },
    processes: () => [...entries.values()].flatMap(({ session }) => session?.interpreter.pid ?? []),
    async close() {
      closed = true;
      wake();
      const kept = await spare;
      await kept?.stop();
      await Promise.all([...entries].map((each) => putAway(...each)));
    },
  };
}

/**
 * Starts processes, from a snapshot of the first where that is possible: it takes a fifth of the time. A snapshot that
 * does not do is made again.
 */
function interpreterStarter(
  { directory, log }: SandboxOptions,
  bounds: InterpreterBounds,
): () => Promise<Interpreter> {
  let place: string | undefined;
  const fileName = (): string => {
    place ??= join(directory, `python-${pyodidePackage().version}-${process.version}.snapshot`);
    return place;
  };
  const onSnapshot = async (bytes: Uint8Array): Promise<void> => {
    const file = fileName();
    try {
      mkdirSync(directory, { recursive: true, mode: 0o700 });
      const draft = `${file}.${process.pid}`;
      await writeFile(draft, bytes, { mode: 0o600 });
      renameSync(draft, file);
    } catch (error) {
      log.warn({ err: error }, 'the snapshot of Python could not be kept; each start takes longer');
    }
  };
  return async () => {
    const snapshot = fileName();
    if (existsSync(snapshot)) {
      try {
        return await startInterpreter({ bounds, snapshot, onSnapshot });
      } catch {
        rmSync(snapshot, { force: true });
      }
    }
    return startInterpreter({ bounds, snapshot: null, onSnapshot });
  };
}

const tooBusy = () =>
  apiError('service_unavailable', 'All Python processes are busy. Repeat the request.', {
    headers: { 'retry-after': '2' },
  });
