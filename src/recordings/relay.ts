/** Passes an answer on to its client as it comes, and keeps what came. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Readable } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate, createZstdDecompress } from 'node:zlib';
import { mostBodyBytes, mostHeldBytes } from './format.ts';
import { OriginStream } from './origins.ts';
import { downwards, pairs } from './passed-headers.ts';
import type { Chunk } from './recorded-answer.ts';
import type { Room } from './room.ts';

export interface Relayed {
  status: number;
  rawHeaders: readonly string[];
  chunks: Chunk[];
  /** What they take of the room. */
  bytes: number;
  isWhole: boolean;
  /** Why it cannot be recorded, although the client has got all of it. */
  fault: string | null;
  /** Lets the client know of the end. Until then it has not got all. */
  finish(): void;
}

export interface Between {
  method: string;
  /** The origins of the upstream and of this server. */
  from: string;
  to: string;
  startedAt: number;
}

const decompressors: Record<string, () => NodeJS.ReadWriteStream & Readable> = {
  br: createBrotliDecompress,
  deflate: createInflate,
  gzip: createGunzip,
  zstd: createZstdDecompress,
};

export function relay(
  reply: IncomingMessage,
  response: ServerResponse,
  between: Between,
  room: Room,
): Promise<Relayed> {
  const { from, to, method } = between;
  const encoding = reply.headers['content-encoding']?.toLowerCase() ?? '';
  const unpack = decompressors[encoding];
  const isText = /json|text|xml|javascript/.test(reply.headers['content-type'] ?? '');
  const hasBody = method !== 'HEAD' && reply.statusCode !== 204 && reply.statusCode !== 304;
  const isChanged = hasBody && (isText || unpack !== undefined);
  const packed = unpack === undefined ? [] : ['content-encoding', 'content-length'];
  const leaveOut = [...packed, ...(isChanged ? ['content-length'] : [])];
  response.writeHead(reply.statusCode ?? 502, downwards(reply.rawHeaders, { from, to, leaveOut }));
  // Who waits for nothing but the headers learns of the end by them.
  if (hasBody && reply.headers['content-length'] !== '0') response.flushHeaders();

  const length = isChanged || !hasBody ? null : reply.headers['content-length'];
  const outlet = new Outlet(response, length === undefined || length === null ? null : Number(length));
  const origins = isText ? new OriginStream(from, to) : null;
  const source: Readable = unpack === undefined ? reply : reply.pipe(unpack());
  const chunks: Chunk[] = [];
  let size = 0;
  let held = 0;
  let fault = unpack === undefined ? compressed(encoding) : null;
  const drop = (why: string): void => {
    fault = why;
    chunks.length = 0;
    room.free(held);
    held = 0;
  };
  let before = between.startedAt;

  source.on('data', (bytes: Buffer) => {
    const now = performance.now();
    size += bytes.length;
    if (fault === null) {
      if (size > mostBodyBytes) drop(`its answer has more than ${mostBodyBytes} bytes`);
      else if (!room.take(bytes.length)) drop(`more than ${mostHeldBytes} bytes are under way`);
      else {
        held += bytes.length;
        chunks.push({ after: now - before, bytes });
      }
    }
    before = now;
    // What is written within one turn would go out as one chunk.
    source.pause();
    if (outlet.write(origins === null ? bytes : origins.push(bytes))) {
      process.nextTick(() => source.resume());
    } else response.once('drain', () => source.resume());
  });
  return new Promise((resolve) => {
    let isOver = false;
    const over = (isWhole: boolean): void => {
      if (isOver) return;
      isOver = true;
      if (!isWhole) reply.destroy();
      resolve({
        status: reply.statusCode ?? 502,
        // As its client got it.
        rawHeaders: [...pairs(reply.rawHeaders)]
          .filter(([name]) => !packed.includes(name.toLowerCase()))
          .flat(),
        ...{ chunks, bytes: held, isWhole, fault },
        finish: () => outlet.end(isWhole, origins?.end() ?? null),
      });
    };
    source.on('end', () => over(reply.complete));
    for (const stream of new Set([reply, source])) stream.on('error', () => over(false));
    reply.on('close', () => {
      if (!reply.complete) over(false);
    });
    response.on('close', () => over(false));
  });
}

/** A secret in it could not be seen. */
const compressed = (encoding: string): string | null =>
  encoding === '' || encoding === 'identity' ? null : `its answer is compressed as ${encoding}`;

/** Holds back the last piece of a body whose length the client knows: with it the client would know all. */
class Outlet {
  readonly #response: ServerResponse;
  #left: number;
  #held: Buffer | null = null;

  constructor(response: ServerResponse, length: number | null) {
    this.#response = response;
    this.#left = length ?? Number.POSITIVE_INFINITY;
  }

  write(bytes: Buffer): boolean {
    this.#left -= bytes.length;
    if (bytes.length === 0) return true;
    if (this.#left > 0) return this.#response.write(bytes);
    this.#held = bytes;
    return true;
  }

  end(isWhole: boolean, rest: Buffer | null): void {
    for (const bytes of [this.#held, rest]) {
      if (bytes !== null && bytes.length > 0) this.#response.write(bytes);
    }
    if (isWhole) this.#response.end();
    // What was written goes out with this turn, and then the connection breaks off as the upstream's did.
    else process.nextTick(() => this.#response.socket?.destroySoon());
  }
}
