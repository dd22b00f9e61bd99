import { Ajv2020 } from 'ajv/dist/2020.js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError } from '../../../../errors.ts';
import { evidenceOf } from './evidence.ts';
import { jsonFor } from './json.ts';
import type { Schema } from './schema.ts';

const write = (schema: Schema, text: string): unknown =>
  jsonFor(
    { schema, name: 'test', title: 'the test', target: 'schema' },
    evidenceOf([text], [], 'An answer.'),
  );

const texts = fc.oneof(
  fc.string({ maxLength: 200 }),
  fc.constantFrom(
    'Alice and Bob meet in Paris on November 7, 2025 at 3pm for $20: eggs, milk and bread.',
    'name: "X", count 3, not active, mail a@b.co, https://a.b/c #A-12 i am an aquarius',
  ),
);
const key = fc.oneof(
  fc.constantFrom('name', 'date', 'city', 'email', 'count', 'active', 'tags', 'answer', 'order_id', 'query'),
  fc.string({ maxLength: 12 }).filter((name) => name !== '__proto__'),
);

/** Schemas that can be satisfied, with whatever bounds. */
const { schema: satisfiable } = fc.letrec<{ schema: Schema }>((tie) => ({
  schema: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    fc.record(
      { type: fc.constant('string'), minLength: fc.nat(5), maxLength: fc.integer({ min: 5, max: 30 }) },
      { requiredKeys: ['type'] },
    ),
    fc.record({
      type: fc.constant('string'),
      pattern: fc.constantFrom(
        '^[A-Z]{2,4}-\\d+$',
        '^(foo|bar)(-[a-z]+)?$',
        '[0-9a-f]{8}',
        '^\\+?\\d{7,12}$',
        '^\\S+@\\S+\\.[a-z]{2,}$',
        '^(a+)+$',
        '^.{3,9}$',
      ),
    }),
    fc.record({
      type: fc.constant('string'),
      format: fc.constantFrom('date', 'date-time', 'time', 'email', 'uri', 'uuid', 'ipv4', 'strange'),
    }),
    fc
      .record({
        type: fc.constantFrom('integer', 'number'),
        minimum: fc.integer({ min: -50, max: 50 }),
        span: fc.nat(40),
      })
      .map(({ span, ...rest }) => ({ ...rest, maximum: rest.minimum + span })),
    fc.record({ type: fc.constant('integer'), multipleOf: fc.integer({ min: 1, max: 9 }) }),
    fc.constantFrom<Schema>({ type: 'boolean' }, { type: 'null' }, {}, { const: { a: 1 } }),
    fc
      .uniqueArray(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { minLength: 1, maxLength: 5 })
      .map((values) => ({
        enum: values,
      })),
    fc
      .record({ items: tie('schema'), minItems: fc.nat(3), more: fc.nat(3) })
      .map(({ more, ...rest }) => ({ type: 'array', ...rest, maxItems: rest.minItems + more })),
    fc
      .uniqueArray(fc.tuple(key, tie('schema'), fc.boolean()), { maxLength: 4, selector: ([name]) => name })
      .map((properties) => ({
        type: 'object',
        properties: Object.fromEntries(properties.map(([name, schema]) => [name, schema])),
        required: properties.filter(([, , required]) => required).map(([name]) => name),
        additionalProperties: false,
      })),
    fc.array(tie('schema'), { minLength: 1, maxLength: 3 }).map((anyOf) => ({ anyOf })),
    tie('schema').map((schema) => ({ anyOf: [schema, { type: 'null' }] })),
    tie('schema').map((schema) => ({ allOf: [schema] })),
  ),
}));

test('every value fits its schema, parses, and is the same each time', () => {
  const ajv = new Ajv2020({ strict: false, validateFormats: false });
  fc.assert(
    fc.property(satisfiable, texts, (schema, text) => {
      const value = write(schema, text);
      expect(JSON.parse(JSON.stringify(value))).toEqual(value);
      expect(ajv.validate(schema, value), JSON.stringify(value)).toBe(true);
      expect(write(schema, text)).toEqual(value);
    }),
    { numRuns: 200 },
  );
});

const keywords = [
  '$ref allOf anyOf oneOf not if then else type enum const properties required additionalProperties patternProperties',
  'items prefixItems contains minItems maxItems uniqueItems minProperties propertyNames dependentRequired',
  'minLength maxLength pattern format minimum maximum exclusiveMinimum multipleOf $defs default examples title',
]
  .join(' ')
  .split(' ');
const { wild } = fc.letrec<{ wild: unknown }>((tie) => ({
  wild: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom<unknown>(
      '#',
      '#/$defs/a',
      '#/properties/a',
      '^(a|a)*b$',
      '(?<=x)y',
      'string',
      'object',
      'array',
      true,
      false,
    ),
    fc.constantFrom<unknown>(null, 0, -1, 3, 1e9, 0.1, Number.MAX_VALUE),
    fc.array(tie('wild'), { maxLength: 3 }),
    fc.dictionary(fc.oneof(fc.constantFrom(...keywords), fc.constantFrom('a', 'b')), tie('wild'), {
      maxKeys: 4,
    }),
  ),
}));

test('wild schemas end, and fail with nothing but an error of the catalogue', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.constantFrom(...keywords), wild, { maxKeys: 5 }), texts, (schema, text) => {
      try {
        JSON.stringify(write(schema, text));
      } catch (error) {
        if (!(error instanceof ApiError)) throw error;
        expect(error.code).toBe('unprocessable');
      }
    }),
    { numRuns: 500 },
  );
});

const nested = (depth: number): Schema =>
  depth === 0 ? { type: 'string' } : { items: nested(depth - 1), type: 'array' };
const tree = {
  type: 'object',
  properties: { left: { $ref: '#' }, right: { $ref: '#' } },
  required: ['left', 'right'],
};

test.each<[string, Schema, string]>([
  ['a tree without leaves', tree, ''],
  ['too deep a schema', nested(500), ''],
  ['too long a schema', { enum: ['x'.repeat(300_000)] }, ''],
  ['a huge text', { type: 'string', minLength: 1e9 }, ''],
  ['a huge list', { type: 'array', items: { type: 'string' }, minItems: 1e9 }, ''],
  [
    'a pattern that backtracks for ever',
    { type: 'string', pattern: '^(([a-z])+.)+[A-Z]([a-z])+$', maxLength: 1 },
    'a'.repeat(4000),
  ],
])('%s is refused', (_what, schema, text) => {
  expect(() => write(schema, text)).toThrow(ApiError);
});

test('alternatives that grow with every level end', () => {
  const branches = (depth: number): Schema =>
    depth === 0
      ? { type: 'string' }
      : {
          anyOf: Array.from({ length: 8 }, () => ({
            type: 'array',
            items: branches(depth - 1),
            minItems: 1,
          })),
        };
  expect(write(branches(3), 'hello')).toEqual([[['hello']]]);
});
