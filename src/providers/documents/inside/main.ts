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
import { chunksOf, type Span } from './chunks.ts';
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
/** A text from `start` to `end`, in parts of such lengths that repeat so much of each other. */
const sendText = (text: string, start: number, end: number, lengths: number[], overlaps: number[]): void => {
  send({ type: 'text', lengths, overlaps }, new TextEncoder().encode(text.slice(start, end)));
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
      sendText(text, at, wholeEnd, [wholeEnd - at], [0]);
      at = wholeEnd;
    }
    return;
  }
  tokenizer ??= await loadTokenizer();
  sendChunks(text, chunksOf(text, chunking, tokenizer));
}

function sendChunks(text: string, chunks: Iterable<Span>): void {
  let lengths: number[] = [];
  let overlaps: number[] = [];
  /** What is to be sent begins and ends there. */
  let from = 0;
  let to = 0;
  const flush = (): void => {
    if (lengths.length > 0) sendText(text, from, to, lengths, overlaps);
    lengths = [];
    overlaps = [];
    from = to;
  };
  for (const { start, end } of chunks) {
    // Between two chunks there may be blanks that are in none.
    if (start > to) flush();
    if (start > to) from = start;
    lengths.push(end - start);
    overlaps.push(Math.max(0, to - start));
    to = end;
    if (to - from >= partCharacters) flush();
  }
  flush();
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
