import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ApiError } from '../../errors.ts';
import { mostFilterDepth, mostFilters, parseFilter } from './parse-filter.ts';
import type { Filter } from './search-index.ts';

const refusal = (value: unknown): ApiError => {
  try {
    parseFilter(value, 'filters');
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('It was taken.');
};

const key = fc.string({ minLength: 1, maxLength: 64 });
const number = fc.double({ noNaN: true, noDefaultInfinity: true });
const text = fc.string({ maxLength: 512 });
const scalar = fc.oneof(number, text, fc.boolean());
const { filter } = fc.letrec<{ filter: Filter }>((tie) => ({
  filter: fc.oneof(
    { maxDepth: mostFilterDepth - 1, depthSize: 'small' },
    fc.record({ type: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte'), key, value: scalar }),
    fc.record({
      type: fc.constantFrom('in', 'nin'),
      key,
      value: fc.array(fc.oneof(number, text), { minLength: 1, maxLength: 5 }),
    }),
    fc.record({
      type: fc.constantFrom('and', 'or'),
      filters: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }),
    }),
  ),
}));
const sizeOf = (one: Filter): number =>
  'filters' in one ? one.filters.reduce((sum, each) => sum + sizeOf(each), 1) : 1;

describe('any filter', () => {
  test('that is well-formed is taken as it is', () => {
    fc.assert(
      fc.property(filter, (given) => {
        fc.pre(sizeOf(given) <= mostFilters);
        expect(parseFilter(given, 'filters')).toEqual(given);
      }),
    );
  });

  test('that is not is refused, with a place in it', () => {
    fc.assert(
      fc.property(fc.anything({ maxDepth: 6 }), (given) => {
        const error = refusal(given);
        expect(error.status).toBe(400);
        expect(error.target).toMatch(/^filters/);
      }),
    );
  });

  test('with one broken part is refused', () => {
    const broken = fc.constantFrom<unknown>(null, 7, 'eq', [], {}, { type: 'like', key: 'k', value: 1 });
    fc.assert(
      fc.property(filter, broken, (good, bad) => {
        fc.pre(sizeOf(good) < 100);
        expect(refusal({ type: 'and', filters: [good, bad] }).target).toMatch(/^filters/);
      }),
    );
  });
});

test.each<[string, unknown, string]>([
  ['an operator', { type: 'like', key: 'k', value: 'v' }, 'filters.type'],
  ['a key', { type: 'eq', value: 'v' }, 'filters.key'],
  ['a value', { type: 'eq', key: 'k' }, 'filters.value'],
  ['a list as value', { type: 'eq', key: 'k', value: [1] }, 'filters.value'],
  ['no list where one is needed', { type: 'in', key: 'k', value: 'v' }, 'filters.value'],
  ['a boolean in a list', { type: 'nin', key: 'k', value: [1, true] }, 'filters.value[1]'],
  ['no filters', { type: 'and', filters: [] }, 'filters.filters'],
  [
    'a filter within',
    {
      type: 'or',
      filters: [
        { type: 'eq', key: 'k', value: 1 },
        { type: 'and', filters: [{ type: 'x' }] },
      ],
    },
    'filters.filters[1].filters[0].type',
  ],
])('%s that is wrong is named by its place', (_, given, target) => {
  expect(refusal(given).target).toBe(target);
});

test('an unknown operator is named, and those that there are', () => {
  expect(refusal({ type: 'like', key: 'k', value: 'v' }).message).toMatch(/'like'.*eq, ne.*and, or/);
});

test('depth and size are bounded, however deep and large it is', () => {
  const leaf = { type: 'eq', key: 'k', value: 1 };
  const nested = (depth: number): object =>
    depth === 1 ? leaf : { type: 'and', filters: [nested(depth - 1)] };
  expect(parseFilter(nested(mostFilterDepth), 'filters')).toEqual(nested(mostFilterDepth));
  expect(refusal(nested(mostFilterDepth + 1)).target).toBe(`filters${'.filters[0]'.repeat(mostFilterDepth)}`);
  expect(refusal(nested(5000)).message).toContain('deep');
  const wide = (parts: number) => ({ type: 'or', filters: Array(parts - 1).fill(leaf) });
  expect(parseFilter(wide(mostFilters), 'filters')).toEqual(wide(mostFilters));
  expect(refusal(wide(mostFilters + 1)).message).toContain(String(mostFilters));
});
