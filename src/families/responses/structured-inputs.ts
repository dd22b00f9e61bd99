import { invalidPayload, missingParameter } from '../../errors.ts';
import { schemaFault } from '../../kit/schema-fault.ts';
import type { StructuredInput } from '../agents/definition.ts';

/** An agent's declared inputs, and what a request gave for them. */
export type StructuredInputs = Record<string, StructuredInput>;

const placeholder = /\{\{\s*([\w.-]{1,128})\s*\}\}/g;

/**
 * The values to substitute, by name: what the request gives, else the declared default. Throws for a missing required
 * one, one that does not fit its schema, and one that nothing asks for.
 */
export function structuredValues(
  declared: StructuredInputs,
  given: Record<string, unknown>,
  templates: unknown,
): Map<string, unknown> {
  // Without either there is nothing to check, and whatever looks like a placeholder is meant literally.
  if (Object.keys(declared).length === 0 && Object.keys(given).length === 0) return new Map();
  const asked = new Set([...Object.keys(declared), ...placeholdersIn(templates)]);
  for (const name of Object.keys(given)) {
    if (asked.has(name)) continue;
    const known = asked.size === 0 ? 'the agent declares none' : `there are ${[...asked].join(', ')}`;
    throw invalidPayload(
      `structured_inputs.${name}`,
      `No structured input '${name}' is asked for; ${known}.`,
    );
  }
  const values = new Map<string, unknown>();
  for (const name of asked) {
    const declaration = Object.hasOwn(declared, name) ? declared[name] : undefined;
    const value = Object.hasOwn(given, name) ? given[name] : declaration?.default_value;
    if (value === undefined) {
      if (declaration?.required) throw missingParameter(`structured_inputs.${name}`);
      continue;
    }
    if (declaration?.schema) checkValue(declaration.schema, value, name);
    values.set(name, value);
  }
  return values;
}

/** Puts values in the place of `{{name}}` in every text of a value. */
export function substitute<T>(template: T, values: ReadonlyMap<string, unknown>): T {
  if (values.size === 0) return template;
  if (typeof template === 'string') return substituteText(template, values) as T;
  if (Array.isArray(template)) return template.map((entry) => substitute(entry, values)) as T;
  if (typeof template !== 'object' || template === null) return template;
  return Object.fromEntries(
    Object.entries(template).map(([key, entry]) => [key, substitute(entry, values)]),
  ) as T;
}

/** Names with no value stay as they are written: they may be meant literally. */
const substituteText = (text: string, values: ReadonlyMap<string, unknown>): string =>
  text.replace(placeholder, (whole, name: string) => {
    const value = values.get(name);
    if (value === undefined) return whole;
    return typeof value === 'string' ? value : JSON.stringify(value);
  });

function placeholdersIn(template: unknown): string[] {
  if (typeof template === 'string') return [...template.matchAll(placeholder)].map(([, name = '']) => name);
  if (typeof template !== 'object' || template === null) return [];
  return Object.values(template).flatMap(placeholdersIn);
}

function checkValue(schema: Record<string, unknown>, value: unknown, name: string): void {
  let valid: boolean;
  try {
    valid = schemaFault(schema, value) === null;
  } catch {
    throw invalidPayload(`structured_inputs.${name}`, `The schema declared for '${name}' cannot be used.`);
  }
  if (!valid) {
    throw invalidPayload(
      `structured_inputs.${name}`,
      `The value given for '${name}' does not fit the schema that the agent declares for it.`,
    );
  }
}
