import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, sep } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { type Frame, frameBytes, frameHead, frameReader } from '../sandbox/inside/frames.ts';
import { residentBytes, watchMemory } from '../sandbox/memory-watch.ts';
import { areSound, type PackedTexts } from '../texts/packed-texts.ts';
import type { DocumentBounds } from './bounds.ts';
import { type Chunking, DocumentError, type DocumentSource } from './documents.ts';
import type { Request } from './inside/main.ts';
import { watchTime } from './time-watch.ts';

/** A process that reads one document after the other. */
export interface Reader {
  readonly pid: number;
  readonly alive: boolean;
  /**
   * The text in parts, or in chunks. Throws `DocumentError`s, and the signal's reason, then with the process ended.
   * Never two at a time.
   */
  read(source: DocumentSource, chunking: Chunking | null, signal: AbortSignal): Promise<PackedTexts>;
  readonly gone: Promise<void>;
  /** Ends the process; resolves when it is gone. */
  stop(): Promise<void>;
}

const megabyte = 1_048_576;
const stepBytes = 262_144;
const headerBytes = 1_048_576;
const bodyBytes = 16_777_216;
const longestMessage = 500;
/** Far more than an index takes, of one document. */
const mostChunks = 262_144;
const chunkNumbersBytes = 16;
/**
 * In how many chunks a text may be: they repeat half of what they hold at most, and what is new in them fills at least
 * half of the rest.
 */
const mostChunksOfText = 4;
/** Of its memory, what a process may still hold after a document and stay. */
const keptShare = 0.6;
/** Of its memory, each half that new objects are made in: what a document needs is mostly gone before one is full. */
const youngShare = 1 / 16;
/** What may be added to the heap, in hundredths of it, before all is gone through: the tokenizer's words are in it. */
const growth = 100;
/** What is not V8's heap: Node itself, the document, what is unpacked. */
const heapShare = 0.75;

const entry = import.meta.url.endsWith('.ts') ? './inside/main.ts' : './inside/main.js';
const packages = ['unpdf', 'htmlparser2', 'gpt-tokenizer'];

type End = 'time' | 'memory' | 'output' | 'stopped' | 'fault';

/** The permissions leave a process nothing but to read its own code. */
function start({ memoryMegabytes }: DocumentBounds): ChildProcessByStdio<Writable, Readable, null> {
  const main = realpathSync(fileURLToPath(new URL(entry, import.meta.url)));
  const own = realpathSync(fileURLToPath(new URL('..', import.meta.url)));
  const readable = [own, ...packageFolders()];
  return spawn(
    process.execPath,
    [
      '--permission',
      // For the thread that looks whether the server is still there; it has no more rights than the process.
      '--allow-worker',
      ...readable.map((folder) => `--allow-fs-read=${folder}${sep}`),
      '--disallow-code-generation-from-strings',
      `--max-old-space-size=${Math.floor(memoryMegabytes * heapShare)}`,
      // Its helpers would keep another core busy, which is left to others.
      '--single-threaded-gc',
      `--max-semi-space-size=${Math.floor(memoryMegabytes * youngShare)}`,
      `--heap-growing-percent=${growth}`,
      '--no-warnings',
      main,
    ],
    { env: {}, cwd: own, stdio: ['pipe', 'pipe', 'ignore'], windowsHide: true },
  );
}

/** Where packages lie, as they are looked up and where links lead. */
function packageFolders(): string[] {
  const require = createRequire(import.meta.url);
  const folders = new Set<string>();
  for (const name of packages) {
    const folder = (require.resolve.paths(name) ?? []).find((each) => existsSync(join(each, name)));
    if (folder === undefined) continue;
    folders.add(folder);
    folders.add(realpathSync(folder));
    folders.add(realpathSync(join(folder, name)));
  }
  return [...folders];
}

export function startReader(bounds: DocumentBounds): Reader {
  const child = start(bounds);
  const { pid = 0 } = child;
  let alive = true;
  let why: End = 'fault';
  let onFrame: (frame: Frame) => void = () => {};
  const end = (reason: End): void => {
    if (!alive) return;
    alive = false;
    why = reason;
    child.kill('SIGKILL');
  };
  const gone = new Promise<void>((resolve) => {
    child.once('close', (_code, endSignal) => {
      // V8 aborts when its heap is full.
      if (alive && endSignal === 'SIGABRT') why = 'memory';
      alive = false;
      resolve();
    });
    child.once('error', () => {
      alive = false;
      resolve();
    });
  });
  child.stdin.on('error', () => {});

  let received = 0;
  let mostReceived = 0;
  const next = frameReader({ headerBytes, bodyBytes });
  child.stdout.on('data', (chunk: Uint8Array) => {
    received += chunk.length;
    if (received > mostReceived) return end('output');
    try {
      for (const frame of next(chunk)) onFrame(frame);
    } catch {
      end('fault');
    }
  });

  const write = async (bytes: Uint8Array): Promise<void> => {
    if (child.stdin.write(bytes)) return;
    let drained = (): void => {};
    const emptied = new Promise<void>((resolve) => {
      drained = resolve;
    });
    child.stdin.once('drain', drained);
    await Promise.race([emptied, gone]);
    child.stdin.off('drain', drained);
  };

  const send = async (file: FileHandle, request: Request): Promise<void> => {
    await write(frameBytes({ type: 'read', ...request }));
    for (let at = 0; at < request.bytes && alive; ) {
      const step = Math.min(stepBytes, request.bytes - at);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(step), 0, step, at);
      if (bytesRead === 0) throw contentGone();
      at += bytesRead;
      await write(frameHead({ type: 'content' }, bytesRead));
      await write(buffer.subarray(0, bytesRead));
    }
  };

  const read: Reader['read'] = async (source, chunking, signal) => {
    const file = await open(source.path).catch(() => {
      throw contentGone();
    });
    const parts: PackedTexts[] = [];
    let failure: DocumentError | undefined;
    let finish = (): void => {};
    const done = new Promise<void>((resolve) => {
      finish = resolve;
    });
    let chunks = 0;
    const takePart = (part: PackedTexts): void => {
      chunks += part.lengths.length;
      if (chunks > mostChunks) end('output');
      else parts.push(part);
    };
    onFrame = ({ header, body }) => {
      if (header.type === 'text') takePart(partsOf(header, body));
      else if (header.type === 'failed') {
        const code = header.code === 'unsupported_file' ? 'unsupported_file' : 'invalid_file';
        failure = new DocumentError(code, String(header.message).slice(0, longestMessage));
        finish();
      } else if (header.type === 'done') finish();
    };
    received = 0;
    mostReceived = mostOutput(bounds);
    const stopWatching = watchMemory(pid, bounds.memoryMegabytes * megabyte, () => end('memory'));
    const stopTimer = watchTime(pid, bounds.seconds, () => end('time'));
    const onAbort = (): void => end('stopped');
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      if (signal.aborted) end('stopped');
      const { size } = await file.stat();
      if (size > bounds.sourceBytes) throw tooLarge(bounds);
      const { filename } = source;
      await send(file, { filename, bytes: size, textCharacters: bounds.textCharacters, chunking });
      await Promise.race([done, gone]);
    } catch (error) {
      // Half a document has been sent, perhaps; the next one must not be taken for its rest.
      end('fault');
      throw error;
    } finally {
      stopWatching();
      stopTimer();
      signal.removeEventListener('abort', onAbort);
      onFrame = () => {};
      await file.close();
    }
    signal.throwIfAborted();
    if (!alive) throw ofEnd(why, bounds);
    if (((await residentBytes(pid)) ?? 0) > bounds.memoryMegabytes * megabyte * keptShare) end('stopped');
    if (failure !== undefined) throw failure;
    const texts = joined(parts);
    if (areSound(texts, bounds.textCharacters * mostChunksOfText)) return texts;
    end('fault');
    throw ofEnd('fault', bounds);
  };

  return {
    pid,
    get alive() {
      return alive;
    },
    read,
    gone,
    async stop() {
      end('stopped');
      await gone;
    },
  };
}

/** Every unit of text takes up to three bytes, and what is around the parts less than one; each chunk has two numbers. */
const mostOutput = ({ textCharacters }: DocumentBounds): number =>
  textCharacters * 4 + headerBytes + mostChunks * chunkNumbersBytes;

function partsOf({ lengths, overlaps }: Frame['header'], bytes: Uint8Array): PackedTexts {
  if (!Array.isArray(lengths) || !Array.isArray(overlaps) || overlaps.length !== lengths.length) {
    throw new Error('A part has no lengths.');
  }
  return { bytes, lengths: Uint32Array.from(lengths), overlaps: Uint32Array.from(overlaps) };
}

/** In memory of its own, which can be given to another thread. */
function joined(parts: readonly PackedTexts[]): PackedTexts {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.bytes.length, 0));
  const count = parts.reduce((sum, part) => sum + part.lengths.length, 0);
  const lengths = new Uint32Array(count);
  const overlaps = new Uint32Array(count);
  let at = 0;
  let chunk = 0;
  for (const part of parts) {
    bytes.set(part.bytes, at);
    lengths.set(part.lengths, chunk);
    overlaps.set(part.overlaps, chunk);
    at += part.bytes.length;
    chunk += part.lengths.length;
  }
  return { bytes, lengths, overlaps };
}

function ofEnd(why: End, { seconds, memoryMegabytes, textCharacters }: DocumentBounds): DocumentError {
  if (why === 'time') {
    return new DocumentError('invalid_file', `The file took longer to read than ${seconds} seconds.`);
  }
  if (why === 'memory') {
    return new DocumentError(
      'invalid_file',
      `The file needs more memory to be read than ${memoryMegabytes} MB.`,
    );
  }
  if (why === 'output') {
    return new DocumentError(
      'invalid_file',
      `The file holds more than ${textCharacters} characters of text.`,
    );
  }
  return new DocumentError('server_error', 'The process that read the file has ended.');
}

const tooLarge = ({ sourceBytes }: DocumentBounds): DocumentError =>
  new DocumentError('invalid_file', `The file is larger than ${Math.floor(sourceBytes / megabyte)} MB.`);

const contentGone = (): DocumentError =>
  new DocumentError('server_error', 'The content of the file is not there.');
