import { invalidPayload, missingParameter } from '../../errors.ts';
import { isRecord } from '../../kit/record.ts';
import type { Filter } from './search-index.ts';

export const mostFilterDepth = 8;
export const mostFilters = 256;
export const mostListed = 256;
export const longestKey = 64;
export const longestValue = 512;

const comparisons = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte'] as const;
const lists = ['in', 'nin'] as const;
const compounds = ['and', 'or'] as const;
const operators = [...comparisons, ...lists, ...compounds];
const isOneOf = <const T extends string>(values: readonly T[], value: unknown): value is T =>
  (values as readonly unknown[]).includes(value);

/** A filter over attributes as clients write it. Throws about the place of what is wrong: `filters.filters[2].type`. */
export function parseFilter(value: unknown, target: string): Filter {
  let left = mostFilters;
  const parse = (given: unknown, place: string, depth: number): Filter => {
    if (!isRecord(given)) throw invalidPayload(place, `Invalid value for '${place}': must be an object.`);
    if (depth > mostFilterDepth) {
      throw invalidPayload(place, `Filters may be nested ${mostFilterDepth} deep; '${place}' is deeper.`);
    }
    if (--left < 0) throw invalidPayload(target, `A filter may have ${mostFilters} parts at most.`);
    const { type } = given;
    if (type === undefined) throw missingParameter(`${place}.type`);
    if (isOneOf(compounds, type)) {
      const { filters } = given;
      if (filters === undefined) throw missingParameter(`${place}.filters`);
      if (!Array.isArray(filters) || filters.length === 0) {
        throw invalidPayload(`${place}.filters`, `'${place}.filters' must be a list of filters, not empty.`);
      }
      return { type, filters: filters.map((each, i) => parse(each, `${place}.filters[${i}]`, depth + 1)) };
    }
    if (isOneOf(comparisons, type)) {
      const key = keyOf(given, place);
      return { type, key, value: scalarOf(given.value, `${place}.value`, true) };
    }
    if (isOneOf(lists, type)) {
      const key = keyOf(given, place);
      return { type, key, value: listOf(given.value, `${place}.value`) };
    }
    const named = typeof type === 'string' ? `'${type.slice(0, 64)}'` : 'that';
    throw invalidPayload(
      `${place}.type`,
      `There is no operator ${named} at '${place}.type'; there are ${operators.join(', ')}.`,
    );
  };
  return parse(value, target, 1);
}

function keyOf({ key }: Record<string, unknown>, place: string): string {
  if (key === undefined) throw missingParameter(`${place}.key`);
  if (typeof key === 'string' && key !== '' && key.length <= longestKey) return key;
  throw invalidPayload(`${place}.key`, `'${place}.key' must be a text of 1 to ${longestKey} characters.`);
}

function listOf(value: unknown, place: string): (string | number)[] {
  if (value === undefined) throw missingParameter(place);
  if (!Array.isArray(value) || value.length === 0 || value.length > mostListed) {
    throw invalidPayload(place, `'${place}' must be a list of 1 to ${mostListed} texts or numbers.`);
  }
  return value.map((each: unknown, i) => scalarOf(each, `${place}[${i}]`, false));
}

function scalarOf(value: unknown, place: string, takesBoolean: true): string | number | boolean;
function scalarOf(value: unknown, place: string, takesBoolean: false): string | number;
function scalarOf(value: unknown, place: string, takesBoolean: boolean): string | number | boolean {
  if (value === undefined) throw missingParameter(place);
  if (typeof value === 'string' && value.length <= longestValue) return value;
  if (typeof value === 'number' && Number.isFinite(value)) return value;
  if (typeof value === 'boolean' && takesBoolean) return value;
  const kinds = takesBoolean ? 'a number, a boolean or a text' : 'a number or a text';
  throw invalidPayload(place, `'${place}' must be ${kinds} of at most ${longestValue} characters.`);
}
