/** Serves a recording as its upstream did, with no network. */
import type { ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ApiError } from '../errors.ts';
import { lastUsed } from '../kit/last-used.ts';
import { bufferOf, mostHeldBytes, originMark, type RecordedAnswer, type RecordedRequest } from './format.ts';
import { type Asked, front } from './front.ts';
import { type Held, isMiss, Library } from './library.ts';
import { missed } from './miss.ts';
import { keyOf, recordedRequest, tellingHeaders } from './recorded-request.ts';
import type { Recording } from './recording.ts';
import { Room } from './room.ts';
import { Secrets } from './secrets.ts';

type Wait = (milliseconds: number) => Promise<unknown>;

export interface ReplayOptions {
  recording: Recording;
  isLenient: boolean;
  /** Whether answers take as long as they did. */
  isTimed: boolean;
  port: number;
  tls: { key: string; cert: string };
  /** How it waits, so that a test need not. */
  wait?: Wait;
  /** Of what is not in the recording. */
  tell(line: string): void;
}

export interface Replay {
  port: number;
  /** Requests that the recording had no answer to. */
  readonly misses: number;
  /** Exchanges that nobody has asked for. */
  readonly unserved: number;
  close(): Promise<void>;
}

/** What clients without a credential of their own send; any is taken. */
export const replayToken = 'bloomery-replay';
const drainMilliseconds = 1000;
const rememberedRequests = 256;
const longestRemembered = 65_536;

interface Understood {
  request: RecordedRequest;
  key: string;
}

export async function startReplay(options: ReplayOptions): Promise<Replay> {
  const library = new Library(options.recording.exchanges, options.isLenient);
  const prepared = new WeakMap<Held, Prepared>();
  const remembered = lastUsed<Promise<Understood>>(rememberedRequests);
  let misses = 0;

  const serve = (
    { request, key }: Understood,
    asked: Asked,
    response: ServerResponse,
  ): void | Promise<void> => {
    const found = library.take(key, () => request);
    if (isMiss(found)) {
      misses++;
      throw missed(found);
    }
    let answer = prepared.get(found);
    if (answer === undefined || !answer.isFor(asked.origin)) {
      answer = new Prepared(found.exchange.answer, asked);
      prepared.set(found, answer);
    }
    return send(answer, response, options.isTimed ? (options.wait ?? sleep) : null);
  };

  const listener = await front({
    port: options.port,
    tls: options.tls,
    token: replayToken,
    room: new Room(mostHeldBytes),
    refused: ({ method, url }, error) => options.tell(inLines(method, url, error)),
    async answer(asked, response) {
      const understood =
        asked.body.length > longestRemembered
          ? understand(asked)
          : remembered(rawKey(asked), () => understand(asked));
      await serve(await understood, asked, response);
    },
  });
  return {
    port: listener.port,
    get misses() {
      return misses;
    },
    get unserved() {
      return library.unserved;
    },
    close: () => listener.close(drainMilliseconds),
  };
}

/** All that an understanding depends on. */
const rawKey = ({ method, url, headers, body, origin }: Asked): string =>
  `${method} ${url} ${origin}\n${headers['content-type']}\n${tellingHeaders.map((name) => headers[name]).join('\n')}\n${body.toString('latin1')}`;

/** Secrets are taken out as they were when it was recorded, but for what the client signs in with: any text will do. */
async function understand(asked: Asked): Promise<Understood> {
  const secrets = new Secrets();
  const request = await recordedRequest(asked, secrets);
  return { request, key: keyOf(request) };
}

/** An answer as it goes over the wire. */
class Prepared {
  readonly status: number;
  readonly headers: string[];
  readonly chunks: { after: number; bytes: Buffer }[];
  readonly isWhole: boolean;
  /** Null where the answer holds no address of this server. */
  readonly #origin: string | null;

  constructor({ status, headers, chunks, end }: RecordedAnswer, { origin, method }: Asked) {
    const local = (text: string): string => text.replaceAll(originMark, origin);
    const isOurs = JSON.stringify([headers, chunks]).includes(originMark);
    this.#origin = isOurs ? origin : null;
    this.status = status;
    this.isWhole = end === 'whole';
    this.chunks = chunks.map(([after, bytes]) => ({
      after,
      bytes: bufferOf(typeof bytes === 'string' ? local(bytes) : bytes),
    }));
    const length = this.chunks.reduce((sum, { bytes }) => sum + bytes.length, 0);
    const isMeasured = this.isWhole && method !== 'HEAD' && status !== 304;
    // A recording holds nothing that is compressed, though old ones may say so.
    const given = headers.filter(([name]) => name.toLowerCase() !== 'content-encoding');
    this.headers = given.flatMap(([name, value]) => [
      name,
      isMeasured && name.toLowerCase() === 'content-length' ? String(length) : local(value),
    ]);
  }

  isFor(origin: string): boolean {
    return this.#origin === null || this.#origin === origin;
  }
}

function send(answer: Prepared, response: ServerResponse, wait: Wait | null): void | Promise<void> {
  const { status, headers, chunks, isWhole } = answer;
  response.writeHead(status, headers);
  if (wait !== null || chunks.length > 1 || !isWhole) return sendChunks(answer, response, wait);
  response.end(chunks[0]?.bytes);
}

async function sendChunks(
  { chunks, isWhole }: Prepared,
  response: ServerResponse,
  wait: Wait | null,
): Promise<void> {
  response.flushHeaders();
  for (const { after, bytes } of chunks) {
    if (wait !== null && after > 0) await wait(after);
    if (response.destroyed) return;
    if (!response.write(bytes)) await drained(response);
    // What is written within one turn goes out as one chunk.
    else await nextTick();
  }
  if (isWhole) response.end();
  else response.socket?.destroySoon();
}

const nextTick = (): Promise<void> => new Promise((resolve) => process.nextTick(resolve));

/** Settles when more may be written, or nobody is left to write to. */
function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off('drain', done).off('close', done);
      resolve();
    };
    response.on('drain', done).on('close', done);
  });
}

const inLines = (method: string, url: string, error: ApiError): string =>
  [
    `${method} ${new Secrets().scrubbed(url)}: ${error.status} ${error.message}`,
    ...error.details.map(({ message }) => `  ${message}`),
  ].join('\n');
