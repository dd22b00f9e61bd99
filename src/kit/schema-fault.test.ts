import { expect, test } from 'vitest';
import { assertUsableSchema, schemaFault } from './schema-fault.ts';

test('a fault is told with its place', () => {
  const schema = { type: 'object', properties: { date: { type: 'string' } }, additionalProperties: false };
  expect(schemaFault(schema, { date: 'today' })).toBeNull();
  expect(schemaFault(schema, { date: 1 })).toBe('/date must be string');
  expect(schemaFault(schema, { day: 1 })).toBe('must NOT have additional properties (day)');
});

test.each([
  [{ type: 'array', prefixItems: [{ type: 'string' }] }, [1]],
  [{ type: 'object', dependentRequired: { a: ['b'] } }, { a: 1 }],
  [{ type: 'object', properties: { a: true }, unevaluatedProperties: false }, { b: 1 }],
])('keywords of the 2020 dialect are checked: %j', (schema, value) => {
  expect(schemaFault(schema, value)).not.toBeNull();
});

test('a schema that asks for an asynchronous check is checked like any other', () => {
  expect(schemaFault({ $async: true, type: 'object', required: ['a'] }, {})).toBe(
    "must have required property 'a'",
  );
});

test('references that double at each step, and patterns that never end, are given up', () => {
  const $defs: Record<string, object> = { d40: { type: 'object' } };
  for (let i = 0; i < 40; i++) {
    const next = { $ref: `#/$defs/d${i + 1}` };
    $defs[`d${i}`] = { allOf: [next, next] };
  }
  expect(() => schemaFault({ $defs, $ref: '#/$defs/d0' }, {})).toThrow('timed out');
  expect(() => schemaFault({ type: 'string', pattern: '^(a+)+$' }, `${'a'.repeat(60)}!`)).toThrow(
    'timed out',
  );
});

test('a schema that refers to what it does not have cannot be used', () => {
  expect(() => assertUsableSchema({ $ref: '#/$defs/gone' })).toThrow();
});
