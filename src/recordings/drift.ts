/** Where the answers of two recordings differ. */

import { type Difference, rules } from '../kit/difference.ts';
import { isRecord } from '../kit/record.ts';
import { pairsOf, withoutRetried } from './call-pairs.ts';
import type { Exchange } from './format.ts';
import type { Recording } from './recording.ts';
import { answerOf, type SeenAnswer } from './seen-answer.ts';
import { compareValues } from './value-drift.ts';

export interface Drift {
  differences: Difference[];
  /** Operations whose calls could not all be paired: how many each recording has. */
  unpaired: { operation: string; a: number; b: number }[];
}

export const breaks = ({ rule }: Difference): boolean => rules[rule].breaking;

export function told(difference: Difference): string {
  const { rule, at, what } = difference;
  return `${breaks(difference) ? 'BREAKING' : 'additive'}  ${at}: ${what}. Rule: ${rules[rule].text}.`;
}

/** Compares the calls of each operation that ask for the most alike. Each difference is told once for an operation. */
export function driftOf(a: Recording, b: Recording): Drift {
  const [before, after] = byOperation(callsOf(a), callsOf(b));
  const found = new Map<string, Difference>();
  const unpaired: Drift['unpaired'] = [];
  for (const operation of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(operation) ?? [], after.get(operation) ?? []];
    if (old.length !== now.length) unpaired.push({ operation, a: old.length, b: now.length });
    for (const [one, other] of pairsOf(old, now)) {
      for (const difference of compareAnswers(operation, one, other)) {
        const { rule, at, what } = difference;
        found.set(JSON.stringify([rule, at, what]), difference);
      }
    }
  }
  return { differences: [...found.values()], unpaired };
}

function compareAnswers(operation: string, a: Exchange, b: Exchange): Difference[] {
  const [old, now] = [answerOf(a.answer), answerOf(b.answer)];
  const at = `${operation} · ${old.status}`;
  if (old.status !== now.status) return [statusDrift(operation, old.status, now.status)];
  return [
    ...headers(at, old, now),
    ...(old.media === now.media
      ? content(at, old, now)
      : [{ rule: 'retyped', at, what: `${old.media} → ${now.media}` } as const]),
    ...(old.isWhole && !now.isWhole ? [{ rule: 'retyped', at, what: 'broken off' } as const] : []),
    ...(!old.isWhole && now.isWhole ? [{ rule: 'loosened', at, what: 'no longer broken off' } as const] : []),
  ];
}

/** A success where there was none takes nothing away; what was taken once is refused. */
function statusDrift(at: string, was: number, is: number): Difference {
  const what = `${was} → ${is}`;
  if (was >= 400 && is < 400) return { rule: 'loosened', at, what };
  return { rule: was < 300 && is >= 400 && is < 500 ? 'tightened' : 'retyped', at, what };
}

function headers(at: string, old: SeenAnswer, now: SeenAnswer): Difference[] {
  const place = (name: string): string => `${at} · header ${name}`;
  return [
    ...[...old.headers].flatMap((name): Difference[] =>
      now.headers.has(name) ? [] : [{ rule: 'removed', at: place(name), what: 'removed' }],
    ),
    ...[...now.headers].flatMap((name): Difference[] =>
      old.headers.has(name) ? [] : [{ rule: 'field', at: place(name), what: 'new' }],
    ),
  ];
}

function content(at: string, old: SeenAnswer, now: SeenAnswer): Difference[] {
  if (old.events === null || now.events === null) return compareValues(at, old.value, now.value);
  const [before, after] = [old.events, now.events];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((type): Difference[] => {
    const [was, is] = [before.get(type), after.get(type)];
    const place = `${at} · event ${type}`;
    if (is === undefined) return [{ rule: 'removed', at: place, what: 'removed' }];
    if (was === undefined) return [{ rule: 'value', at: place, what: 'new' }];
    return was.flatMap((event, i) => (i < is.length ? compareValues(place, event, is[i]) : []));
  });
}

/** Below the base of each: the same project may have another name at another service. */
function callsOf({ heading: { base }, exchanges }: Recording): Exchange[] {
  return withoutRetried(exchanges).map((exchange) => {
    const { path } = exchange.request;
    const own = path.startsWith(`${base}/`) ? path.slice(base.length) : path;
    return { ...exchange, request: { ...exchange.request, path: own } };
  });
}

type Operations = Map<string, Exchange[]>;

function byOperation(a: Exchange[], b: Exchange[]): [Operations, Operations] {
  const [inA, inB] = [segmentsOf(a), segmentsOf(b)];
  return [grouped(a, inB), grouped(b, inA)];
}

const segmentsOf = (calls: Exchange[]): Set<string> =>
  new Set(calls.flatMap(({ request }) => request.path.split('/')));

/** What has been called a name is one of a run where the other knows no such path, else it may be a word of the API. */
function grouped(calls: Exchange[], others: ReadonlySet<string>): Operations {
  const named = calls.flatMap(({ answer }) => namesIn(answerOf(answer)));
  const ids = new Set(
    named.filter(([member, name]) => member === 'id' || !others.has(name)).map(([, name]) => name),
  );
  return Map.groupBy(calls, ({ request: { method, path } }) => {
    const segments = path.split('/').map((segment) => (isId(segment, ids) ? '{}' : segment));
    return `${method} ${segments.join('/')}`;
  });
}

/** `resp_0199…`, `file-abc…`, a UUID, a number; or what an answer has called an id. */
const idForm = /^([a-z]{1,16}[_-](?=.*\d)[\da-zA-Z]{12,}|[\da-f]{8}-[\da-f-]{27}|\d+)$/i;

function isId(segment: string, ids: ReadonlySet<string>): boolean {
  return idForm.test(segment) || ids.has(segment.replaceAll('%3A', ':'));
}

const mostDeep = 64;

const naming = ['id', 'name'] as const;

function namesIn({ value, events }: SeenAnswer): [member: string, name: string][] {
  const found: [string, string][] = [];
  const look = (at: unknown, depth: number): void => {
    if (depth > mostDeep) return;
    if (Array.isArray(at)) for (const one of at) look(one, depth + 1);
    else if (isRecord(at)) {
      for (const member of naming) {
        const name = at[member];
        if (typeof name === 'string') found.push([member, name]);
      }
      for (const one of Object.values(at)) look(one, depth + 1);
    }
  };
  for (const event of events === null ? [value] : [...events.values()].flat()) look(event, 0);
  return found;
}
