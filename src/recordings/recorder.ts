/** Stands in front of an upstream, passes everything on, and writes down what went over the wire. */
import { createHash, timingSafeEqual } from 'node:crypto';
import {
  type ClientRequest,
  Agent as HttpAgent,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestOptions,
  type ServerResponse,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import type { Listener } from '../http/listener.ts';
import { edited } from './edits.ts';
import { mostHeldBytes } from './format.ts';
import { type Asked, front, identityPath, pathOf } from './front.ts';
import { originEdits } from './origins.ts';
import { upwards } from './passed-headers.ts';
import { recordedAnswer } from './recorded-answer.ts';
import { learnFrom, recordedRequest } from './recorded-request.ts';
import { RecordingFile, rounded } from './recording-file.ts';
import { clientLeft, strange, unreachable } from './refusals.ts';
import { relay } from './relay.ts';
import { Room } from './room.ts';
import { Secrets } from './secrets.ts';

/** What the upstream is called with in place of what its client sent. */
export interface OwnCredential {
  header: [name: string, value: string];
  /** What clients have to send to be passed on. */
  localKey: string;
}

export interface RecorderOptions {
  upstream: URL;
  /** Certificates to trust, PEM; null for the usual ones. */
  upstreamCa: string | null;
  credential: OwnCredential | null;
  file: string;
  port: number;
  tls: { key: string; cert: string };
  /** Of what could not be passed on or recorded. */
  tell(line: string): void;
}

export interface Recorder {
  port: number;
  /** How many exchanges are in the file. */
  readonly written: number;
  /** Safe to call twice. */
  close(): Promise<void>;
}

const silenceMilliseconds = 600_000;
const drainMilliseconds = 5000;

export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { credential, upstream, tell } = options;
  const file = new RecordingFile(options.file, upstream.pathname.replace(/\/$/, ''));
  const secrets = new Secrets();
  if (credential !== null) {
    secrets.add(credential.localKey);
    learnFrom({ [credential.header[0]]: credential.header[1] }, secrets);
  }
  const call = caller(upstream, options.upstreamCa);
  const underWay = new Set<Promise<void>>();
  const room = new Room(mostHeldBytes);

  async function passOn(asked: Asked, response: ServerResponse): Promise<void> {
    learnFrom(asked.headers, secrets);
    const { number, at } = file.begin();
    const startedAt = performance.now();
    const reply = await send(call, asked, response, options);
    const between = { method: asked.method, from: upstream.origin, to: asked.origin, startedAt };
    const relayed = await relay(reply, response, between, room);
    const took = rounded(performance.now() - startedAt);
    try {
      if (relayed.fault !== null) throw new Error(relayed.fault);
      const request = await recordedRequest(asked, secrets);
      const answer = recordedAnswer(relayed, upstream.origin, secrets);
      file.write({ number, at, took, request, answer });
    } catch (error) {
      tell(`${asked.method} ${secrets.scrubbed(asked.url)} is not recorded: ${(error as Error).message}.`);
    }
    room.free(relayed.bytes);
    relayed.finish();
  }

  let closed: Promise<void> | undefined;
  let listener: Listener;
  try {
    listener = await front({
      port: options.port,
      tls: options.tls,
      room,
      token: credential?.localKey ?? null,
      admit: (url, headers) => admit(url, headers, credential),
      refused({ method, url }, error) {
        const what = error.code === 'client_disconnected' ? '' : ` is answered with ${error.status}`;
        tell(`${method} ${secrets.scrubbed(url)}${what}: ${error.message}`);
      },
      answer(asked, response) {
        const done = passOn(asked, response).finally(() => underWay.delete(done));
        underWay.add(done);
        return done;
      },
    });
  } catch (error) {
    file.discard();
    throw error;
  }
  return {
    port: listener.port,
    get written() {
      return file.written;
    },
    close() {
      closed ??= (async () => {
        await listener.close(drainMilliseconds);
        await Promise.allSettled(underWay);
        call.close();
        file.close();
      })();
      return closed;
    },
  };
}

interface Caller {
  (about: RequestOptions): ClientRequest;
  close(): void;
}

function caller({ protocol, hostname, port }: URL, ca: string | null): Caller {
  const isSecure = protocol === 'https:';
  const trusting = ca === null ? {} : { ca };
  const agents = [true, false].map((keepAlive) =>
    isSecure ? new HttpsAgent({ keepAlive }) : new HttpAgent({ keepAlive }),
  );
  const [kept, fresh] = agents;
  const to = { hostname: hostname.replace(/^\[|\]$/g, ''), port, ...trusting };
  const call = (about: RequestOptions) => {
    const agent = about.method === 'GET' || about.method === 'HEAD' ? kept : fresh;
    return (isSecure ? httpsRequest : httpRequest)({ ...about, ...to, agent });
  };
  return Object.assign(call, {
    close() {
      for (const agent of agents) agent.destroy();
    },
  });
}

/** Asks the upstream. A kept connection that has ended meanwhile says nothing about it, so another one is tried. Only what may be asked twice goes over one that is kept. */
async function send(
  call: Caller,
  asked: Asked,
  response: ServerResponse,
  options: RecorderOptions,
): Promise<IncomingMessage> {
  const { upstream, credential } = options;
  const body = bodyFor(asked, upstream);
  const headers = upwards(asked.rawHeaders, {
    host: upstream.host,
    length: body.length > 0 || asked.headers['content-length'] !== undefined ? body.length : null,
    isWithoutCredentials: credential !== null,
    credential: isSigned(asked.url) ? null : (credential?.header ?? null),
  });
  for (;;) {
    const outgoing = call({ method: asked.method, path: asked.url, headers });
    try {
      return await answerTo(outgoing, body, response);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (response.destroyed) throw clientLeft();
      if (code === 'ECONNRESET' && outgoing.reusedSocket) continue;
      throw unreachable(code);
    }
  }
}

function answerTo(outgoing: ClientRequest, body: Buffer, response: ServerResponse): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    response.once('close', () => outgoing.destroy());
    outgoing.setTimeout(silenceMilliseconds, () => outgoing.destroy());
    outgoing.on('error', reject);
    outgoing.on('response', resolve);
    outgoing.end(body);
  });
}

/** Addresses that lead here came from the upstream, which knows them as its own. */
function bodyFor({ body, headers, origin }: Asked, upstream: URL): Buffer {
  if (!/json/.test(headers['content-type'] ?? '') || !body.includes(new URL(origin).host)) return body;
  const text = body.toString('latin1');
  return Buffer.from(edited(text, originEdits(text, origin, upstream.origin)), 'latin1');
}

/** Addresses for uploads prove by themselves that they may be called, and need no credential of ours. */
const isSigned = (url: string): boolean => /[?&]sig=[^&]/.test(url);

function admit(url: string, headers: IncomingHttpHeaders, credential: OwnCredential | null): void {
  if (credential === null) return;
  const isForToken = pathOf(url) === identityPath;
  if (isSigned(url) && !isForToken) return;
  const bearer = /^bearer (.+)$/i.exec(headers.authorization ?? '')?.[1];
  const proof = headers['x-identity-header'];
  const given = isForToken ? [proof] : [bearer, headers['api-key'], headers['x-api-key'], proof];
  const expected = digest(credential.localKey);
  if (!given.some((one) => typeof one === 'string' && timingSafeEqual(digest(one), expected)))
    throw strange();
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
