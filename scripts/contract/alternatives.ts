import type { JsonSchema } from '../../src/openapi/plain-schema.ts';

export type Schemas = Record<string, JsonSchema>;

export const openKind = 'of a kind not known';

/**
 * What a schema allows, each kind of value by a name of its own: its JSON type, or in a union told apart by a property
 * the value of that. Of a kind the telling property is left out; several of one type are counted.
 */
export function alternatives(
  schema: JsonSchema,
  schemas: Schemas,
  telling: string | null = null,
): Map<string, JsonSchema> {
  const found = new Map<string, JsonSchema>();
  const add = (name: string, one: JsonSchema): void => {
    let free = name;
    for (let i = 2; found.has(free); i++) free = `${name} ${i}`;
    found.set(free, one);
  };
  const { $ref } = schema as { $ref?: string };
  if ($ref !== undefined) return alternatives(schemas[$ref.split('/').at(-1) ?? ''] ?? {}, schemas, telling);
  const members = (schema.anyOf ?? schema.oneOf) as JsonSchema[] | undefined;
  if (members !== undefined) {
    const property = (schema.discriminator as { propertyName: string } | undefined)?.propertyName ?? telling;
    for (const member of members)
      for (const [name, one] of alternatives(member, schemas, property)) add(name, one);
    return found;
  }
  const kinds = telling === null ? [] : kindsOf(schema, telling, schemas);
  if (telling !== null && kinds.length > 0) {
    const { properties, required, ...rest } = schema as { properties: Schemas; required?: string[] };
    const { [telling]: _told, ...others } = properties;
    const untold = {
      ...rest,
      properties: others,
      required: (required ?? []).filter((name) => name !== telling),
    };
    for (const kind of kinds) add(kind, untold);
    return found;
  }
  for (const type of typesOf(schema)) add(type === 'integer' ? 'number' : type, { ...schema, type });
  return found;
}

export const isKind = (name: string): boolean => name.startsWith('‘') || name === openKind;

function kindsOf(schema: JsonSchema, telling: string, schemas: Schemas): string[] {
  const own = (schema.properties as Schemas | undefined)?.[telling];
  if (own === undefined) return [];
  if (own.not !== undefined) return [openKind];
  const values = [...alternatives(own, schemas).values()].flatMap((one) => valuesOf(one) ?? []);
  return values.filter((value) => typeof value === 'string').map((value) => `‘${value}’`);
}

/** A constant is an enum of one; null where any value will do. */
export function valuesOf(schema: JsonSchema): unknown[] | null {
  if ('const' in schema) return [schema.const];
  return Array.isArray(schema.enum) ? schema.enum : null;
}

function typesOf(schema: JsonSchema): string[] {
  if (Array.isArray(schema.type)) return schema.type as string[];
  if (typeof schema.type === 'string') return [schema.type];
  const values = valuesOf(schema);
  if (values !== null) return [...new Set(values.map((value) => (value === null ? 'null' : typeof value)))];
  return [schema.properties === undefined ? 'anything' : 'object'];
}
