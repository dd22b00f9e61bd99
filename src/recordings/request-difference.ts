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
  ((recorded === null && at.startsWith('body.') && !isElement.test(at)) ||
    passing.test(at) ||
    isMoment(recorded, asked));

/** One more in a list makes it another question. */
const isElement = /\[\d+\]$/;
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
  if (!isSamePath(recorded.path, asked.path)) {
    found.push({ at: 'path', recorded: shown(recorded.path), asked: shown(asked.path) });
  }
  for (const [at, was, is] of places(recorded, asked)) {
    compare(at, was, is, (difference) => {
      if (found.length < most) found.push(difference);
    });
    if (found.length >= most) break;
  }
  return found;
}

function places(a: RecordedRequest, b: RecordedRequest): [at: string, a: unknown, b: unknown][] {
  return [
    ['method', a.method, b.method],
    ['query', queryOf(a), queryOf(b)],
    ['headers', a.headers ?? {}, b.headers ?? {}],
    ['body', bodyOf(a), bodyOf(b)],
  ];
}

/** What is said several times as a list. */
function queryOf({ query = '' }: RecordedRequest): Record<string, string | string[]> {
  const named = new Map<string, string[]>();
  for (const [name, value] of new URLSearchParams(query)) {
    named.set(name, [...(named.get(name) ?? []), value]);
  }
  return Object.fromEntries(
    [...named].map(([name, values]) => [name, values.length === 1 ? (values[0] as string) : values]),
  );
}

/** Step by step, so that nothing is a secret of several steps. */
function isSamePath(was: string, is: string): boolean {
  const [a, b] = [was.split('/'), is.split('/')];
  return a.length === b.length && a.every((step, i) => isSame(step, b[i]));
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

/** A secret is any text: the recording does not know it, and one made by another version may not have found it. */
function isSame(was: unknown, is: unknown): boolean {
  if (was === is) return true;
  if (typeof was !== 'string' || typeof is !== 'string') return false;
  return isMatch(was, is) || isMatch(is, was);
}

function isMatch(was: string, is: string): boolean {
  if (!was.includes(secretMark)) return false;
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
