/** What callers catch. Each says which request it was, by the ids that a service can be asked about it with. */

/** The request as it was sent, and how often. */
export interface Attempted {
  method: string;
  url: string;
  /** `x-ms-client-request-id`: the same in all attempts. */
  clientRequestId: string;
  attempts: number;
}

abstract class RequestError extends Error {
  readonly method: string;
  readonly url: string;
  readonly clientRequestId: string;
  readonly attempts: number;

  constructor(message: string, attempted: Attempted, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.method = attempted.method;
    this.url = attempted.url;
    this.clientRequestId = attempted.clientRequestId;
    this.attempts = attempted.attempts;
  }
}

/** An answer that is an error. `code` is for programs, `message` for people. */
export class FoundryError extends RequestError {
  override readonly name = 'FoundryError';
  readonly status: number;
  /** As the service says it; where it says none, the status: `http_502`. */
  readonly code: string;
  /** The field or header that is wrong. */
  readonly target: string | null;
  readonly details: readonly unknown[];
  /** `x-request-id`. */
  readonly requestId: string | null;
  /** How long the service asks to wait, in milliseconds. */
  readonly retryAfterMs: number | null;
  /** The body: an object where it was JSON. */
  readonly body: unknown;

  constructor(said: Said, attempted: Attempted) {
    super(said.message, attempted);
    this.status = said.status;
    this.code = said.code;
    this.target = said.target;
    this.details = said.details;
    this.requestId = said.requestId;
    this.retryAfterMs = said.retryAfterMs;
    this.body = said.body;
  }
}

/** No answer came, or none that could be read to its end. The cause says why. */
export class NoAnswerError extends RequestError {
  override readonly name = 'NoAnswerError';

  constructor(attempted: Attempted, cause: unknown) {
    const why = cause instanceof Error ? causes(cause) : String(cause);
    super(`${attempted.method} ${attempted.url} was not answered: ${why}`, attempted, cause);
  }
}

/** A stream ended before its end and could not be taken up again. What came of it was given out. */
export class BrokenStreamError extends RequestError {
  override readonly name = 'BrokenStreamError';
  /** Of the last event that came; null where events carry none. */
  readonly lastSequenceNumber: number | null;
  /** Of the response that was streamed, where it was one: it may be retrieved later. */
  readonly responseId: string | null;

  constructor(
    attempted: Attempted,
    at: { lastSequenceNumber: number | null; responseId: string | null },
    cause: unknown,
  ) {
    const why = cause instanceof Error ? causes(cause) : 'it ended without its last event';
    super(`The stream of ${attempted.method} ${attempted.url} broke off: ${why}`, attempted, cause);
    this.lastSequenceNumber = at.lastSequenceNumber;
    this.responseId = at.responseId;
  }
}

/** The cause where an answer was let go of for its size. */
export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';

  constructor(bytes: number) {
    super(`it is larger than ${bytes} bytes`);
  }
}

export interface Said {
  status: number;
  code: string;
  message: string;
  target: string | null;
  details: readonly unknown[];
  requestId: string | null;
  retryAfterMs: number | null;
  body: unknown;
}

const mostOfText = 500;

/** Reads both envelopes, `{error: {code, message, target, details}}` and OpenAI's, and whatever a proxy says instead. */
export function said(response: Response, text: string, retryAfterMs: number | null): Said {
  const body = parsed(text);
  const error = recordOf(recordOf(body)?.error) ?? {};
  const { status, headers } = response;
  return {
    status,
    code: textOf(error.code) ?? textOf(error.type) ?? `http_${status}`,
    message: textOf(error.message) ?? plain(body, status),
    target: textOf(error.target) ?? textOf(error.param),
    details: Array.isArray(error.details) ? error.details : [],
    requestId: headers.get('x-request-id') ?? headers.get('apim-request-id'),
    retryAfterMs,
    body,
  };
}

function plain(body: unknown, status: number): string {
  const message = textOf(recordOf(body)?.message) ?? textOf(recordOf(body)?.error) ?? textOf(body);
  const isPage = message !== null && /^\s*</.test(message);
  return message === null || isPage ? `HTTP ${status}` : message.slice(0, mostOfText);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const recordOf = (value: unknown): Record<string, unknown> | null =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;

const textOf = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** `fetch failed` alone says nothing; what it stands for is its cause. */
function causes(error: Error): string {
  const words: string[] = [];
  for (let at: unknown = error; at instanceof Error && words.length < 4; at = at.cause) {
    if (at.message !== '') words.push(at.message);
  }
  return words.join(': ');
}
