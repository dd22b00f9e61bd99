import { isRecord } from '../../../../kit/record.ts';

/** A JSON Schema as far as it is read here; everything is checked where it is used. */
export type Schema = Record<string, unknown>;

const mostSteps = 200;
const mostParts = 64;

export const isSchema: (value: unknown) => value is Schema = isRecord;

/** `schema` with its `$ref`s followed and its `allOf`s folded in; `false` becomes a schema that nothing fits. */
export const resolved = (schema: unknown, root: Schema): Schema =>
  flattened(asSchema(schema), root, { left: mostSteps });

function flattened(schema: Schema, root: Schema, run: { left: number }): Schema {
  const { $ref: reference = schema.$dynamicRef, $dynamicRef: _dynamic, ...rest } = schema;
  if (--run.left < 0) return rest;
  let view = rest;
  if (typeof reference === 'string') {
    view = merged(flattened(asSchema(pointed(root, reference)), root, run), rest);
  }
  if (!Array.isArray(view.allOf)) return view;
  const { allOf, ...others } = view;
  // Of two choices one is made at a time; the other waits in `allOf` until then.
  const waiting: Schema[] = [];
  view = others;
  for (const part of (allOf as unknown[]).slice(0, mostParts)) {
    const flat = flattened(asSchema(part), root, run);
    const choices = ['anyOf', 'oneOf', 'allOf'].some(
      (key) => view[key] !== undefined && flat[key] !== undefined,
    );
    if (choices) waiting.push(flat);
    else view = merged(view, flat);
  }
  return waiting.length === 0 ? view : { ...view, allOf: [...listOf(view.allOf), ...waiting] };
}

function asSchema(schema: unknown): Schema {
  if (isSchema(schema)) return schema;
  return schema === false ? { enum: [] } : {};
}

function pointed(root: Schema, reference: string): unknown {
  if (reference === '#') return root;
  if (!reference.startsWith('#/')) return anchored(root, reference);
  let at: unknown = root;
  for (const part of reference.slice(2).split('/')) {
    const key = decoded(part).replaceAll('~1', '/').replaceAll('~0', '~');
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return {};
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}

function anchored(root: Schema, reference: string): unknown {
  for (const definitions of [root.$defs, root.definitions]) {
    if (!isSchema(definitions)) continue;
    for (const schema of Object.values(definitions).slice(0, 1000)) {
      if (!isSchema(schema)) continue;
      if (schema.$id === reference || `#${schema.$anchor}` === reference) return schema;
    }
  }
  return {};
}

const lower = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);
const upper = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);

/** What must hold for both. */
export function merged(left: Schema, right: Schema): Schema {
  const both: Schema = { ...left };
  for (const [key, value] of Object.entries(right)) {
    if (key === '__proto__') continue;
    const other = both[key];
    if (other === undefined) both[key] = value;
    else if (typeof other === 'number' && typeof value === 'number' && lower.has(key)) {
      both[key] = Math.max(other, value);
    } else if (typeof other === 'number' && typeof value === 'number' && upper.has(key)) {
      both[key] = Math.min(other, value);
    } else if (key === 'properties' && isSchema(other) && isSchema(value)) {
      both[key] = mergedProperties(other, value);
    } else if (key === 'required' && Array.isArray(other) && Array.isArray(value)) {
      both[key] = [...new Set([...other, ...value])];
    } else if (key === 'enum' && Array.isArray(other) && Array.isArray(value)) {
      both[key] = other.filter((each) => value.includes(each));
    } else if (key === 'type') both[key] = commonTypes(other, value);
    else if (key === 'anyOf' || key === 'oneOf' || key === 'allOf') {
      both.allOf = [...listOf(both.allOf), { [key]: value }];
    } else both[key] = value;
  }
  return both;
}

function mergedProperties(left: Schema, right: Schema): Schema {
  const both: Schema = { ...left };
  for (const [key, value] of Object.entries(right)) {
    if (key === '__proto__') continue;
    both[key] = Object.hasOwn(both, key) ? merged(asSchema(both[key]), asSchema(value)) : value;
  }
  return both;
}

export const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);

function commonTypes(left: unknown, right: unknown): unknown {
  const [lefts, rights] = [typesOf(left), typesOf(right)];
  const common = lefts.flatMap((type) => {
    if (rights.includes(type)) return [type];
    if (type === 'number' && rights.includes('integer')) return ['integer'];
    return type === 'integer' && rights.includes('number') ? ['integer'] : [];
  });
  return common.length > 0 ? common : right;
}

const typesOf = (type: unknown): string[] =>
  (Array.isArray(type) ? type : [type]).filter((each) => typeof each === 'string').slice(0, 8);

const telling: [string, string[]][] = [
  ['object', ['properties', 'required', 'additionalProperties', 'patternProperties', 'minProperties']],
  ['array', ['items', 'prefixItems', 'minItems', 'contains']],
  ['number', ['minimum', 'maximum', 'exclusiveMinimum', 'exclusiveMaximum', 'multipleOf']],
];

/** The types a schema allows, by `type` or else by what its other keywords speak of. */
export function allowedTypes(schema: Schema): string[] {
  const types = typesOf(schema.type);
  if (types.length > 0) return types;
  const told = telling.find(([, keywords]) => keywords.some((keyword) => schema[keyword] !== undefined));
  return [told?.[0] ?? 'string'];
}
