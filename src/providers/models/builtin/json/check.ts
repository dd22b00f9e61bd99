import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import { lastUsed } from '../../../../kit/last-used.ts';
import { withoutIdentity } from '../../../../kit/validation.ts';
import { withinTime } from '../../../../kit/within-time.ts';
import { matches, parsePattern } from './pattern.ts';
import type { Schema } from './schema.ts';

const longestSchema = 131_072;
const deepestSchema = 64;
const keptChecks = 64;
const checkMilliseconds = 1000;

/** Checks values against one schema: null when they fit, else what does not. */
export type Check = (value: unknown) => string | null;

const checks = lastUsed<Check | string>(keptChecks);

/** A check for `schema`, or what is wrong with the schema. Those last asked for are kept. */
export function checkOf(schema: Schema): Check | string {
  if (depthOf(schema, deepestSchema) > deepestSchema)
    return `it is nested deeper than ${deepestSchema} levels`;
  const text = JSON.stringify(schema);
  if (text.length > longestSchema) return `it is longer than ${longestSchema} characters`;
  return checks(text, () => compiled(schema));
}

function depthOf(value: unknown, limit: number): number {
  if (typeof value !== 'object' || value === null || limit < 0) return 0;
  let deepest = 0;
  for (const each of Object.values(value)) deepest = Math.max(deepest, depthOf(each, limit - 1));
  return deepest + 1;
}

function compiled(schema: Schema): Check | string {
  try {
    const engine = new Ajv2020({
      strict: false,
      validateSchema: false,
      validateFormats: false,
      inlineRefs: false,
      logger: false,
      code: { regExp: boundedRegExp, optimize: false },
    });
    const validate = withinTime(checkMilliseconds, () => engine.compile(withoutIdentity(schema)));
    return (value) => verdict(validate, value);
  } catch (error) {
    return error instanceof Error ? error.message.slice(0, 300) : 'it cannot be read';
  }
}

function verdict(validate: ValidateFunction, value: unknown): string | null {
  try {
    if (withinTime(checkMilliseconds, () => validate(value)) === true) return null;
  } catch {
    return 'it refers to itself without end, or takes too long to check';
  }
  const [error] = validate.errors ?? [];
  return `${error?.instancePath || 'the value'} ${error?.message ?? 'does not fit'}`.slice(0, 300);
}

/** JavaScript's own engine can be kept busy for ever by a pattern; this one stops. */
const boundedRegExp = Object.assign(
  (source: string) => {
    const pattern = parsePattern(source);
    if (pattern === null)
      throw new Error(`the pattern ${JSON.stringify(source.slice(0, 80))} is not understood`);
    // Ajv takes expressions with the same text for the same.
    return { test: (text: string) => matches(pattern, text), toString: () => source };
  },
  { code: 'boundedRegExp' },
);
