import fc from 'fast-check';
import { expect, test } from 'vitest';
import { checkFilter, passes } from './filter.ts';
import type { Attributes, Filter } from './search-index.ts';

const value = fc.oneof(
  fc.integer({ min: -2, max: 2 }),
  fc.constantFrom('', '0', '1', 'a', 'b', 'true'),
  fc.boolean(),
);
const key = fc.constantFrom('a', 'b', 'c', 'constructor');
const attributes = fc.dictionary(key, value) as fc.Arbitrary<Attributes>;
const listed = fc.array(
  value.filter((one) => typeof one !== 'boolean'),
  { maxLength: 3 },
);
const filter = fc.letrec<{ any: Filter }>((tie) => ({
  any: fc.oneof(
    { maxDepth: 4 },
    fc.record({ type: fc.constantFrom('eq', 'ne', 'gt', 'gte', 'lt', 'lte'), key, value }),
    fc.record({ type: fc.constantFrom('in', 'nin'), key, value: listed }),
    fc.record({ type: fc.constantFrom('and', 'or'), filters: fc.array(tie('any'), { maxLength: 3 }) }),
  ) as fc.Arbitrary<Filter>,
})).any;

/** By the words of the contract, one at a time. */
function naive(file: Attributes, one: Filter): boolean {
  if ('filters' in one) {
    const results = one.filters.map((inner) => naive(file, inner));
    return one.type === 'and' ? !results.includes(false) : results.includes(true);
  }
  const entry = Object.entries(file).find(([name]) => name === one.key);
  if (entry === undefined) return one.type === 'ne' || one.type === 'nin';
  const same = (other: unknown) => JSON.stringify(entry[1]) === JSON.stringify(other);
  if (one.type === 'in') return one.value.filter(same).length > 0;
  if (one.type === 'nin') return one.value.filter(same).length === 0;
  if (one.type === 'eq') return same(one.value);
  if (one.type === 'ne') return !same(one.value);
  if (typeof entry[1] !== typeof one.value) return false;
  const order = entry[1] === one.value ? 0 : entry[1] < one.value ? -1 : 1;
  return { gt: order > 0, gte: order >= 0, lt: order < 0, lte: order <= 0 }[one.type];
}

test('a filter passes what its words say', () => {
  fc.assert(
    fc.property(attributes, filter, (file, one) => {
      expect(passes(file, one)).toBe(naive(file, one));
    }),
    { numRuns: 2000 },
  );
});

test('a file without the key passes ne and nin only', () => {
  const types = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
  expect(types.filter((type) => passes({}, { type, key: 'year', value: 1 }))).toEqual(['ne']);
  expect(passes({}, { type: 'in', key: 'toString', value: ['x'] })).toBe(false);
  expect(passes({}, { type: 'nin', key: 'toString', value: ['x'] })).toBe(true);
});

test('a filter that is too deep or too long is refused', () => {
  let deep: Filter = { type: 'eq', key: 'a', value: 1 };
  for (let depth = 1; depth < 16; depth++) deep = { type: 'and', filters: [deep] };
  expect(() => checkFilter(deep)).not.toThrow();
  expect(() => checkFilter({ type: 'or', filters: [deep] })).toThrow('nested 16 deep');
  const filters = Array.from({ length: 257 }, (): Filter => ({ type: 'eq', key: 'a', value: 1 }));
  expect(() => checkFilter({ type: 'or', filters })).toThrow('compare 256 times');
  const value = new Array<number>(1001).fill(1);
  expect(() => checkFilter({ type: 'in', key: 'a', value })).toThrow('1000 values');
});
