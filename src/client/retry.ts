/** Whether a request that failed is sent again, and after how long. Nothing here waits or sends. */

export interface RetryPolicy {
  /** How often a request is sent at most. */
  attempts: number;
  /** The most that is waited before the second attempt; it doubles with each further one. */
  baseMs: number;
  /** The most that is waited before any attempt, unless the service asks for more. */
  capMs: number;
  /** No attempt begins later than this after the first. */
  totalMs: number;
}

export const usualPolicy: RetryPolicy = { attempts: 6, baseMs: 500, capMs: 30_000, totalMs: 300_000 };

/** A service that was never reached did nothing; a connection that was lost may have done all of it. */
export type NoAnswer = 'unreached' | 'lost';

export interface Failure {
  outcome: { status: number; headers: Headers } | NoAnswer;
  /** Whether sending the request twice has the effect of sending it once. */
  isRepeatable: boolean;
  /** How many attempts were made. */
  attempts: number;
  elapsedMs: number;
  /** Unix time in milliseconds, for a `Retry-After` that is a date. */
  now: number;
}

/** Milliseconds to wait before the next attempt; null when there is to be none. */
export function waitBeforeNext(failure: Failure, policy: RetryPolicy, random: () => number): number | null {
  if (failure.attempts >= policy.attempts || !mayRepeat(failure)) return null;
  const { outcome, attempts, now, elapsedMs } = failure;
  const asked = typeof outcome === 'string' ? null : retryAfter(outcome.headers, now);
  const wait = asked ?? backOff(attempts, policy, random);
  return elapsedMs + wait <= policy.totalMs ? wait : null;
}

/** Full jitter: anything up to the bound, so that many clients come back at different times. */
export function backOff(
  attempts: number,
  { baseMs, capMs }: Pick<RetryPolicy, 'baseMs' | 'capMs'>,
  random: () => number,
): number {
  return random() * Math.min(capMs, baseMs * 2 ** (attempts - 1));
}

function mayRepeat({ outcome, isRepeatable, now }: Failure): boolean {
  if (outcome === 'unreached') return true;
  if (outcome === 'lost') return isRepeatable;
  const { status, headers } = outcome;
  const advice = headers.get('x-should-retry');
  if (advice === 'false') return false;
  if (status === 429 || status === 408) return true;
  if (status === 503 && retryAfter(headers, now) !== null) return true;
  const isTransient = status >= 500 && status !== 501 && status !== 505;
  return isRepeatable && (isTransient || advice === 'true');
}

const inMilliseconds = ['retry-after-ms', 'x-ms-retry-after-ms'] as const;

/** What the service asks to wait, in milliseconds; null where it says nothing that can be understood. */
export function retryAfter(headers: Headers, now: number): number | null {
  for (const name of inMilliseconds) {
    const milliseconds = numberIn(headers.get(name));
    if (milliseconds !== null) return milliseconds;
  }
  const text = headers.get('retry-after');
  const seconds = numberIn(text);
  if (seconds !== null) return seconds * 1000;
  // Dates have letters in them; `Date.parse` takes a good deal else for one.
  const at = text !== null && /[A-Za-z]{3}/.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - now);
}

const numberIn = (text: string | null): number | null =>
  text !== null && /^\d{1,9}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : null;

const repeatableMethods = new Set(['GET', 'HEAD', 'PUT', 'DELETE']);

/** `hasId`: it carries an id by which the service knows a repetition. */
export const isRepeatable = (method: string, hasId: boolean): boolean =>
  hasId || repeatableMethods.has(method);

/** Nothing was sent where no connection came about. */
export function noAnswerOf(error: unknown): NoAnswer {
  for (let at = error, depth = 0; at instanceof Error && depth < 8; at = at.cause, depth++) {
    if (unreached.has(String((at as { code?: unknown }).code))) return 'unreached';
  }
  return 'lost';
}

const unreached = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'UND_ERR_CONNECT_TIMEOUT',
]);
