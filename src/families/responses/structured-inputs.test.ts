import { expect, test } from 'vitest';
import { structuredValues, substitute } from './structured-inputs.ts';

const values = (declared: object, given: object, templates: unknown = '') =>
  Object.fromEntries(structuredValues(declared as never, given as never, templates));

test('given values come before defaults', () => {
  const declared = { a: { default_value: 1 }, b: { default_value: 2 } };
  expect(values(declared, { a: 3 })).toEqual({ a: 3, b: 2 });
});

test('what a template asks for need not be declared', () => {
  expect(values({}, { word: 'x' }, { tools: [{ ids: ['{{word}}'] }] })).toEqual({ word: 'x' });
});

test.each([
  [{ a: { required: true } }, {}, 'structured_inputs.a'],
  [{ a: {} }, { b: 1 }, 'structured_inputs.b'],
  [{ a: { schema: { type: 'string' } } }, { a: 1 }, 'structured_inputs.a'],
  [{ a: { schema: { type: 'nonsense' } } }, { a: 1 }, 'structured_inputs.a'],
  [{}, { constructor: 1 }, 'structured_inputs.constructor'],
])('%j given %j is refused', (declared, given, target) => {
  expect(() => values(declared, given)).toThrow(expect.objectContaining({ status: 400, target }));
});

test('a pattern that would take for ever is given up', () => {
  const declared = { a: { schema: { type: 'string', pattern: '^(a+)+$' } } };
  expect(values(declared, { a: 'aaa' })).toEqual({ a: 'aaa' });
  expect(() => values(declared, { a: `${'a'.repeat(40)}!` })).toThrow(
    expect.objectContaining({ status: 400, target: 'structured_inputs.a' }),
  );
});

test('placeholders are replaced in every text, and unknown ones stay', () => {
  const filled = new Map<string, unknown>([
    ['a', 'x'],
    ['n', { deep: [1] }],
  ]);
  expect(
    substitute({ one: 'a {{a}} {{ a }}', list: ['{{n}}', 5, null], other: '{{b}} {a}' }, filled),
  ).toEqual({
    one: 'a x x',
    list: ['{"deep":[1]}', 5, null],
    other: '{{b}} {a}',
  });
});

test('a value is not itself a template', () => {
  expect(
    substitute(
      '{{a}}',
      new Map<string, unknown>([
        ['a', '{{b}}'],
        ['b', 'x'],
      ]),
    ),
  ).toBe('{{b}}');
});
