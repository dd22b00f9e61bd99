import type { UnionKeyword } from '../kit/union.ts';

/** A schema in the words of JSON Schema and OpenAPI alone. */
export type JsonSchema = Record<string, unknown>;

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const oneSchema = new Set(['items', 'additionalProperties', 'propertyNames', 'not', 'contains']);
const manySchemas = new Set(['anyOf', 'oneOf', 'allOf', 'prefixItems']);
const namedSchemas = new Set(['properties', 'patternProperties']);

/** Checks of ours that a schema refers to and no other reader would know. */
const ownKeywords = new Set(['rule']);

const made = new WeakMap<object, JsonSchema>();

/** The same object for the same schema. */
export function plainSchema(schema: object): JsonSchema {
  const known = made.get(schema) ?? converted(schema);
  made.set(schema, known);
  return known;
}

function converted(schema: object): JsonSchema {
  const { unionBy, ...rest } = recordAsMembers(schema as JsonSchema & { unionBy?: UnionKeyword });
  const kept = Object.entries(rest).filter(([keyword]) => !ownKeywords.has(keyword));
  const plain = mapSchemas(Object.fromEntries(kept), (inner) => plainSchema(inner));
  if (unionBy === undefined) return plain;
  const { type: _object, ...described } = plain;
  return { ...described, ...plainUnion(unionBy) };
}

const anyName = '^.*$';

/** TypeBox writes a record as members whose names have a pattern, of which generators of clients make nothing. */
function recordAsMembers<T extends JsonSchema>(schema: T): T {
  const { patternProperties, ...rest } = schema as T & { patternProperties?: Record<string, JsonSchema> };
  const { [anyName]: member, ...others } = patternProperties ?? {};
  if (member === undefined || Object.keys(others).length > 0) return schema;
  return { ...rest, additionalProperties: member } as unknown as T;
}

/** The schema with another in place of each that stands directly in it. */
export function mapSchemas(
  schema: JsonSchema,
  change: (inner: JsonSchema, place: string) => JsonSchema,
): JsonSchema {
  const changed = Object.entries(schema).map(([keyword, value]) => {
    if (oneSchema.has(keyword) && isObject(value)) return [keyword, change(value, keyword)];
    if (manySchemas.has(keyword) && Array.isArray(value)) {
      return [keyword, value.map((inner: JsonSchema) => change(inner, ''))];
    }
    if (namedSchemas.has(keyword) && isObject(value)) {
      const named = Object.entries(value).map(([name, inner]) => [name, change(inner as JsonSchema, name)]);
      return [keyword, Object.fromEntries(named)];
    }
    return [keyword, value];
  });
  return Object.fromEntries(changed);
}

const isObject = (value: unknown): value is JsonSchema => typeof value === 'object' && value !== null;

/**
 * Variants as `oneOf` with a `discriminator`, whose mapping counts the variants until they have names. Readers that
 * know no discriminators tell them apart by the property all the same; `anyOf` where an object may go without it.
 */
function plainUnion({ property, variants, fallback, unknown }: UnionKeyword): JsonSchema {
  const known = Object.entries(variants).filter(([kind]) => unknown === 'refuse' || kind !== 'other');
  const groups = [...Map.groupBy(known, ([, variant]) => variant)];
  const alternatives = groups.map(([variant, members]) =>
    ofKinds(
      plainSchema(variant),
      property,
      members.map(([kind]) => kind),
    ),
  );
  const mapping = groups.flatMap(([, members], i) => members.map(([kind]) => [kind, i]));
  const open = { property, kinds: known.map(([kind]) => kind) };
  return {
    [fallback === null ? 'oneOf' : 'anyOf']: [
      ...alternatives,
      ...(unknown === 'keep' ? [openVariant(open.property, open.kinds)] : []),
    ],
    discriminator: { propertyName: property, mapping: Object.fromEntries(mapping) },
  };
}

/** The variant, saying itself which kinds it is for. */
function ofKinds(variant: JsonSchema, property: string, kinds: string[]): JsonSchema {
  const { properties = {}, required = [] } = variant as {
    properties?: Record<string, JsonSchema>;
    required?: string[];
  };
  const { [property]: own } = properties;
  if (own !== undefined && !(own.type === 'string' && own.const === undefined && own.enum === undefined)) {
    return variant;
  }
  return {
    ...variant,
    required: [...new Set([...required, property])],
    properties: { ...properties, [property]: { type: 'string', enum: kinds } },
  };
}

const openVariant = (property: string, known: string[]): JsonSchema => ({
  type: 'object',
  description: 'Of a kind that this server does not know; kept as it is.',
  required: [property],
  properties: { [property]: { type: 'string', not: { enum: known } } },
});
