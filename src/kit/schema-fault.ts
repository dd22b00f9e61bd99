import { runInNewContext } from 'node:vm';
import { Ajv, type ErrorObject } from 'ajv';
import { withoutIdentity } from './validation.ts';

const patternMilliseconds = 100;

/**
 * Why a value does not fit a schema that a client gave, with the place, such as `/date must be string`; null where it
 * fits. Throws where the schema cannot be used.
 */
export function schemaFault(schema: Record<string, unknown>, value: unknown): string | null {
  // One of its own each time: schemas come from clients, and a shared one would remember them for ever.
  const validate = new Ajv({ strict: false, validateFormats: false }).compile(withoutIdentity(schema));
  if (bounded(schema, () => validate(value))) return null;
  const [error] = validate.errors ?? [];
  return error === undefined ? 'does not fit its schema' : explained(error);
}

/** Patterns come from clients and may take for ever; interrupted, they count as a schema that can't be used. */
function bounded(schema: object, check: () => unknown): boolean {
  if (!JSON.stringify(schema).includes('"pattern')) return check() === true;
  return runInNewContext('check()', { check }, { timeout: patternMilliseconds }) === true;
}

function explained({ instancePath, message, params }: ErrorObject): string {
  const more = params.additionalProperty ?? params.allowedValues?.join(', ');
  return `${instancePath} ${message}${more === undefined ? '' : ` (${more})`}`.trim();
}
