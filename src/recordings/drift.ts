/** Where the answers of two recordings differ. */

import { type Difference, rules } from '../kit/difference.ts';
import { isRecord } from '../kit/record.ts';
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

/** Pairs the calls of each operation in their order. Each difference is told once for an operation. */
export function driftOf(a: Recording, b: Recording): Drift {
  const [before, after] = [byOperation(a), byOperation(b)];
  const found = new Map<string, Difference>();
  const unpaired: Drift['unpaired'] = [];
  for (const operation of new Set([...before.keys(), ...after.keys()])) {
    const [old, now] = [before.get(operation) ?? [], after.get(operation) ?? []];
    if (old.length !== now.length) unpaired.push({ operation, a: old.length, b: now.length });
    for (const [i, exchange] of old.entries()) {
      const other = now[i];
      if (other === undefined) break;
      for (const difference of compareAnswers(operation, exchange, other)) {
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

/** A success where there was none takes nothing away. */
function statusDrift(at: string, was: number, is: number): Difference {
  const what = `${was} → ${is}`;
  return was >= 400 && is < 400 ? { rule: 'loosened', at, what } : { rule: 'retyped', at, what };
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
function byOperation({ heading: { base }, exchanges }: Recording): Map<string, Exchange[]> {
  const ids = new Set(exchanges.flatMap(({ answer }) => idsIn(answerOf(answer))));
  return Map.groupBy(exchanges, ({ request: { method, path } }) => {
    const own = path.startsWith(`${base}/`) ? path.slice(base.length) : path;
    const segments = own.split('/').map((segment) => (isId(segment, ids) ? '{}' : segment));
    return `${method} ${segments.join('/')}`;
  });
}

/** `resp_0199…`, `file-abc…`, a UUID, a number; or what an answer has called an id. */
const idForm = /^([a-z]{1,16}[_-](?=.*\d)[\da-zA-Z]{12,}|[\da-f]{8}-[\da-f-]{27}|\d+)$/i;

function isId(segment: string, ids: ReadonlySet<string>): boolean {
  return idForm.test(segment) || ids.has(segment.replaceAll('%3A', ':'));
}

const mostDeep = 64;

function idsIn({ value, events }: SeenAnswer): string[] {
  const found: string[] = [];
  const look = (at: unknown, depth: number): void => {
    if (depth > mostDeep) return;
    if (Array.isArray(at)) for (const one of at) look(one, depth + 1);
    else if (isRecord(at)) {
      if (typeof at.id === 'string') found.push(at.id);
      for (const one of Object.values(at)) look(one, depth + 1);
    }
  };
  for (const event of events === null ? [value] : [...events.values()].flat()) look(event, 0);
  return found;
}
