import type { ErrorObject, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { lastUsed } from './last-used.ts';
import { withoutIdentity } from './validation.ts';
import { withinTime } from './within-time.ts';

const checkMilliseconds = 100;
/** It is work of a known size, which a busy machine may need some time for. */
const compileMilliseconds = 1000;
const keptSchemas = 64;
const longestKept = 131_072;

const validators = lastUsed<ValidateFunction>(keptSchemas);

/**
 * Why a value does not fit a schema that a client gave, with the place, such as `/date must be string`; null where it
 * fits. Formats are not checked. Throws where the schema cannot be used, or takes too long.
 */
export function schemaFault(schema: Record<string, unknown>, value: unknown): string | null {
  const validate = compiled(schema);
  // Patterns may take for ever, and so may references that double at each step.
  if (withinTime(checkMilliseconds, () => validate(value)) === true) return null;
  const [error] = validate.errors ?? [];
  return error === undefined ? 'does not fit its schema' : explained(error);
}

/** Throws where a schema cannot be used: it refers to what it does not have. */
export function assertUsableSchema(schema: Record<string, unknown>): void {
  compiled(schema);
}

function compiled(schema: Record<string, unknown>): ValidateFunction {
  const text = JSON.stringify(schema);
  return text.length > longestKept ? compile(schema) : validators(text, () => compile(schema));
}

/** By an engine of its own: schemas come from clients, and a shared one would remember them for ever. */
function compile(schema: Record<string, unknown>): ValidateFunction {
  const engine = new Ajv2020({ strict: false, validateFormats: false, meta: false, validateSchema: false });
  return withinTime(compileMilliseconds, () => engine.compile(withoutIdentity(schema)));
}

function explained({ instancePath, message, params }: ErrorObject): string {
  const more = params.additionalProperty ?? params.allowedValues?.join(', ');
  return `${instancePath} ${message}${more === undefined ? '' : ` (${more})`}`.trim();
}
