import { describe, expect, test } from 'vitest';
import { grammarSchema } from './grammar-schema.ts';

const of = (schema: Record<string, unknown>) => grammarSchema(schema, 'text.format');

test('objects have all their properties, also those that are only required, and nothing else', () => {
  expect(
    of({
      title: 'Person',
      properties: { name: { type: 'string', maxLength: 5, title: 'Name' }, age: { type: 'integer' } },
      required: ['name', 'other'],
    }),
  ).toEqual({
    schema: {
      type: 'object',
      properties: {
        name: { type: 'string', maxLength: 5 },
        age: { type: 'integer' },
        other: {
          oneOf: [
            { type: ['string', 'number', 'boolean', 'null'] },
            { type: 'object', additionalProperties: true },
            { type: 'array' },
          ],
        },
      },
    },
    unenforced: [],
  });
});

test('choices, definitions and recursion', () => {
  const { schema } = of({
    type: 'object',
    properties: {
      value: { type: ['string', 'null'] },
      kind: { enum: ['a', 1, null] },
      next: { anyOf: [{ $ref: '#' }, { $ref: '#/definitions/End' }] },
      one: { allOf: [{ const: 7 }] },
    },
    additionalProperties: false,
    definitions: { End: { type: 'null' } },
  });
  expect(schema).toMatchObject({
    properties: {
      value: { oneOf: [{ type: 'string' }, { type: 'null' }] },
      kind: { enum: ['a', 1, null] },
      next: { oneOf: [{ $ref: '#/$defs/bloomery-root' }, { $ref: '#/$defs/End' }] },
      one: { const: 7 },
    },
    $defs: { End: { type: 'null' }, 'bloomery-root': { type: 'object' } },
  });
});

test('lists', () => {
  expect(of({ type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 3 }).schema).toEqual({
    ...{ type: 'array', items: { type: 'number' }, minItems: 1, maxItems: 3 },
  });
  expect(of({ prefixItems: [{ type: 'number' }], items: false }).schema).toEqual({
    type: 'array',
    prefixItems: [{ type: 'number' }],
    maxItems: 1,
  });
});

test('what a grammar cannot enforce is named with its place, and told to the model', () => {
  const { schema, unenforced } = of({
    type: 'object',
    properties: {
      age: { type: 'integer', minimum: 0, description: 'In years.' },
      mail: { type: 'string', format: 'email' },
      day: { type: 'string', format: 'date' },
      long: { type: 'string', maxLength: 100_000 },
      tags: { type: 'array', items: { type: 'string', pattern: '^a' }, uniqueItems: true },
    },
    additionalProperties: false,
    not: {},
  });
  expect(unenforced.toSorted()).toEqual([
    '$.age: minimum',
    '$.long: maxLength',
    '$.mail: format',
    '$.tags: uniqueItems',
    '$.tags[]: pattern',
    '$: not',
  ]);
  expect(schema).toMatchObject({
    properties: {
      age: { description: 'In years. (minimum: 0)' },
      mail: { description: '(format: "email")' },
      day: { type: 'string', format: 'date' },
    },
  });
});

describe('refuses by name', () => {
  let deep: Record<string, unknown> = { type: 'string' };
  for (let level = 0; level < 40; level++) deep = { type: 'array', items: deep };
  test.each([
    ['refers to', { $ref: 'https://elsewhere/schema' }],
    ['refers to', { $ref: '#/$defs/missing' }],
    ['plain values only', { enum: [[1]] }],
    ['too large', deep],
    ['too large', { type: 'array', prefixItems: Array.from({ length: 6000 }, () => ({ type: 'null' })) }],
    ['cannot be made of', { type: 'array', items: 'string' }],
  ])('%s: %j', (message, schema) => {
    expect(() => of(schema)).toThrow(
      expect.objectContaining({ target: 'text.format', message: expect.stringContaining(message) }),
    );
  });
});
