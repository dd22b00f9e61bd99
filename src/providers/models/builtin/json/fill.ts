import { stem, wordsOf } from '../vocabulary.ts';
import { constrainedNumber, constrainedText } from './constrain.ts';
import type { Evidence } from './evidence.ts';
import { findTexts } from './find-list.ts';
import { findText, isLabelled, type Used } from './find-text.ts';
import { findBoolean, findNumber, findOption, namedValue } from './find-value.ts';
import { matches, parsePattern, sampleOf } from './pattern.ts';
import { allowedTypes, isSchema, listOf, merged, resolved, type Schema } from './schema.ts';
import { kindOf, plainness, type Slot, slotOf } from './slots.ts';

/** A value and how plainly the input gave it: 0 not at all, 1 perhaps, 2 and more surely. */
export interface Filled {
  value: unknown;
  sure: number;
}

interface Fill {
  root: Schema;
  evidence: Evidence;
  used: Used;
  /** Which way to go where several are open; from 2 on the input is left out of it. */
  variant: number;
  nodes: number;
}

const mostNodes = 5000;
const mostPlainNodes = 2000;
const deepest = 24;
const deepestOptional = 8;
const mostBranches = 16;
const mostItems = 1000;

/** A value for `schema` out of the evidence. Always ends; whether the value fits is for the caller to check. */
export function fill(schema: Schema, name: string, evidence: Evidence, variant: number): Filled {
  const shown = variant >= 2 ? { sources: [], values: new Map(), answer: null } : evidence;
  const run: Fill = { root: schema, evidence: shown, used: new Map(), variant, nodes: 0 };
  const around = new Set(
    wordsOf(`${name} ${typeof schema.title === 'string' ? schema.title : ''}`).map(stem),
  );
  // The whole is not what its name says: the fields are.
  return fillSchema(schema, slotOf('', null, around), run, 0);
}

function fillSchema(given: unknown, outer: Slot, run: Fill, depth: number): Filled {
  if (++run.nodes > (run.variant < 2 ? mostNodes : mostPlainNodes) || depth > deepest)
    return { value: null, sure: 0 };
  let schema = resolved(given, run.root);
  const description = outer.description === '' ? schema.description : outer.description;
  const slot = { ...outer, description: typeof description === 'string' ? description.slice(0, 500) : '' };
  if ('const' in schema) return { value: schema.const, sure: 0 };
  if (Array.isArray(schema.enum)) return fillEnum(schema.enum, schema, slot, run);
  const branches = listOf(schema.oneOf ?? schema.anyOf);
  if (branches.length > 0) return fillBranches(schema, branches, slot, run, depth);
  if (isSchema(schema.if)) {
    const then = run.variant % 2 === 0 ? schema.then : schema.else;
    if (isSchema(then)) schema = merged(schema, resolved(then, run.root));
  }
  const types = allowedTypes(schema);
  const told = types.filter((type) => type !== 'null');
  const filled = best(
    told.map((type) => () => fillType(type, schema, slot, run, depth)),
    run,
  );
  const nullable = told.length < types.length;
  if (filled === null || (nullable && filled.sure < 2 && !isAnswer(filled, run))) {
    return { value: filled === null || nullable ? null : filled.value, sure: 0 };
  }
  return filled;
}

/** A field that asks for an answer gets it, also where it might be null. */
const isAnswer = ({ value, sure }: Filled, { evidence }: Fill): boolean =>
  sure === 1 && evidence.answer !== null && value === evidence.answer;

/** The surest of several ways, else the one that the variant points at. What the others used is free again. */
function best(ways: (() => Filled)[], run: Fill): Filled | null {
  const first = ways[0];
  if (first === undefined) return null;
  if (ways.length === 1) return first();
  const start = run.variant < 2 ? 0 : (run.variant - 2) % ways.length;
  let chosen: { filled: Filled; used: Used } | null = null;
  const before = run.used;
  for (let at = 0; at < Math.min(ways.length, mostBranches); at++) {
    if (chosen !== null && (run.variant >= 2 || run.nodes > mostNodes / 2)) break;
    run.used = new Map([...before].map(([source, places]) => [source, new Set(places)]));
    const filled = ways[(start + at) % ways.length]?.();
    if (filled === undefined) continue;
    if (chosen === null || filled.sure > chosen.filled.sure) chosen = { filled, used: run.used };
  }
  run.used = chosen?.used ?? before;
  return chosen?.filled ?? null;
}

function fillBranches(schema: Schema, branches: unknown[], slot: Slot, run: Fill, depth: number): Filled {
  const { [schema.oneOf === undefined ? 'anyOf' : 'oneOf']: _chosen, ...base } = schema;
  const views = branches.slice(0, mostBranches).map((branch) => resolved(branch, run.root));
  const nullAt = views.findIndex((view) => view.type === 'null' || view.const === null);
  const others = views.filter((_view, at) => at !== nullAt);
  // Null ends what could go on for ever.
  if (nullAt >= 0 && (depth > deepestOptional || (run.variant >= 2 && run.variant % 2 === 0))) {
    return { value: null, sure: 0 };
  }
  const hasObjects = others.some((view) => view.properties !== undefined);
  if (depth > deepestOptional && hasObjects) others.sort((left, right) => weight(left) - weight(right));
  const filled = best(
    others.map((view) => () => fillSchema(merged(base, view), slot, run, depth + 1)),
    run,
  );
  if (filled === null) return { value: null, sure: 0 };
  return nullAt >= 0 && filled.sure < 2 && !isAnswer(filled, run) ? { value: null, sure: 0 } : filled;
}

const weight = (schema: Schema): number => {
  if (schema.type === 'object' || schema.properties !== undefined) return 1 + listOf(schema.required).length;
  return 0;
};

function fillEnum(values: unknown[], schema: Schema, slot: Slot, run: Fill): Filled {
  const option = findOption(slot, values, run.evidence);
  if (option !== null) return { value: values[option.at], sure: 2 };
  if (values.includes(null) && run.variant < 2) return { value: null, sure: 0 };
  const fallback = values.includes(schema.default)
    ? schema.default
    : values[Math.max(0, run.variant - 2) % values.length];
  return { value: fallback ?? null, sure: 0 };
}

function fillType(type: string, schema: Schema, slot: Slot, run: Fill, depth: number): Filled {
  switch (type) {
    case 'object':
      return fillObject(schema, slot, run, depth);
    case 'array':
      return fillArray(schema, slot, run, depth);
    case 'number':
    case 'integer':
      return fillNumber(schema, slot, run, type === 'integer');
    case 'boolean':
      return fillBoolean(schema, slot, run);
    case 'null':
      return { value: null, sure: 0 };
    default:
      return fillText(schema, slot, run);
  }
}

function fillNumber(schema: Schema, slot: Slot, run: Fill, integer: boolean): Filled {
  const named = Number(namedValue(slot, run.evidence) ?? Number.NaN);
  if (Number.isFinite(named)) return { value: constrainedNumber(named, schema, integer), sure: 3 };
  const found = findNumber(slot, run.evidence, run.used);
  if (found !== null) {
    return { value: constrainedNumber(found.amount, schema, integer), sure: found.certain ? 2 : 1 };
  }
  const wanted = typeof schema.default === 'number' ? schema.default : Math.max(0, run.variant - 2);
  return { value: constrainedNumber(wanted, schema, integer), sure: 0 };
}

function fillBoolean(schema: Schema, slot: Slot, run: Fill): Filled {
  const named = namedValue(slot, run.evidence);
  if (typeof named === 'boolean') return { value: named, sure: 3 };
  const found = findBoolean(slot, run.evidence);
  if (found !== null) return { value: found, sure: 2 };
  return { value: typeof schema.default === 'boolean' ? schema.default : run.variant % 2 === 1, sure: 0 };
}

function fillText(schema: Schema, slot: Slot, run: Fill): Filled {
  const named = namedValue(slot, run.evidence);
  const isNamed = typeof named === 'string' || typeof named === 'number';
  const format = typeof schema.format === 'string' ? (formatNames[schema.format] ?? null) : null;
  const looked = format === null ? slot : slotOf(format, null, slot.around);
  const found = isNamed ? { text: String(named), certain: true } : findText(looked, run.evidence, run.used);
  const words =
    typeof schema.pattern === 'string'
      ? run.evidence.sources.flatMap(({ text }) => text.split(/[\s,;()"'?!]+|\.(?=\s|$)/).slice(0, 200))
      : [];
  const { text, kept } = constrainedText(found?.text ?? null, schema, words, run.variant);
  const certain = found?.certain === true || (kept && (schema.pattern !== undefined || format !== null));
  return { value: text, sure: !kept ? 0 : isNamed ? 3 : certain ? 2 : 1 };
}

const formatNames: Record<string, string> = {
  email: 'email',
  'idn-email': 'email',
  uri: 'url',
  'uri-reference': 'url',
  date: 'date',
  'date-time': 'date',
  time: 'time',
};

function fillObject(schema: Schema, slot: Slot, run: Fill, depth: number): Filled {
  const properties = isSchema(schema.properties) ? schema.properties : {};
  const required = new Set(listOf(schema.required).filter((key): key is string => typeof key === 'string'));
  const around = new Set([...slot.stems, ...slot.around]);
  if (typeof schema.title === 'string') for (const word of wordsOf(schema.title)) around.add(stem(word));
  const keys = [...new Set([...Object.keys(properties), ...required])].slice(0, mostNodes);
  const places = keys.map((key) => {
    const property = Object.hasOwn(properties, key) ? properties[key] : otherProperty(schema, key);
    const place = slotOf(key, resolved(property, run.root).description, around);
    const rank = isLabelled(place, run.evidence) ? -1 : plainness(kindOf(place));
    return { key, property, place, rank };
  });
  const values = new Map<string, unknown>();
  let sure = 0;
  for (const { key, property, place } of places.toSorted((left, right) => left.rank - right.rank)) {
    const needed = required.has(key);
    if (!needed && (depth > deepestOptional || run.variant > 0)) continue;
    const filled = fillSchema(property, place, run, depth + 1);
    if (needed || filled.sure >= 2 || isAnswer(filled, run)) values.set(key, filled.value);
    if (needed || filled.sure >= 2) sure = Math.max(sure, filled.sure);
  }
  const ordered = keys
    .filter((key) => values.has(key))
    .map((key): [string, unknown] => [key, values.get(key)]);
  addMissing(ordered, schema, slot, run, depth);
  return { value: Object.fromEntries(ordered), sure };
}

/** The schema of a property that `properties` does not name. */
function otherProperty(schema: Schema, key: string): unknown {
  for (const [pattern, property] of Object.entries(
    isSchema(schema.patternProperties) ? schema.patternProperties : {},
  )) {
    const tree = parsePattern(pattern);
    if (tree !== null && matches(tree, key)) return property;
  }
  return schema.additionalProperties ?? {};
}

function addMissing(
  entries: [string, unknown][],
  schema: Schema,
  slot: Slot,
  run: Fill,
  depth: number,
): void {
  const least = Math.min(typeof schema.minProperties === 'number' ? schema.minProperties : 0, mostItems);
  const known = isSchema(schema.properties) ? Object.entries(schema.properties) : [];
  const present = new Set(entries.map(([key]) => key));
  for (const [key, property] of known) {
    if (entries.length >= least) return;
    if (present.has(key)) continue;
    entries.push([key, fillSchema(property, slotOf(key, null, slot.around), run, depth + 1).value]);
  }
  const patterns = Object.keys(isSchema(schema.patternProperties) ? schema.patternProperties : {});
  const sources = isSchema(schema.propertyNames) ? [schema.propertyNames.pattern, ...patterns] : patterns;
  const tree = sources
    .map((source) => (typeof source === 'string' ? parsePattern(source) : null))
    .find(Boolean);
  for (let at = 0; entries.length < least && at < mostItems && run.nodes < mostNodes; at++) {
    const key = (tree && sampleOf(tree, at, at, 200)) || `property${at + 1}`;
    if (entries.some(([other]) => other === key)) continue;
    entries.push([
      key,
      fillSchema(otherProperty(schema, key), slotOf(key, null, slot.around), run, depth + 1).value,
    ]);
  }
}

function fillArray(schema: Schema, slot: Slot, run: Fill, depth: number): Filled {
  const least = typeof schema.minItems === 'number' ? Math.min(schema.minItems, mostItems) : 0;
  const most = typeof schema.maxItems === 'number' ? schema.maxItems : mostItems;
  const prefix = listOf(schema.prefixItems ?? (Array.isArray(schema.items) ? schema.items : undefined));
  const items = isSchema(schema.items) || typeof schema.items === 'boolean' ? schema.items : {};
  const named = namedValue(slot, run.evidence);
  const values: unknown[] = [];
  const taken = new Set<string>();
  let sure = 0;
  const add = (filled: Filled): void => {
    values.push(schema.uniqueItems === true ? distinct(filled.value, taken) : filled.value);
    sure = Math.max(sure, filled.sure);
  };
  for (const item of prefix.slice(0, Math.min(most, 100))) add(fillSchema(item, slot, run, depth + 1));
  if (prefix.length === 0 && depth <= deepestOptional) {
    const found = Array.isArray(named)
      ? named.slice(0, mostItems).map((value) => ({ value, sure: 3 }))
      : foundItems(items, slot, run, depth);
    for (const filled of found.slice(0, Math.max(0, most))) add(filled);
  }
  const wanted = Math.max(least, isSchema(schema.contains) ? 1 : 0);
  while (values.length < wanted && run.nodes <= mostNodes) {
    const item = isSchema(schema.contains) ? merged(asItem(items), schema.contains) : items;
    add(fillSchema(item, slot, run, depth + 1));
  }
  return { value: values, sure };
}

const asItem = (items: unknown): Schema => (isSchema(items) ? items : {});

/** What the input gives for a list: texts, numbers, options of an enum, or objects clause by clause. */
function foundItems(items: unknown, slot: Slot, run: Fill, depth: number): Filled[] {
  if (run.evidence.sources.length === 0) return [];
  const schema = resolved(items, run.root);
  const type = allowedTypes(schema)[0];
  if (Array.isArray(schema.enum)) {
    return schema.enum
      .filter((value) => findOption(slot, [value], run.evidence) !== null)
      .map((value) => ({ value, sure: 2 }));
  }
  if (schema.anyOf !== undefined || schema.oneOf !== undefined || type === 'object') {
    return objectItems(schema, slot, run, depth);
  }
  if (type === 'number' || type === 'integer') {
    return (run.evidence.sources.find(({ numbers }) => numbers.length > 0)?.numbers ?? []).map(
      ({ amount }) => ({
        value: constrainedNumber(amount, schema, type === 'integer'),
        sure: 2,
      }),
    );
  }
  if (type !== 'string') return [];
  return findTexts(slot, run.evidence, run.used).map((text) => ({
    value: constrainedText(text, schema, [], run.variant).text,
    sure: 2,
  }));
}

const clausePattern = /[.;\n]\s+|,\s+(?:and\s+)?|\s+and\s+/;
const mostClauses = 20;

/** One object per clause that gives one, else one for the whole text. */
function objectItems(schema: Schema, slot: Slot, run: Fill, depth: number): Filled[] {
  const clauses = run.evidence.sources[0]?.text.split(clausePattern).slice(0, mostClauses) ?? [];
  const { evidence, used } = run;
  if (clauses.length > 1 && depth < 3) {
    const telling = evidence.sources[0];
    const given: Filled[] = [];
    for (const clause of clauses) {
      const [source] = evidence.sources.slice(0, 1).map((each) => within(each, clause));
      if (source === undefined || telling === undefined) break;
      run.evidence = { ...evidence, sources: [source], answer: null };
      run.used = new Map();
      const filled = fillSchema(schema, slot, run, depth + 1);
      if (filled.sure >= 2) given.push(filled);
    }
    run.evidence = evidence;
    run.used = used;
    if (given.length > 1) return given;
  }
  const whole = fillSchema(schema, slot, run, depth + 1);
  return whole.sure >= 2 || (whole.sure > 0 && depth <= 2) ? [whole] : [];
}

/** What `source` mentions inside `clause`. */
function within<T extends Evidence['sources'][number]>(source: T, clause: string): T {
  const start = source.text.indexOf(clause);
  const inside = <M extends { at: number; end: number }>(mentions: M[]): M[] =>
    mentions
      .filter(({ at, end }) => at >= start && end <= start + clause.length)
      .map((mention) => ({ ...mention, at: mention.at - start, end: mention.end - start }));
  const { emails, urls, phones, dates, times, numbers, quotes, names, codes } = source;
  return {
    ...source,
    text: clause,
    emails: inside(emails),
    urls: inside(urls),
    phones: inside(phones),
    dates: inside(dates),
    times: inside(times),
    numbers: inside(numbers),
    quotes: inside(quotes),
    names: inside(names),
    codes: inside(codes),
  };
}

/** `value`, or one like it that is not among those `taken` yet. */
function distinct(value: unknown, taken: Set<string>): unknown {
  let changed = value;
  for (let at = 2; taken.has(JSON.stringify(changed)) && at < mostItems + 2; at++) {
    if (typeof value === 'string') changed = `${value} ${at}`;
    else if (typeof value === 'number') changed = value + at - 1;
    else if (typeof value === 'boolean') changed = !value;
    else break;
  }
  taken.add(JSON.stringify(changed));
  return changed;
}
