import { isRecord } from '../../../kit/record.ts';
import type { Node, References } from './references.ts';

const mostNodes = 2000;
const deepest = 10;

/** Of what a schema may say, that which tells a model how to fill it in. */
const kept = new Set([
  'type',
  'format',
  'enum',
  'const',
  'default',
  'title',
  'description',
  'required',
  'minimum',
  'maximum',
  'multipleOf',
  'minLength',
  'maxLength',
  'pattern',
  'minItems',
  'maxItems',
  'uniqueItems',
  'minProperties',
  'maxProperties',
]);
const subschema = new Set(['items', 'additionalProperties', 'not']);
const subschemas = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);

export type ModelSchema = (schema: unknown, target: string) => Node;

/**
 * Makes OpenAPI schemas plain JSON Schema without references, so that any model takes them. Circles are cut where they
 * close; beyond 2000 nodes, or 10 levels, anything goes, and the API itself judges.
 */
export function modelSchema(references: References): ModelSchema {
  let left = mostNodes;

  const convert = (given: unknown, place: string, within: ReadonlySet<Node>): unknown => {
    if (typeof given === 'boolean') return given;
    const { node, target } = references.resolve(given, place);
    left--;
    if (within.has(node) || within.size >= deepest || left <= 0) return withoutInside(node);
    const inside = new Set(within).add(node);
    const schema: Node = {};
    for (const [key, value] of Object.entries(node)) {
      const at = `${target}.${key}`;
      if (kept.has(key)) schema[key] = value;
      else if (subschema.has(key)) schema[key] = convert(value, at, inside);
      else if (subschemas.has(key) && Array.isArray(value)) {
        schema[key] = value.slice(0, Math.max(1, left)).map((one, i) => convert(one, `${at}[${i}]`, inside));
      } else if (key === 'properties' && isRecord(value)) {
        schema.properties = properties(value, at, inside);
      }
    }
    limits(node, schema);
    dropReadOnly(node, schema);
    if (node.nullable === true) return nullable(schema);
    return schema;
  };

  const properties = (given: Node, place: string, within: ReadonlySet<Node>): Node => {
    const converted: [string, unknown][] = [];
    for (const [name, value] of Object.entries(given)) {
      if (left <= 0) break;
      const { node } = references.resolve(value, `${place}.${name}`);
      if (node.readOnly !== true) converted.push([name, convert(value, `${place}.${name}`, within)]);
    }
    return Object.fromEntries(converted);
  };

  return (schema, target) => {
    const converted = convert(schema, target, new Set());
    return isRecord(converted) ? converted : {};
  };
}

function withoutInside(node: Node): Node {
  const { type, title, description } = node;
  return {
    ...(type === undefined ? {} : { type }),
    ...(title === undefined ? {} : { title }),
    ...(description === undefined ? {} : { description }),
    ...(type === 'array' ? { items: {} } : {}),
  };
}

/** OpenAPI 3.0 says with a boolean what JSON Schema says with the number. */
function limits(node: Node, schema: Node): void {
  for (const [exclusive, inclusive] of [
    ['exclusiveMinimum', 'minimum'],
    ['exclusiveMaximum', 'maximum'],
  ] as const) {
    const value = node[exclusive];
    if (typeof value === 'number') schema[exclusive] = value;
    else if (value === true && typeof node[inclusive] === 'number') {
      schema[exclusive] = node[inclusive];
      delete schema[inclusive];
    }
  }
}

/** What only the API sets is not asked of the model. */
function dropReadOnly(node: Node, schema: Node): void {
  if (!Array.isArray(schema.required) || !isRecord(schema.properties) || !isRecord(node.properties)) return;
  const { properties } = schema;
  const gone = new Set(Object.keys(node.properties).filter((name) => !Object.hasOwn(properties, name)));
  schema.required = schema.required.filter((name) => !gone.has(String(name)));
}

function nullable(schema: Node): Node {
  if (typeof schema.type !== 'string') return schema;
  const allowed = Array.isArray(schema.enum) ? { enum: [...schema.enum, null] } : {};
  return { ...schema, ...allowed, type: [schema.type, 'null'] };
}
