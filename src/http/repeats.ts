/**
 * Writes that carry an id of their caller's (`Operation-Id`, `Idempotency-Key` or `Repeatability-Request-ID`) have one
 * effect, however often they are sent: who repeats one is given the first answer again.
 */
import { createHmac } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { apiError, conflict, invalidParameter } from '../errors.ts';
import { Answer, ByteStream, EventStream, JsonText } from '../kit/operation.ts';

/** An answer as it was given. */
export interface KeptAnswer {
  status: number;
  headers: Record<string, string>;
  /** JSON, or frames of server-sent events; null for one that was too large to be kept. */
  text: string | null;
  isStream: boolean;
}

/** What came of a request: its answer, nothing yet, or an end that nobody knows since the server was killed. */
export interface KeptRequest {
  fingerprint: string;
  answer: KeptAnswer | 'none' | 'interrupted';
}

/** Who sent it, where, and by which id. */
export interface RepeatKey {
  project: string;
  caller: string;
  id: string;
}

export interface KeptAnswers {
  /** Notes that the request has begun, on disk; or answers what is known of an earlier one with this key. */
  claim(key: RepeatKey, fingerprint: string): Promise<KeptRequest | null>;
  /** `resource` is the id of what was made, if anything: when that is deleted, so is the answer that shows it. */
  keep(key: RepeatKey, answer: KeptAnswer, resource: string | null): Promise<void>;
  /** The request had no effect: it may be sent again. */
  release(key: RepeatKey): Promise<void>;
  /** Removes the answers that show what has been deleted. */
  forget(project: string, resources: string[]): Promise<void>;
}

interface Repeat {
  key: RepeatKey;
  header: string;
  fingerprint: string;
}

export interface Repeats {
  /** Makes the call, or answers again what it answered before. */
  run(request: FastifyRequest, reply: FastifyReply, call: () => unknown): Promise<unknown>;
}

const headers = ['operation-id', 'idempotency-key', 'repeatability-request-id'] as const;
const shape = /^[\x21-\x7e]{1,255}$/;

export interface RepeatOptions {
  answers: KeptAnswers;
  /** Bodies hold secrets now and then; what is kept of them must not be guessable. */
  secret: Buffer;
  /** The largest answer that is kept, in bytes of its text. */
  answerBytes: number;
}

export function createRepeats({ answers, secret, answerBytes }: RepeatOptions): Repeats {
  const underWay = new Map<string, Promise<void>>();

  async function once(
    { key, header, fingerprint }: Repeat,
    request: FastifyRequest,
    reply: FastifyReply,
    call: () => unknown,
  ): Promise<unknown> {
    const name = JSON.stringify(key);
    for (let before = underWay.get(name); before !== undefined; before = underWay.get(name)) {
      await endOf(before, request.exchange.signal);
    }
    const ended = Promise.withResolvers<void>();
    underWay.set(name, ended.promise);
    const end = (): void => {
      underWay.delete(name);
      ended.resolve();
    };
    try {
      const known = await answers.claim(key, fingerprint);
      if (known !== null) {
        end();
        const result = again(known, fingerprint, header);
        reply.header('idempotent-replayed', 'true');
        return result;
      }
      const { operation } = request.routeOptions.config;
      return await first(key, operation?.status ?? 200, call, end);
    } catch (error) {
      end();
      throw error;
    }
  }

  async function first(key: RepeatKey, status: number, call: () => unknown, end: () => void) {
    let result: unknown;
    try {
      result = await call();
    } catch (error) {
      await answers.release(key);
      throw error;
    }
    if (result instanceof EventStream) {
      const frames = keeping(result.frames, key, end);
      return new EventStream(frames, result.onError);
    }
    // Bytes are made anew: making them changes nothing.
    if (result instanceof ByteStream) await answers.release(key);
    else {
      const { answer, resource } = asAnswer(result, status);
      await answers.keep(key, within(answer), resource);
    }
    end();
    return result;
  }

  const within = (answer: KeptAnswer): KeptAnswer =>
    answer.text !== null && answer.text.length > answerBytes ? { ...answer, text: null } : answer;

  /** Passes the frames on. A stream that its reader leaves, or that breaks, had no lasting effect. */
  async function* keeping(frames: AsyncIterable<string>, key: RepeatKey, end: () => void) {
    let text: string | null = '';
    let resource: string | null = null;
    let isWhole = false;
    try {
      for await (const frame of frames) {
        resource ??= resourceOf(frame);
        text = text === null || text.length + frame.length > answerBytes ? null : text + frame;
        yield frame;
      }
      isWhole = true;
    } finally {
      const answer = { status: 200, headers: {}, text, isStream: true };
      await (isWhole ? answers.keep(key, answer, resource) : answers.release(key)).finally(end);
    }
  }

  return {
    async run(request, reply, call) {
      const repeat = repeatOf(request, secret);
      if (request.headers['repeatability-request-id'] !== undefined) {
        reply.header('repeatability-result', 'accepted');
      }
      const result = await (repeat === null ? call() : once(repeat, request, reply, call));
      if (request.method === 'DELETE') {
        const { project: _, ...ids } = request.params as Record<string, string>;
        await answers.forget(request.exchange.project, Object.values(ids));
      }
      return result;
    },
  };
}

/** Null for a request that carries no such id. */
function repeatOf(request: FastifyRequest, secret: Buffer): Repeat | null {
  const header = headers.find((name) => request.headers[name] !== undefined);
  if (header === undefined) return null;
  const id = request.headers[header];
  if (typeof id !== 'string' || !shape.test(id)) {
    throw invalidParameter(header, `${header} must be printable ASCII without spaces, at most 255.`);
  }
  const { project, principal } = request.exchange;
  return {
    key: { project, caller: principal.id, id: `${header}:${id}` },
    header,
    fingerprint: fingerprintOf(request, secret),
  };
}

/** Forms are told apart by their place alone: their bytes differ each time they are sent. */
function fingerprintOf(request: FastifyRequest, secret: Buffer): string {
  const isForm = request.headers['content-type']?.startsWith('multipart/') === true;
  const said = JSON.stringify([request.method, request.url, isForm ? null : (request.body ?? null)]);
  return createHmac('sha256', secret).update(said).digest('base64url');
}

function again({ fingerprint: before, answer }: KeptRequest, fingerprint: string, header: string): unknown {
  if (before !== fingerprint) {
    throw conflict(
      `Another request was sent with this ${header}. Send a new one with each request, and the same only to repeat one.`,
      header,
    );
  }
  if (answer === 'interrupted' || answer === 'none') {
    throw conflict(
      `The server stopped while it carried out the request with this ${header}. See whether it had its effect; if not, send it with a new one.`,
      header,
    );
  }
  if (answer.text === null) {
    throw conflict(
      `The request with this ${header} was carried out, but its answer was too large to be kept. Ask for what it made.`,
      header,
    );
  }
  if (answer.isStream) return new EventStream(onceOnly(answer.text), String);
  return new Answer(
    answer.status,
    answer.text === '' ? undefined : new JsonText(answer.text),
    answer.headers,
  );
}

async function* onceOnly(text: string): AsyncGenerator<string> {
  yield text;
}

function asAnswer(result: unknown, usual: number): { answer: KeptAnswer; resource: string | null } {
  const { status, body, headers: own } = result instanceof Answer ? result : new Answer(usual, result);
  const text = body === undefined ? '' : body instanceof JsonText ? body.text : JSON.stringify(body);
  return { answer: { status, headers: own, text, isStream: false }, resource: idIn(text) };
}

/** Of the first event of a response, or of a chunk of a completion. */
function resourceOf(frame: string): string | null {
  const data = /^data: (\{.*\})$/m.exec(frame)?.[1];
  return data === undefined ? null : idIn(data);
}

function idIn(text: string): string | null {
  if (!text.startsWith('{')) return null;
  const { id, response } = JSON.parse(text) as { id?: unknown; response?: { id?: unknown } };
  const found = id ?? response?.id;
  return typeof found === 'string' ? found : null;
}

function endOf(before: Promise<void>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = () => reject(signal.reason ?? apiError('client_disconnected', 'The client went away.'));
    if (signal.aborted) return gone();
    signal.addEventListener('abort', gone, { once: true });
    void before.then(() => {
      signal.removeEventListener('abort', gone);
      resolve();
    });
  });
}
