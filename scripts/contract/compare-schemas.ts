import type { Difference, Direction } from '../../src/kit/difference.ts';
import type { JsonSchema } from '../../src/openapi/plain-schema.ts';
import { alternatives, isKind, openKind, type Schemas, valuesOf } from './alternatives.ts';
import { limitDifferences } from './limits.ts';

/** The schemas that references of either contract lead to, and whether clients send what is compared or are given it. */
export interface Comparison {
  old: Schemas;
  now: Schemas;
  direction: Direction;
}

interface Pair {
  old: JsonSchema;
  now: JsonSchema;
  at: string;
}

/** How one schema differs from another, by the rules of the API. */
export function compareSchemas(comparison: Comparison, { old, now, at }: Pair): Difference[] {
  const before = alternatives(old, comparison.old);
  const after = alternatives(now, comparison.now);
  return [...new Set([...before.keys(), ...after.keys()])].flatMap((name) => {
    const [was, is] = [before.get(name), after.get(name)];
    const place = isKind(name) ? `${at}(${name})` : at;
    if (was && is) return compareAlternatives(comparison, { old: was, now: is, at: place });
    if (was) return lost(comparison, name, at, after);
    return won(comparison, name, at, before);
  });
}

function lost(
  { direction }: Comparison,
  name: string,
  at: string,
  left: Map<string, JsonSchema>,
): Difference[] {
  const what = `no longer ${name}`;
  if (direction === 'response') return [{ rule: 'loosened', at, what }];
  // Kinds that are not known any more are taken as those are that never were.
  if (left.has('anything') || (isKind(name) && left.has(openKind))) return [{ rule: 'loosened', at, what }];
  return [{ rule: isKind(name) ? 'tightened' : 'retyped', at, what }];
}

function won(
  { direction }: Comparison,
  name: string,
  at: string,
  before: Map<string, JsonSchema>,
): Difference[] {
  const what = `also ${name}`;
  if (isKind(name)) return [{ rule: 'value', at, what }];
  if (direction === 'request' || before.has('anything')) return [{ rule: 'loosened', at, what }];
  return [{ rule: 'retyped', at, what }];
}

function compareAlternatives(comparison: Comparison, pair: Pair): Difference[] {
  return [
    ...wholeness(comparison, pair),
    ...values(comparison, pair),
    ...(comparison.direction === 'request' ? limitDifferences(pair.old, pair.now, pair.at) : []),
    ...fields(comparison, pair),
    ...inner(comparison, pair),
  ];
}

/** Whole numbers are numbers, but not the other way round. */
function wholeness({ direction }: Comparison, { old, now, at }: Pair): Difference[] {
  if (old.type === now.type) return [];
  const narrows = now.type === 'integer';
  const breaks = narrows === (direction === 'request');
  return [{ rule: breaks ? 'retyped' : 'loosened', at, what: `${old.type} → ${now.type}` }];
}

/** Answers may have new values, but not none of the old ones. */
function values({ direction }: Comparison, { old, now, at }: Pair): Difference[] {
  const [before, after] = [valuesOf(old), valuesOf(now)];
  if (before === null && after === null) return [];
  if (after === null) return [{ rule: 'value', at, what: 'any value' }];
  if (before === null) {
    return [
      { rule: direction === 'request' ? 'tightened' : 'loosened', at, what: `only ${after.join(', ')}` },
    ];
  }
  const gone = before.filter((value) => !after.includes(value));
  const added = after.filter((value) => !before.includes(value));
  const found: Difference[] = [];
  if (gone.length > 0) {
    const what = `no longer ${gone.join(', ')}`;
    const replaced = gone.length === before.length;
    if (direction === 'request') found.push({ rule: 'tightened', at, what });
    else found.push({ rule: replaced ? 'retyped' : 'loosened', at, what });
  }
  if (added.length > 0) found.push({ rule: 'value', at, what: `also ${added.join(', ')}` });
  return found;
}

interface Fields {
  properties?: Schemas;
  required?: string[];
}

function fields(comparison: Comparison, { old, now, at }: Pair): Difference[] {
  const { properties: before = {}, required: hadTo = [] } = old as Fields;
  const { properties: after = {}, required: hasTo = [] } = now as Fields;
  const names = [...new Set([before, after].flatMap(Object.keys).concat(hadTo, hasTo))].sort();
  return names.flatMap((name): Difference[] => {
    const place = `${at}.${name}`;
    const [was, is] = [before[name], after[name]];
    const known = was !== undefined || hadTo.includes(name);
    const [had, has] = [hadTo.includes(name), hasTo.includes(name)];
    if (!known) return [newField(comparison.direction, place, has)];
    if (is === undefined && !has) return [{ rule: 'removed', at: place, what: 'removed' }];
    return [
      ...(had === has ? [] : [necessity(comparison.direction, place, has)]),
      ...(was && is ? compareSchemas(comparison, { old: was, now: is, at: place }) : []),
    ];
  });
}

const newField = (direction: Direction, at: string, required: boolean): Difference =>
  direction === 'request' && required
    ? { rule: 'required', at, what: 'new, and required' }
    : { rule: 'field', at, what: 'new' };

function necessity(direction: Direction, at: string, has: boolean): Difference {
  if (direction === 'request') {
    return has
      ? { rule: 'required', at, what: 'now required' }
      : { rule: 'loosened', at, what: 'now optional' };
  }
  return has
    ? { rule: 'loosened', at, what: 'now always there' }
    : { rule: 'removed', at, what: 'no longer always there' };
}

const isSchema = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

/** Elements, members by any name, and names. */
function inner(comparison: Comparison, { old, now, at }: Pair): Difference[] {
  const isRequest = comparison.direction === 'request';
  const places = { items: '[]', additionalProperties: '.*', propertyNames: '(name)' };
  return Object.entries(places).flatMap(([keyword, suffix]): Difference[] => {
    const [was, is] = [old[keyword], now[keyword]];
    const place = at + suffix;
    if (isSchema(was) && isSchema(is)) return compareSchemas(comparison, { old: was, now: is, at: place });
    if ((was ?? true) === (is ?? true)) return [];
    if (is === false) {
      return [{ rule: isRequest ? 'tightened' : 'loosened', at: place, what: 'no others any more' }];
    }
    if (isSchema(is) && was !== false) {
      return [{ rule: isRequest ? 'tightened' : 'loosened', at: place, what: 'no longer any' }];
    }
    if (was === false) return [{ rule: isRequest ? 'loosened' : 'field', at: place, what: 'others too' }];
    return [{ rule: isRequest ? 'loosened' : 'retyped', at: place, what: 'now any' }];
  });
}
