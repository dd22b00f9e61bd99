import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Frame, frameBytes, frameReader } from './inside/frames.ts';
import type { InsideOptions } from './inside/main.ts';
import { watchMemory } from './memory-watch.ts';

export interface InterpreterBounds {
  /** Memory that Python may fill. */
  memoryBytes: number;
  /** What a run may print. */
  outputBytes: number;
  timeoutMilliseconds: number;
  files: number;
  fileBytes: number;
  totalBytes: number;
}

export interface RunResult {
  /** What was printed, up to the bound. */
  output: string;
  truncated: boolean;
  /** False when the code has thrown. */
  succeeded: boolean;
  /** Whether the code was interrupted for taking too long, and its state kept. */
  interrupted: boolean;
  /** Why the process is gone, with its state; null while it lives. */
  ended: 'time' | 'memory' | 'fault' | null;
  files: { path: string; bytes: Uint8Array }[];
  gone: string[];
  /** Files that were not taken over, each with the reason. */
  skipped: string[];
}

/** One process with one Python in it. */
export interface Interpreter {
  readonly pid: number;
  readonly alive: boolean;
  put(path: string, bytes: Uint8Array): void;
  remove(path: string): void;
  /** Runs code; aborting ends the process. Never two at a time. */
  run(code: string, signal: AbortSignal): Promise<RunResult>;
  /** Ends the process; resolves when it is gone. */
  stop(): Promise<void>;
}

export interface StartOptions {
  bounds: InterpreterBounds;
  /** File of a snapshot to start from; null to make one. */
  snapshot: string | null;
  onSnapshot(bytes: Uint8Array): Promise<void>;
}

const startMilliseconds = 60_000;
/** After the interruption from within, before the end from without. */
const graceMilliseconds = 2000;
/** Node, Pyodide and the code of both, beside Python's own memory. */
const overheadBytes = 335_544_320;
const heapMegabytes = 128;
const snapshotBytes = 134_217_728;
const headerBytes = 65_536;
const mostNotes = 1000;

const entryName = import.meta.url.endsWith('.ts') ? 'main.ts' : 'main.js';

/** Where Pyodide is installed, looked up only once it is needed. */
export function pyodidePackage(): { folder: string; version: string } {
  const require = createRequire(import.meta.url);
  const manifest = require.resolve('pyodide/package.json');
  const { version } = require(manifest) as { version: string };
  return { folder: realpathSync(dirname(manifest)), version };
}

type Child = ChildProcessByStdio<Writable, Readable, null>;

/** The permissions leave a process nothing but to read its own code. */
function start(bounds: InterpreterBounds, snapshot: string | null): Child {
  const { timeoutMilliseconds, memoryBytes, outputBytes, files, fileBytes, totalBytes } = bounds;
  const { folder: pyodideFolder } = pyodidePackage();
  const inside = realpathSync(fileURLToPath(new URL('./inside/', import.meta.url)));
  const options: InsideOptions = {
    pyodideFolder,
    snapshot,
    memoryBytes,
    outputBytes,
    timeoutMilliseconds,
    files,
    fileBytes,
    totalBytes,
  };
  const readable = [`${pyodideFolder}/`, `${inside}/`, ...(snapshot === null ? [] : [snapshot])];
  return spawn(
    process.execPath,
    [
      '--permission',
      ...readable.map((path) => `--allow-fs-read=${path}`),
      '--disallow-code-generation-from-strings',
      `--max-old-space-size=${heapMegabytes}`,
      '--no-warnings',
      join(inside, entryName),
      JSON.stringify(options),
    ],
    { env: {}, cwd: inside, stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true },
  );
}

/** Starts a process and waits until Python is there. Throws when it isn't. */
export async function startInterpreter({ bounds, snapshot, onSnapshot }: StartOptions): Promise<Interpreter> {
  const child = start(bounds, snapshot);
  const gone = new Promise<void>((resolve) => {
    child.once('close', () => resolve());
    child.once('error', () => resolve());
  });
  child.stdin.on('error', () => {});
  let alive = true;
  let why: 'time' | 'memory' | 'fault' = 'fault';
  let onFrame: (frame: Frame) => void = () => {};
  const end = (reason: typeof why): void => {
    if (!alive) return;
    alive = false;
    why = reason;
    child.kill('SIGKILL');
  };
  void gone.then(() => {
    alive = false;
  });

  let received = 0;
  let mostReceived = snapshotBytes;
  const read = frameReader({ headerBytes, bodyBytes: snapshotBytes });
  child.stdout.on('data', (chunk: Uint8Array) => {
    received += chunk.length;
    if (received > mostReceived) return end('fault');
    try {
      for (const frame of read(chunk)) onFrame(frame);
    } catch {
      end('fault');
    }
  });

  const saved: Promise<void>[] = [];
  const ready = new Promise<boolean>((resolve) => {
    onFrame = ({ header, body }) => {
      if (header.type === 'snapshot' && snapshot === null && saved.length === 0) saved.push(onSnapshot(body));
      if (header.type === 'ready') resolve(true);
    };
    void gone.then(() => resolve(false));
  });
  const late = setTimeout(() => end('time'), startMilliseconds);
  const started = await ready;
  clearTimeout(late);
  await Promise.all(saved);
  if (!started) throw new Error('The Python process could not be started.');
  onFrame = () => {};
  const { pid = 0 } = child;

  const run = async (code: string, signal: AbortSignal): Promise<RunResult> => {
    const result: RunResult = {
      output: '',
      truncated: false,
      succeeded: false,
      interrupted: false,
      ended: null,
      files: [],
      gone: [],
      skipped: [],
    };
    const printed: Uint8Array[] = [];
    received = 0;
    // Each file and each chunk of output comes with a header; this leaves room for as many as there can be.
    mostReceived = bounds.outputBytes + bounds.totalBytes + 16 * headerBytes + 1024 * bounds.files;
    const done = new Promise<void>((resolve) => {
      onFrame = (frame) => {
        if (frame.header.type === 'output') printed.push(frame.body);
        else if (takeFrame(frame, result, bounds)) resolve();
      };
    });
    const stopWatching = watchMemory(pid, bounds.memoryBytes + overheadBytes, () => end('memory'));
    const timer = setTimeout(() => end('time'), bounds.timeoutMilliseconds + graceMilliseconds);
    const onAbort = () => end('time');
    signal.addEventListener('abort', onAbort, { once: true });
    if (signal.aborted) end('time');
    child.stdin.write(frameBytes({ type: 'run', code }));
    await Promise.race([done, gone]);
    stopWatching();
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    onFrame = () => {};
    const bytes = Buffer.concat(printed);
    return {
      ...result,
      output: bytes.toString('utf8', 0, bounds.outputBytes),
      truncated: result.truncated || bytes.length > bounds.outputBytes,
      ended: alive ? null : why,
    };
  };

  return {
    pid,
    get alive() {
      return alive;
    },
    put: (path, bytes) => void child.stdin.write(frameBytes({ type: 'file', path }, bytes)),
    remove: (path) => void child.stdin.write(frameBytes({ type: 'remove', path })),
    run,
    async stop() {
      end('time');
      await gone;
    },
  };
}

/** Takes what the process says of its run, as far as it can be believed; true at the end. */
function takeFrame({ header, body }: Frame, result: RunResult, bounds: InterpreterBounds): boolean {
  const { type, path } = header;
  if (type === 'file' && typeof path === 'string') {
    if (result.files.length >= bounds.files || body.length > bounds.fileBytes) throw new Error('Too much.');
    result.files.push({ path, bytes: body });
  } else if (type === 'gone' && typeof path === 'string' && result.gone.length < bounds.files) {
    result.gone.push(path);
  } else if (type === 'done') {
    result.succeeded = header.succeeded === true;
    result.interrupted = header.interrupted === true;
    result.truncated = header.truncated === true;
    if (Array.isArray(header.skipped)) result.skipped = header.skipped.slice(0, mostNotes).map(String);
    return true;
  }
  return false;
}
