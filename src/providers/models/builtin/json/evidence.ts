import { type Mentions, mentionsOf } from './mentions.ts';

/** What a value may be made from. */
export interface Evidence {
  /** The texts that may give values, the most telling first. */
  sources: Mentions[];
  /** Values by their name, from JSON among the texts; names in lower case, without `_`, `-` and spaces. */
  values: Map<string, unknown>;
  /** The answer in words, for fields that ask for one; null where there are none, as in arguments of tools. */
  answer: string | null;
}

const mostSources = 4;
/** Of long texts only so much is searched: every field of a schema looks through it. */
const searched = 4000;
const mostValues = 200;

export function evidenceOf(texts: string[], json: unknown[], answer: string | null): Evidence {
  const values = new Map<string, unknown>();
  for (const value of json) addValues(values, value, 0);
  const sources = [...new Set(texts)].filter((text) => text !== '').slice(0, mostSources);
  return { sources: sources.map((text) => mentionsOf(text.slice(0, searched))), values, answer };
}

/** The names of outer objects win over those of inner ones. */
function addValues(values: Map<string, unknown>, value: unknown, depth: number): void {
  if (typeof value !== 'object' || value === null || depth > 4) return;
  const entries = Object.entries(value).slice(0, mostValues);
  for (const [key, each] of entries) {
    const name = plainName(key);
    if (!Array.isArray(value) && !values.has(name) && values.size < mostValues) values.set(name, each);
  }
  for (const [, each] of entries) addValues(values, each, depth + 1);
}

export const plainName = (name: string): string => name.toLowerCase().replace(/[_\s-]/g, '');
