/** Where two values of JSON differ, by the rules of the API for what clients are given. */
import type { Difference } from '../kit/difference.ts';
import { isRecord } from '../kit/record.ts';

const deepest = 64;
const longestShown = 60;

export function compareValues(at: string, old: unknown, now: unknown, depth = 0): Difference[] {
  if (depth > deepest) return [];
  const [was, is] = [typeOf(old), typeOf(now)];
  if (was !== is) {
    // One value does not tell whether a field could always be null.
    const rule = was === 'null' || is === 'null' ? 'value' : 'retyped';
    return [{ rule, at, what: `${was} → ${is}` }];
  }
  if (isRecord(old) && isRecord(now)) return members(at, old, now, depth);
  if (Array.isArray(old) && Array.isArray(now)) return elements(at, old, now, depth);
  return old === now ? [] : plain(at, old, now);
}

const typeOf = (value: unknown): string =>
  value === null ? 'null' : Array.isArray(value) ? 'array' : value === undefined ? 'nothing' : typeof value;

type Members = Record<string, unknown>;

function members(at: string, old: Members, now: Members, depth: number): Difference[] {
  return [...new Set([...Object.keys(old), ...Object.keys(now)])].flatMap((name): Difference[] => {
    const place = `${at}.${name}`;
    if (!Object.hasOwn(now, name)) return [{ rule: 'removed', at: place, what: 'removed' }];
    if (!Object.hasOwn(old, name)) return [{ rule: 'field', at: place, what: 'new' }];
    return compareValues(place, old[name], now[name], depth + 1);
  });
}

/** Elements of one kind are compared in their order. */
function elements(at: string, old: unknown[], now: unknown[], depth: number): Difference[] {
  const [before, after] = [Map.groupBy(old, kindOf), Map.groupBy(now, kindOf)];
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((kind): Difference[] => {
    const [was, is] = [before.get(kind) ?? [], after.get(kind) ?? []];
    const place = `${at}[]${kind}`;
    const count: Difference[] =
      was.length === is.length
        ? []
        : [{ rule: 'value', at: place, what: `${was.length} → ${is.length} elements` }];
    const inner = was.flatMap((one, i) => (i < is.length ? compareValues(place, one, is[i], depth + 1) : []));
    return [...count, ...inner];
  });
}

const kindOf = (element: unknown): string =>
  isRecord(element) && typeof element.type === 'string' ? `(‘${element.type}’)` : '';

const forms: [name: string, form: RegExp][] = [
  ['a UUID', /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i],
  ['a time', /^\d{4}-\d\d-\d\d[T ][\d:.]+(Z|[+-]\d\d:?\d\d)?$/],
  ['an address', /^https?:\/\//],
  ['hexadecimal digits', /^[\da-f]{32,}$/i],
];
const idForm = /^([a-zA-Z]{1,16})[_-](?=.*\d)[\da-zA-Z]{12,}$/;
/** By chance an id has no digit. Then it is one where the other value is. */
const bareIdForm = /^([a-zA-Z]{1,16})[_-][\da-zA-Z]{12,}$/;
/** Texts, of which some happen to look like a time or an address. */
const words = /\.(text|delta|content|arguments|refusal|output|input|description|instructions)(\[\])?$/;
const moment = /(_at|At|_on|timestamp|created|sequence_number|obfuscation)$/;

/** Ids and times differ from run to run; only their form is compared. */
function plain(at: string, old: unknown, now: unknown): Difference[] {
  if (moment.test(at) && typeof old === 'number') return [];
  if (/\.obfuscation$/.test(at)) return [];
  if (typeof old !== 'string' || typeof now !== 'string' || words.test(at)) return [changed(at, old, now)];
  const [was, is] = [formOf(old), formOf(now)];
  if ((was ?? is) !== null && (was === is || isSameKindOfId(old, now))) return [];
  // Clients tell ids by their form, and parse times; what had no form they took as it was.
  return was === null
    ? [changed(at, old, now)]
    : [{ rule: 'retyped', at, what: `${was} → ${is ?? shown(now)}` }];
}

/** A value with the names of their forms in the place of ids, times and addresses. */
export function formed(value: unknown, depth = 0): unknown {
  if (typeof value === 'string') return formOf(value) ?? value;
  if (depth > deepest || typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => formed(one, depth + 1));
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, formed(one, depth + 1)]));
}

const changed = (at: string, old: unknown, now: unknown): Difference => ({
  rule: 'value',
  at,
  what: `${shown(old)} → ${shown(now)}`,
});

function isSameKindOfId(old: string, now: string): boolean {
  const [, prefix] = bareIdForm.exec(old) ?? [];
  return prefix !== undefined && prefix === bareIdForm.exec(now)?.[1];
}

function formOf(text: string): string | null {
  const [, prefix] = idForm.exec(text) ?? [];
  if (prefix !== undefined) return `an id ‘${prefix}’`;
  return forms.find(([, form]) => form.test(text))?.[0] ?? null;
}

function shown(value: unknown): string {
  const text = JSON.stringify(value);
  return text.length > longestShown ? `${text.slice(0, longestShown)}…` : text;
}
