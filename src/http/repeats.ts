/**
 * Writes that carry an id of their caller's (`Operation-Id`, `Idempotency-Key` or `Repeatability-Request-ID`) have one
 * effect, however often they are sent: who repeats one is given the first answer again.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { apiError, conflict } from '../errors.ts';
import { Answer, ByteStream, EventStream, JsonText } from '../kit/operation.ts';
import { type Repeat, type RepeatKey, repeatOf } from './repeat-request.ts';

/** An answer as it was given. */
export interface KeptAnswer {
  status: number;
  headers: Record<string, string>;
  /** JSON, or frames of server-sent events; null for one that was not kept. */
  text: string | null;
  isStream: boolean;
}

/** What came of a request: its answer, or an end that nobody knows since the server was killed. */
export interface KeptRequest {
  fingerprint: string;
  answer: KeptAnswer | 'interrupted';
}

export interface KeptAnswers {
  /** Notes that the request has begun, on disk; or answers what is known of an earlier one with this key. */
  claim(key: RepeatKey, fingerprint: string): Promise<KeptRequest | null>;
  /** `resources` are the ids of what it shows: when one of them is deleted, so is the answer. */
  keep(key: RepeatKey, fingerprint: string, answer: KeptAnswer, resources: string[]): Promise<void>;
  /** The request had no effect: it may be sent again. */
  release(key: RepeatKey): Promise<void>;
  /** Removes the answers that show what has been deleted. */
  forget(project: string, resources: string[]): Promise<void>;
}

export interface Repeats {
  /** Makes the call, or answers again what it answered before. */
  run(request: FastifyRequest, reply: FastifyReply, call: () => unknown): Promise<unknown>;
}

export interface RepeatOptions {
  answers: KeptAnswers;
  /** Bodies hold secrets now and then; what is kept of them must not be guessable. */
  secret: Buffer;
  /** The largest answer that is kept, in bytes of its text. */
  answerBytes: number;
}

/** A call under way whose answer is to be kept. */
interface Running {
  repeat: Repeat;
  /** Ids in the path: what the answer is about. */
  place: string[];
  /** The effect lasts even where nobody hears of it. */
  isBackground: boolean;
  end(): void;
}

export function createRepeats({ answers, secret, answerBytes }: RepeatOptions): Repeats {
  const underWay = new Map<string, Promise<void>>();

  async function once(
    repeat: Repeat,
    request: FastifyRequest,
    reply: FastifyReply,
    call: () => unknown,
  ): Promise<unknown> {
    const { key } = repeat;
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
      const known = await answers.claim(key, repeat.fingerprint());
      if (known === null) {
        const isBackground = (request.body as { background?: unknown } | undefined)?.background === true;
        return await first({ repeat, place: placeOf(request), isBackground, end }, request, call);
      }
      const fingerprint = await repeat.wholeFingerprint();
      end();
      const result = again(known, fingerprint, repeat.header);
      reply.header('idempotent-replayed', 'true');
      return result;
    } catch (error) {
      end();
      throw error;
    }
  }

  async function first(running: Running, request: FastifyRequest, call: () => unknown): Promise<unknown> {
    const { repeat, place, end } = running;
    let result: unknown;
    try {
      result = await call();
      if (request.method === 'DELETE') await answers.forget(repeat.key.project, place);
    } catch (error) {
      await answers.release(repeat.key);
      throw error;
    }
    if (result instanceof EventStream) {
      return new EventStream(keeping(result.frames, running), result.onError);
    }
    // Bytes are made anew: making them changes nothing.
    if (result instanceof ByteStream) await answers.release(repeat.key);
    else {
      const answer = asAnswer(result, request.routeOptions.config.operation?.status ?? 200);
      const { text } = answer;
      const kept = text !== null && text.length > answerBytes ? { ...answer, text: null } : answer;
      // Nothing is left that a deletion shows.
      const shown = request.method === 'DELETE' ? [] : [...place, ...idsIn(text ?? '')];
      await answers.keep(repeat.key, repeat.fingerprint(), kept, shown);
    }
    end();
    return result;
  }

  /**
   * Passes the frames on. A stream that its reader leaves, or that breaks, had no lasting effect, unless it is of work
   * that goes on in the background.
   */
  async function* keeping(frames: AsyncIterable<string>, running: Running): AsyncGenerator<string> {
    const { repeat, place, isBackground, end } = running;
    let text: string | null = '';
    let resources: string[] | null = null;
    let isWhole = false;
    try {
      for await (const frame of frames) {
        resources ??= idsInFrame(frame);
        text = text === null || text.length + frame.length > answerBytes ? null : text + frame;
        yield frame;
      }
      isWhole = true;
    } finally {
      const hadEffect = isWhole || isBackground;
      const answer = { status: 200, headers: {}, text: isWhole ? text : null, isStream: true };
      const kept = [...place, ...(resources ?? [])];
      await (hadEffect
        ? answers.keep(repeat.key, repeat.fingerprint(), answer, kept)
        : answers.release(repeat.key)
      ).finally(end);
    }
  }

  return {
    async run(request, reply, call) {
      const repeat = repeatOf(request, secret);
      if (request.headers['repeatability-request-id'] !== undefined) {
        reply.header('repeatability-result', 'accepted');
      }
      if (repeat !== null) return once(repeat, request, reply, call);
      const result = await call();
      if (request.method === 'DELETE') await answers.forget(request.exchange.project, placeOf(request));
      return result;
    },
  };
}

function placeOf(request: FastifyRequest): string[] {
  const { project: _, ...ids } = request.params as Record<string, string>;
  return Object.values(ids);
}

function again({ fingerprint: before, answer }: KeptRequest, fingerprint: string, header: string): unknown {
  if (answer === 'interrupted') {
    throw conflict(
      `The server stopped while it carried out the request with this ${header}. See whether it had its effect; if not, send it with a new one.`,
      header,
    );
  }
  if (before !== fingerprint) {
    throw conflict(
      `Another request was sent with this ${header}. Send a new one with each request, and the same only to repeat one.`,
      header,
    );
  }
  if (answer.text === null) {
    throw conflict(
      `The request with this ${header} was carried out, but its answer was not kept: it was too large, or its reader left. Ask for what it made.`,
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

function asAnswer(result: unknown, usual: number): KeptAnswer {
  const { status, body, headers } = result instanceof Answer ? result : new Answer(usual, result);
  const text = body === undefined ? '' : body instanceof JsonText ? body.text : JSON.stringify(body);
  return { status, headers, text, isStream: false };
}

/** Of the first event of a response, or of a chunk of a completion; null while there is none. */
function idsInFrame(frame: string): string[] | null {
  const data = /^data: (\{.*\})$/m.exec(frame)?.[1];
  return data === undefined ? null : idsIn(data);
}

interface Shown {
  id?: unknown;
  conversation?: { id?: unknown } | null;
}

/** What is shown, and the conversation that it is part of. */
function idsIn(text: string): string[] {
  if (!text.startsWith('{')) return [];
  const shown = JSON.parse(text) as Shown & { response?: Shown };
  const { id, conversation } = shown.response ?? shown;
  return [id, conversation?.id].filter((found) => typeof found === 'string');
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
