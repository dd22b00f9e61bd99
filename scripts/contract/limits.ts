import type { Difference } from '../../src/kit/difference.ts';
import type { JsonSchema } from '../../src/openapi/plain-schema.ts';

const lower = ['minLength', 'minItems', 'minProperties', 'minimum', 'exclusiveMinimum'];
const upper = ['maxLength', 'maxItems', 'maxProperties', 'maximum', 'exclusiveMaximum'];

/** Any other value than before may refuse what was taken. */
const forms = ['pattern', 'format', 'multipleOf', 'uniqueItems'];

/** How the limits on what clients send have changed. */
export function limitDifferences(old: JsonSchema, now: JsonSchema, at: string): Difference[] {
  return [...lower, ...upper, ...forms]
    .filter((keyword) => old[keyword] !== now[keyword])
    .map((keyword) => ({
      rule: tightens(keyword, old[keyword], now[keyword]) ? 'tightened' : 'loosened',
      at,
      what: `${keyword} ${old[keyword] ?? 'not limited'} → ${now[keyword] ?? 'not limited'}`,
    }));
}

function tightens(keyword: string, was: unknown, is: unknown): boolean {
  if (is === undefined) return false;
  if (was === undefined || forms.includes(keyword)) return true;
  return lower.includes(keyword) ? Number(is) > Number(was) : Number(is) < Number(was);
}
