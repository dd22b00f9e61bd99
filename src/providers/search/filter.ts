import { invalidPayload } from '../../errors.ts';
import type { Attributes, Filter } from './search-index.ts';

export const deepestFilter = 16;
export const mostComparisons = 256;
export const mostFilterValues = 1000;

type Comparison = Exclude<Filter, Compound>;
type Compound = Extract<Filter, { filters: readonly Filter[] }>;

const isCompound = (filter: Filter): filter is Compound => filter.type === 'and' || filter.type === 'or';

/** Throws where a filter is nested too deep, or has too much in it. `target` is the field it was given in. */
export function checkFilter(filter: Filter, target = 'filters'): void {
  let comparisons = 0;
  const check = (one: Filter, depth: number): void => {
    if (depth > deepestFilter) throw invalidPayload(target, `May be nested ${deepestFilter} deep at most.`);
    if (isCompound(one)) {
      for (const inner of one.filters) check(inner, depth + 1);
      return;
    }
    if (++comparisons > mostComparisons) {
      throw invalidPayload(target, `May compare ${mostComparisons} times at most.`);
    }
    if ((one.type === 'in' || one.type === 'nin') && one.value.length > mostFilterValues) {
      throw invalidPayload(target, `A comparison may have ${mostFilterValues} values at most.`);
    }
  };
  check(filter, 1);
}

/**
 * Whether a file with these attributes passes. Values of different types are never equal, and neither is less than
 * the other; a file without the key passes `ne` and `nin` only.
 */
export function passes(attributes: Attributes, filter: Filter): boolean {
  if (isCompound(filter)) {
    const inner = (one: Filter): boolean => passes(attributes, one);
    return filter.type === 'and' ? filter.filters.every(inner) : filter.filters.some(inner);
  }
  return compares(Object.hasOwn(attributes, filter.key) ? attributes[filter.key] : undefined, filter);
}

function compares(value: Attributes[string] | undefined, filter: Comparison): boolean {
  switch (filter.type) {
    case 'eq':
      return value === filter.value;
    case 'ne':
      return value !== filter.value;
    case 'in':
      return filter.value.some((one) => one === value);
    case 'nin':
      return !filter.value.some((one) => one === value);
  }
  if (value === undefined || typeof value !== typeof filter.value) return false;
  switch (filter.type) {
    case 'gt':
      return value > filter.value;
    case 'gte':
      return value >= filter.value;
    case 'lt':
      return value < filter.value;
    case 'lte':
      return value <= filter.value;
  }
}
