import { invalidPayload, unsupportedParameter } from '../../../errors.ts';
import { recordOf } from '../../../kit/record.ts';
import type { GrammarSchema } from './node-llama-cpp.ts';

/** A JSON Schema in the terms of the grammar, which knows fewer keywords. */
export interface GrammarOfSchema {
  schema: GrammarSchema;
  /** Keywords with their places that the grammar does not enforce: `$.age: minimum`. */
  unenforced: string[];
}

type Schema = Record<string, unknown>;

const deepest = 32;
const mostSchemas = 5000;
/** llama.cpp refuses grammars that repeat something more often than about 2000 times. */
const longestRepetition = 1000;

const annotations = new Set([
  ...['title', 'description', 'default', 'examples', 'deprecated', 'readOnly', 'writeOnly'],
  ...['$schema', '$id', '$comment', '$anchor', '$defs', 'definitions'],
]);
const rootName = 'bloomery-root';

/** `about` is the field that the schema stands in, for refusals. */
export function grammarSchema(root: Schema, about: string): GrammarOfSchema {
  const unenforced: string[] = [];
  let count = 0;

  const walk = (given: unknown, place: string, depth: number): GrammarSchema => {
    if (depth > deepest || ++count > mostSchemas) {
      throw unsupportedParameter(
        about,
        `The JSON Schema is too large for a grammar: at most ${deepest} levels and ${mostSchemas} parts.`,
      );
    }
    if (given === true) return anything;
    if (typeof given !== 'object' || given === null || Array.isArray(given)) {
      throw invalidPayload(
        about,
        `The JSON Schema has something at ${place} that a grammar cannot be made of.`,
      );
    }
    const schema = merged(given as Schema);
    const used = new Set<string>();
    const use = (key: string): unknown => {
      used.add(key);
      return schema[key];
    };
    const result = shape(schema, use, place, (inner, at) => walk(inner, `${place}${at}`, depth + 1));
    const left = Object.keys(schema).filter((key) => !used.has(key) && !annotations.has(key));
    unenforced.push(...left.map((key) => `${place}: ${key}`));
    const description = described(schema, left);
    return description === null ? result : { ...result, description };
  };

  const shape = (
    schema: Schema,
    use: (key: string) => unknown,
    place: string,
    inner: (schema: unknown, at: string) => GrammarSchema,
  ): GrammarSchema => {
    const ref = use('$ref');
    if (ref !== undefined) return { $ref: `#/$defs/${definitionName(ref, definitions, about)}` };
    if (schema.const !== undefined) return { const: literal(use('const'), place, about) };
    if (Array.isArray(schema.enum)) {
      use('type');
      return { enum: (use('enum') as unknown[]).map((value) => literal(value, place, about)) };
    }
    for (const key of ['anyOf', 'oneOf']) {
      const choices = schema[key];
      if (!Array.isArray(choices)) continue;
      use(key);
      return { oneOf: choices.map((choice, at) => inner(choice, `.${key}[${at}]`)) };
    }
    const given = use('type') ?? impliedType(schema);
    const types = (Array.isArray(given) ? given : [given]) as unknown[];
    const all = types.map((type) => ofType(type, schema, use, inner));
    return all.length === 1 ? (all[0] ?? anything) : { oneOf: all };
  };

  const definitions = { ...recordOf(root.definitions), ...recordOf(root.$defs) };
  const schema = walk(root, '$', 0);
  const names = Object.keys(definitions);
  const $defs: Record<string, GrammarSchema> = Object.fromEntries(
    names.map((name) => [name, walk(definitions[name], `$.$defs.${name}`, 0)]),
  );
  if (/"\$ref":"#\/\$defs\/bloomery-root"/.test(JSON.stringify([schema, $defs])))
    $defs[rootName] = { ...schema };
  return { schema: Object.keys($defs).length > 0 ? { ...schema, $defs } : schema, unenforced };
}

/** An `allOf` of one schema, as generators write it, is that schema. */
function merged(schema: Schema): Schema {
  const { allOf, ...rest } = schema;
  if (!Array.isArray(allOf) || allOf.length !== 1) return schema;
  return { ...rest, ...recordOf(allOf[0]) };
}

function definitionName(ref: unknown, definitions: Schema, about: string): string {
  if (ref === '#') return rootName;
  const name = /^#\/(?:\$defs|definitions)\/(.+)$/
    .exec(String(ref))?.[1]
    ?.replaceAll('~1', '/')
    .replaceAll('~0', '~');
  if (name !== undefined && Object.hasOwn(definitions, name)) return name;
  throw unsupportedParameter(
    about,
    `The JSON Schema refers to '${String(ref).slice(0, 100)}'; only '#' and what stands in its '$defs' can be referred to.`,
  );
}

function literal(value: unknown, place: string, about: string): unknown {
  if (value === null || ['string', 'number', 'boolean'].includes(typeof value)) return value;
  throw unsupportedParameter(
    about,
    `The JSON Schema has a list or an object among the values of ${place}; a grammar takes plain values only.`,
  );
}

function impliedType(schema: Schema): string | null {
  if (schema.properties !== undefined || schema.additionalProperties !== undefined) return 'object';
  if (schema.items !== undefined || schema.prefixItems !== undefined) return 'array';
  return null;
}

const freeObject: GrammarSchema = { type: 'object', additionalProperties: true };
const anything: GrammarSchema = {
  oneOf: [{ type: ['string', 'number', 'boolean', 'null'] }, freeObject, { type: 'array' }],
};

function ofType(
  type: unknown,
  schema: Schema,
  use: (key: string) => unknown,
  inner: (schema: unknown, at: string) => GrammarSchema,
): GrammarSchema {
  switch (type) {
    case 'object':
      return ofObject(schema, use, inner);
    case 'array':
      return ofArray(schema, use, inner);
    case 'string':
      return ofString(schema, use);
    case 'number':
    case 'integer':
    case 'boolean':
    case 'null':
      return { type };
    default:
      return anything;
  }
}

/** Every property comes, the optional ones as well: that conforms, too. */
function ofObject(
  schema: Schema,
  use: (key: string) => unknown,
  inner: (schema: unknown, at: string) => GrammarSchema,
): GrammarSchema {
  const properties = recordOf(use('properties'));
  const required = (use('required') ?? []) as string[];
  const additional = use('additionalProperties') ?? Object.keys(properties).length === 0;
  const names = new Set([...Object.keys(properties), ...required]);
  const result: GrammarSchema = {
    type: 'object',
    properties: Object.fromEntries(
      [...names].map((name) => [name, inner(properties[name] ?? true, `.${name}`)]),
    ),
  };
  if (additional === false) return result;
  result.additionalProperties = additional === true ? true : inner(additional, '.*');
  for (const key of ['minProperties', 'maxProperties']) {
    if (within(schema[key])) result[key] = use(key);
  }
  return result;
}

function ofArray(
  schema: Schema,
  use: (key: string) => unknown,
  inner: (schema: unknown, at: string) => GrammarSchema,
): GrammarSchema {
  const items = use('items');
  const first = (Array.isArray(items) ? items : use('prefixItems')) as unknown[] | undefined;
  const result: GrammarSchema = { type: 'array' };
  if (first !== undefined) result.prefixItems = first.map((item, at) => inner(item, `[${at}]`));
  if (items !== undefined && items !== false && !Array.isArray(items)) result.items = inner(items, '[]');
  for (const key of ['minItems', 'maxItems']) {
    if (within(schema[key])) result[key] = use(key);
  }
  if (items === false) result.maxItems = first?.length ?? 0;
  return result;
}

function ofString(schema: Schema, use: (key: string) => unknown): GrammarSchema {
  if (/^(date|time|date-time)$/.test(String(schema.format))) return { type: 'string', format: use('format') };
  const result: GrammarSchema = { type: 'string' };
  for (const key of ['minLength', 'maxLength']) {
    if (within(schema[key])) result[key] = use(key);
  }
  return result;
}

const within = (value: unknown): boolean => typeof value === 'number' && value <= longestRepetition;

/** What the grammar does not enforce is told to the model at least. */
function described(schema: Schema, left: string[]): string | null {
  const told = left.map((key) => `${key}: ${JSON.stringify(schema[key])}`);
  const text = typeof schema.description === 'string' ? schema.description : '';
  if (told.length === 0) return text || null;
  return `${text}${text && ' '}(${told.join(', ')})`;
}
