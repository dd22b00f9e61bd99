/** One request with all its attempts: the same ids in each, waits between them, and an error that tells of them all. */
import { AnswerTooLargeError, type Attempted, FoundryError, NoAnswerError, said } from './errors.ts';
import {
  isRepeatable,
  type NoAnswer,
  noAnswerOf,
  type RetryPolicy,
  retryAfter,
  waitBeforeNext,
} from './retry.ts';

/** A key, or a bearer token; a function is asked before every attempt, and anew when the service refuses its token. */
export type Credential =
  | { key: string }
  | { token: string | ((asked: { refused: boolean }) => string | Promise<string>) };

/** What a client is told of each attempt, to log it. */
export interface AttemptReport {
  method: string;
  url: string;
  /** 1, 2, 3 … */
  attempt: number;
  /** Null where no answer came. */
  status: number | null;
  requestId: string | null;
  clientRequestId: string;
  /** Until the next attempt; null where there is none. */
  waitMs: number | null;
}

export interface Clock {
  now(): number;
  sleep(milliseconds: number, signal: AbortSignal | null): Promise<void>;
}

export interface Settings {
  credential: Credential;
  features: readonly string[];
  fetch: typeof globalThis.fetch;
  policy: RetryPolicy;
  timeoutMs: number;
  /** Whether the service knows a repeated write by its `Idempotency-Key`. */
  honoursIds: boolean;
  onAttempt: ((report: AttemptReport) => void) | null;
  clock: Clock;
  random: () => number;
}

export interface CallOptions {
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Besides those of the client: `Skills=V1Preview`. */
  features?: readonly string[];
  /** `Idempotency-Key` of a write. Without it each call has one of its own. */
  id?: string;
  /** `x-ms-client-request-id`. */
  clientRequestId?: string;
  retry?: Partial<RetryPolicy>;
  /** How long one attempt may take until its answer is there; of streams and bytes, until they begin. */
  timeoutMs?: number;
  /** Told how many bytes of the body went out, from none anew with each attempt. */
  onProgress?: (bytes: number) => void;
}

export interface Outgoing {
  method: string;
  url: string;
  accept: string;
  /** Made anew for every attempt. */
  body: (() => { content: NonNullable<RequestInit['body']>; type: string | null }) | null;
  features: readonly string[];
  /** Not for addresses elsewhere. */
  withCredential: boolean;
}

/** What is read of an answer belongs to the attempt: an answer that breaks off is none. */
export type Read<T> = (response: Response, attempted: Attempted) => Promise<T>;
export type Send = <T>(outgoing: Outgoing, options: CallOptions, read: Read<T>) => Promise<T>;

const idHeaders = ['idempotency-key', 'operation-id', 'repeatability-request-id'] as const;

export function createSender(settings: Settings): Send {
  const { clock, random, credential } = settings;
  return async (outgoing, options, read) => {
    const policy = { ...settings.policy, ...options.retry };
    const headers = headersOf(outgoing, options, settings);
    const repeatable = isRepeatable(
      outgoing.method,
      idHeaders.some((name) => headers.has(name)),
    );
    const clientRequestId = headers.get('x-ms-client-request-id') ?? '';
    const attempted: Attempted = { method: outgoing.method, url: outgoing.url, clientRequestId, attempts: 0 };
    const report = (status: number | null, requestId: string | null, waitMs: number | null): void => {
      const { attempts: attempt, ...request } = attempted;
      settings.onAttempt?.({ ...request, attempt, status, requestId, waitMs });
    };
    const began = clock.now();
    const wait = (failure: Failed['failure']): number | null => {
      if (failure === 'final') return null;
      const [now, { attempts }] = [clock.now(), attempted];
      return waitBeforeNext(
        { outcome: failure, isRepeatable: repeatable, attempts, elapsedMs: now - began, now },
        policy,
        random,
      );
    };
    for (let refused = false; ; ) {
      options.signal?.throwIfAborted();
      attempted.attempts++;
      if (outgoing.withCredential) await authorize(headers, credential, refused);
      const outcome = await attempt(outgoing, headers, { ...options, settings }, attempted, read);
      if ('value' in outcome) {
        report(outcome.status, outcome.requestId, null);
        return outcome.value;
      }
      options.signal?.throwIfAborted();
      const { failure, error } = outcome;
      const status = typeof failure === 'object' ? failure.status : null;
      // The token may have run out: a new one is asked for, once.
      const renews: boolean = status === 401 && !refused && outgoing.withCredential && canRenew(credential);
      refused ||= renews;
      const waitMs = renews ? 0 : wait(failure);
      report(status, error instanceof FoundryError ? error.requestId : null, waitMs);
      if (waitMs === null) throw error;
      await clock.sleep(waitMs, options.signal ?? null);
    }
  };
}

function headersOf(outgoing: Outgoing, options: CallOptions, settings: Settings): Headers {
  const headers = new Headers({ accept: outgoing.accept });
  if (outgoing.withCredential) {
    const features = new Set([...settings.features, ...outgoing.features, ...(options.features ?? [])]);
    if (features.size > 0) headers.set('foundry-features', [...features].join(','));
  }
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  headers.set('x-ms-client-request-id', options.clientRequestId ?? crypto.randomUUID());
  if (outgoing.method === 'GET' || idHeaders.some((name) => headers.has(name))) return headers;
  const id = options.id ?? (settings.honoursIds ? crypto.randomUUID() : null);
  if (id !== null) headers.set('idempotency-key', id);
  return headers;
}

async function authorize(headers: Headers, credential: Credential, refused: boolean): Promise<void> {
  if ('key' in credential) return headers.set('api-key', credential.key);
  const { token } = credential;
  headers.set('authorization', `Bearer ${typeof token === 'string' ? token : await token({ refused })}`);
}

const canRenew = (credential: Credential): boolean =>
  'token' in credential && typeof credential.token === 'function';

interface Failed {
  /** `final` is what another attempt would not change. */
  failure: { status: number; headers: Headers } | NoAnswer | 'final';
  error: Error;
}
type Outcome<T> = { value: T; status: number; requestId: string | null } | Failed;

async function attempt<T>(
  outgoing: Outgoing,
  headers: Headers,
  { settings, signal, timeoutMs = settings.timeoutMs, onProgress }: CallOptions & { settings: Settings },
  attempted: Attempted,
  read: Read<T>,
): Promise<Outcome<T>> {
  const tooLong = new AbortController();
  const timer = setTimeout(
    () => tooLong.abort(new Error(`it took longer than ${timeoutMs / 1000} seconds`)),
    timeoutMs,
  );
  const ends = signal === undefined ? tooLong.signal : AbortSignal.any([signal, tooLong.signal]);
  try {
    const sent = bodyOf(outgoing, headers, onProgress);
    const { method, url } = outgoing;
    // A redirect would take the key along to wherever it leads.
    const response = await settings.fetch(url, {
      method,
      headers,
      redirect: 'manual',
      signal: ends,
      ...sent,
    });
    if (response.ok) {
      const requestId = response.headers.get('x-request-id');
      return { value: await read(response, { ...attempted }), status: response.status, requestId };
    }
    const retryAfterMs = retryAfter(response.headers, settings.clock.now());
    const text = await readText(response, mostErrorBytes).catch(() => '');
    const error = new FoundryError(said(response, text, retryAfterMs), attempted);
    return { failure: { status: response.status, headers: response.headers }, error };
  } catch (error) {
    if (error instanceof FoundryError) return { failure: 'final', error };
    const failure = error instanceof AnswerTooLargeError ? 'final' : noAnswerOf(error);
    return { failure, error: new NoAnswerError(attempted, tooLong.signal.reason ?? error) };
  } finally {
    clearTimeout(timer);
  }
}

function bodyOf(
  { body }: Outgoing,
  headers: Headers,
  onProgress?: (bytes: number) => void,
): RequestInit & { duplex?: 'half' } {
  if (body === null) return {};
  const { content, type } = body();
  if (type !== null) headers.set('content-type', type);
  if (onProgress === undefined) return { body: content };
  // A stream can be watched; encoded as one, a form tells its boundary.
  const encoded = new Response(content);
  headers.set('content-type', encoded.headers.get('content-type') ?? type ?? 'application/octet-stream');
  let bytes = 0;
  onProgress(0);
  const counted = new TransformStream<Uint8Array, Uint8Array>({
    transform(chunk, out) {
      bytes += chunk.byteLength;
      out.enqueue(chunk);
      onProgress(bytes);
    },
  });
  return { body: encoded.body?.pipeThrough(counted) ?? null, duplex: 'half' };
}

const mostErrorBytes = 1024 * 1024;

/** The text of a body; one that is larger than `most` bytes is let go of. */
export async function readText(response: Response, most: number): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > most) {
      void reader.cancel().catch(() => {});
      throw new AnswerTooLargeError(most);
    }
    text += decoder.decode(value, { stream: true });
  }
}

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: (milliseconds, signal) =>
    new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, milliseconds);
      const stop = (): void => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      if (signal?.aborted) stop();
      else signal?.addEventListener('abort', stop, { once: true });
    }),
};
