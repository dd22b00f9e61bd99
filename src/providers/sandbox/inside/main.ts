/**
 * The process that Python runs in. It is given Pyodide's folder, a snapshot of a started interpreter (or an empty text
 * to make one) and bounds; it takes frames on its standard input and answers on its standard output.
 */
import { readFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { closeWorld, lendConstants, limitMemory } from './closed-world.ts';
import { type FileBounds, watchFiles } from './files.ts';
import { frameBytes, frameReader } from './frames.ts';
import { runner } from './runner.ts';

export interface InsideOptions extends FileBounds {
  pyodideFolder: string;
  /** File of a snapshot to start from; null to make one and send it. */
  snapshot: string | null;
  memoryBytes: number;
  outputBytes: number;
  timeoutMilliseconds: number;
}

/** A run that goes on this long after its end was due has no server any more. */
const orphanMilliseconds = 10_000;
const chunkBytes = 65_536;
const flushMilliseconds = 20;

const options = JSON.parse(process.argv[2] ?? '') as InsideOptions;
const { stdin } = process;
const exit = process.exit.bind(process);

const send = (header: object, body?: Uint8Array): void => {
  const frame = frameBytes(header, body);
  for (let at = 0; at < frame.length; ) {
    try {
      at += writeSync(1, frame, at);
    } catch (error) {
      // The reader is slower than we are.
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
};

limitMemory(options.memoryBytes);
lendConstants();
const { loadPyodide } = (await import(
  pathToFileURL(`${options.pyodideFolder}/pyodide.mjs`).href
)) as typeof import('pyodide');
const pyodide = await loadPyodide({
  jsglobals: Object.create(null),
  env: { HOME: '/home/user', _: 'python' },
  stdin: () => null,
  ...(options.snapshot === null
    ? { _makeSnapshot: true }
    : { _loadSnapshot: readFileSync(options.snapshot) }),
});
if (options.snapshot === null) send({ type: 'snapshot' }, pyodide.makeMemorySnapshot());

let outputLeft = 0;
let truncated = false;
const held = new Uint8Array(chunkBytes);
let heldBytes = 0;
let lastFlush = 0;
/** What has been printed is sent on the way, since a run may be ended at any moment. */
const flush = (): void => {
  lastFlush = Date.now();
  if (heldBytes > 0) send({ type: 'output' }, held.subarray(0, heldBytes));
  heldBytes = 0;
};
const write = (bytes: Uint8Array): number => {
  const taken = bytes.subarray(0, outputLeft);
  truncated ||= taken.length < bytes.length;
  outputLeft -= taken.length;
  for (let at = 0; at < taken.length; ) {
    const part = taken.subarray(at, at + chunkBytes - heldBytes);
    held.set(part, heldBytes);
    heldBytes += part.length;
    at += part.length;
    if (heldBytes === chunkBytes || Date.now() - lastFlush > flushMilliseconds) flush();
  }
  return bytes.length;
};
pyodide.setStdout({ write, isatty: false });
pyodide.setStderr({ write, isatty: false });

// Errors that Python does not survive end the process past everything else.
process.on('exit', flush);

let deadline = Number.POSITIVE_INFINITY;
let interrupted = false;
const interrupt = 2;
/** Asked every few dozen steps of Python: a run that takes too long is interrupted once, and its state kept. */
const signals = {
  get 0() {
    const now = Date.now();
    if (heldBytes > 0 && now - lastFlush > flushMilliseconds) flush();
    const late = now - deadline;
    if (late <= 0) return 0;
    if (late > orphanMilliseconds) exit(1);
    if (interrupted) return 0;
    interrupted = true;
    return interrupt;
  },
  set 0(_: number) {},
};
pyodide.setInterruptBuffer(signals as unknown as Uint8Array);

const files = watchFiles(pyodide, options);
const run = pyodide.runPython(runner, { globals: pyodide.toPy({}) }) as (code: string) => Promise<boolean>;
closeWorld();

async function serve(header: Record<string, unknown>, body: Uint8Array): Promise<void> {
  const path = String(header.path);
  if (header.type === 'file') files.put(path, body);
  else if (header.type === 'remove') files.remove(path);
  else if (header.type === 'run') {
    outputLeft = options.outputBytes;
    truncated = false;
    interrupted = false;
    deadline = Date.now() + options.timeoutMilliseconds;
    const succeeded = await run(String(header.code));
    deadline = Number.POSITIVE_INFINITY;
    flush();
    const skipped = files.collect(
      (changed, bytes) => send({ type: 'file', path: changed }, bytes),
      (gone) => send({ type: 'gone', path: gone }),
    );
    send({ type: 'done', succeeded, interrupted, truncated, skipped });
  }
}

const read = frameReader({ headerBytes: 4_194_304, bodyBytes: options.fileBytes });
let work = Promise.resolve();
stdin.on('data', (chunk: Uint8Array) => {
  for (const { header, body } of read(chunk)) {
    work = work
      .then(() => serve(header, body))
      .catch(() => {
        flush();
        exit(1);
      });
  }
});
stdin.on('end', () => exit(0));
send({ type: 'ready' });
