/**
 * The process that documents are read in, one at a time. Frames on its standard input bring a document; those on its
 * standard output answer with its text, or what is wrong with it.
 */
import { Worker } from 'node:worker_threads';
import { type Frame, frameBytes, frameReader } from '../../sandbox/inside/frames.ts';
import type { Tokenizer } from '../../texts/pieces.ts';
import { loadTokenizer } from '../../texts/tokenizer.ts';
import { giveWay } from '../../workers/give-way.ts';
import { type Chunking, DocumentError } from '../documents.ts';
import { chunksOf } from './chunks.ts';
import { readText } from './read-text.ts';

export interface Request {
  filename: string;
  bytes: number;
  textCharacters: number;
  /** Null for the text in one piece. */
  chunking: Chunking | null;
}

/** Of UTF-16 code units; what is sent is put together to about this. */
const partCharacters = 65_536;
const { stdin, stdout } = process;

giveWay(true);

// What packages have to say would get between the frames.
for (const name of ['log', 'info', 'warn', 'error', 'debug', 'trace'] as const) console[name] = () => {};
// The work itself is awaited; what a package leaves behind must not end the process.
process.on('unhandledRejection', () => {});

const send = (header: object, body?: Uint8Array): void => {
  stdout.write(frameBytes(header, body));
};
/** Parts of text, with how long each is. */
const sendParts = (parts: string[]): void => {
  if (parts.length === 0) return;
  send({ type: 'text', lengths: parts.map((part) => part.length) }, new TextEncoder().encode(parts.join('')));
};

const parentWatch = import.meta.url.endsWith('.ts') ? './parent-watch.ts' : './parent-watch.js';
new Worker(new URL(parentWatch, import.meta.url)).unref();

let tokenizer: Tokenizer | undefined;

async function read({ filename, textCharacters, chunking }: Request, bytes: Uint8Array): Promise<void> {
  const text = await readText(bytes, filename, textCharacters);
  if (chunking === null) {
    for (let at = 0; at < text.length; ) {
      const end = Math.min(at + partCharacters, text.length);
      const wholeEnd = text.slice(at, end).isWellFormed() ? end : end - 1;
      sendParts([text.slice(at, wholeEnd)]);
      at = wholeEnd;
    }
    return;
  }
  tokenizer ??= await loadTokenizer();
  let held: string[] = [];
  let heldCharacters = 0;
  for (const { start, end } of chunksOf(text, chunking, tokenizer)) {
    held.push(text.slice(start, end));
    heldCharacters += end - start;
    if (heldCharacters < partCharacters) continue;
    sendParts(held);
    held = [];
    heldCharacters = 0;
  }
  sendParts(held);
}

let request: Request | undefined;
let content = Buffer.alloc(0);
let received = 0;

async function take({ header, body }: Frame): Promise<void> {
  if (header.type === 'read') {
    request = header as unknown as Request;
    content = Buffer.alloc(request.bytes);
    received = 0;
  } else {
    content.set(body, received);
    received += body.length;
  }
  if (request === undefined || received < content.length) return;
  const bytes = content;
  content = Buffer.alloc(0);
  try {
    await read(request, bytes);
    send({ type: 'done' });
  } catch (error) {
    const known = error instanceof DocumentError;
    send({
      type: 'failed',
      code: known ? error.code : 'invalid_file',
      message: known ? error.message : 'The file is broken.',
    });
  }
}

const next = frameReader({ headerBytes: 65_536, bodyBytes: 1_048_576 });
let work = Promise.resolve();
stdin.on('data', (chunk: Uint8Array) => {
  for (const frame of next(chunk)) work = work.then(() => take(frame)).catch(() => process.exit(1));
});
stdin.on('end', () => process.exit(0));
