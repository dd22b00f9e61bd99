/** How a request differs from one of a recording. */
import { isRecord } from '../kit/record.ts';
import { type RecordedRequest, secretMark } from './format.ts';

export interface RequestDifference {
  /** `body.input[0].content` */
  at: string;
  /** As JSON, cut short; null where it is not there. */
  recorded: string | null;
  asked: string | null;
}

/** What is no part of what is asked for, but of who asks, when, and with which version. */
const passing =
  /^(query\.api-version|headers\.(foundry-features|openai-beta)|body\..*\b(user|safety_identifier|prompt_cache_key|client_request_id|timestamp|created_at|request_id|session_id|trace_id|traceparent))$/;
/** Decide what kind of answer comes, so are never passed over. */
const deciding = new Set(['body.stream', 'body.background', 'body.model']);

/** Whether a lenient replay passes over it: what the recording does not know, and what passes. */
export const isTolerable = ({ at, recorded, asked }: RequestDifference): boolean =>
  !deciding.has(at) &&
  ((recorded === null && at.startsWith('body.')) || passing.test(at) || isMoment(recorded, asked));

const moment = /^"\d{4}-\d\d-\d\d[T ][\d:.]+(Z|[+-]\d\d:?\d\d)?"$/;
const uuid = /^"[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}"$/i;

const isMoment = (recorded: string | null, asked: string | null): boolean =>
  [moment, uuid].some((form) => form.test(recorded ?? '') && form.test(asked ?? ''));

/** Up to so many differences; two requests that have nothing in common have endlessly many. */
export function requestDifferences(
  recorded: RecordedRequest,
  asked: RecordedRequest,
  most: number,
): RequestDifference[] {
  const found: RequestDifference[] = [];
  for (const [at, was, is] of places(recorded, asked)) {
    compare(at, was, is, (difference) => {
      if (found.length < most) found.push(difference);
    });
    if (found.length >= most) break;
  }
  return found;
}

function places(a: RecordedRequest, b: RecordedRequest): [at: string, a: unknown, b: unknown][] {
  const query = (of: RecordedRequest) => Object.fromEntries(new URLSearchParams(of.query ?? ''));
  return [
    ['method', a.method, b.method],
    ['path', a.path, b.path],
    ['query', query(a), query(b)],
    ['headers', a.headers ?? {}, b.headers ?? {}],
    ['body', bodyOf(a), bodyOf(b)],
  ];
}

/** Without the wrapping that says what kind of body it is. */
function bodyOf({ body }: RecordedRequest): unknown {
  if (body === undefined) return undefined;
  return 'json' in body ? body.json : 'form' in body ? body.form : body;
}

type Add = (difference: RequestDifference) => void;

function compare(at: string, was: unknown, is: unknown, add: Add): void {
  if (isRecord(was) && isRecord(is)) {
    for (const name of new Set([...Object.keys(was), ...Object.keys(is)])) {
      compare(`${at}.${name}`, was[name], is[name], add);
    }
  } else if (Array.isArray(was) && Array.isArray(is)) {
    for (let i = 0; i < Math.max(was.length, is.length); i++) compare(`${at}[${i}]`, was[i], is[i], add);
  } else if (!isSame(was, is)) add({ at, recorded: shown(was), asked: shown(is) });
}

/** A secret of the recording is any text. */
function isSame(was: unknown, is: unknown): boolean {
  if (was === is) return true;
  if (typeof was !== 'string' || typeof is !== 'string' || !was.includes(secretMark)) return false;
  const parts = was.split(secretMark);
  const [first = ''] = parts;
  const last = parts.at(-1) ?? '';
  if (!is.startsWith(first) || !is.endsWith(last) || is.length < first.length + last.length) return false;
  let from = first.length;
  for (const part of parts.slice(1, -1)) {
    const at = is.indexOf(part, from);
    if (at === -1) return false;
    from = at + part.length;
  }
  return from <= is.length - last.length;
}

const longestShown = 120;

function shown(value: unknown): string | null {
  if (value === undefined) return null;
  const text = JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
