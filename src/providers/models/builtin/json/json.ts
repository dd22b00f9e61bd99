import { apiError } from '../../../../errors.ts';
import { checkOf } from './check.ts';
import type { Evidence } from './evidence.ts';
import { fill } from './fill.ts';
import type { Schema } from './schema.ts';

const mostVariants = 18;

export interface JsonTarget {
  schema: Schema;
  /** Name of the schema or the function, which also tells what is wanted. */
  name: string;
  /** What to say of it in errors: `the tool 'get_weather'`. */
  title: string;
  /** The field of the request that holds the schema. */
  target: string;
}

/**
 * A value that fits the schema, as much of it as possible from the evidence. Throws `unprocessable` when none is
 * found in a bounded search: the schema contradicts itself or is too involved.
 */
export function jsonFor(to: JsonTarget, evidence: Evidence): unknown {
  const check = checkOf(to.schema);
  if (typeof check === 'string') {
    throw apiError('unprocessable', `The schema of ${to.title} cannot be used: ${check}.`, {
      target: to.target,
    });
  }
  let fault: string | null = null;
  for (let variant = 0; variant < mostVariants; variant++) {
    const { value } = fill(to.schema, to.name, evidence, variant);
    const found = check(value);
    if (found === null) return value;
    fault ??= found;
  }
  throw apiError(
    'unprocessable',
    `The builtin model finds no JSON that fits the schema of ${to.title}: ${fault}. ` +
      'Simplify the schema, or script the reply with a scenario.',
    { target: to.target },
  );
}

/** `text` as JSON that fits `schema`; undefined when it is none. */
export function givenJson(text: string, schema: Schema): unknown {
  const value = parsedJson(text);
  if (value === undefined) return undefined;
  const check = checkOf(schema);
  return typeof check !== 'string' && check(value) === null ? value : undefined;
}

/** What `text` holds as JSON; undefined when it is none. */
export function parsedJson(text: string): unknown {
  const start = text.trimStart().charAt(0);
  if (start !== '{' && start !== '[') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
