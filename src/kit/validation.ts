import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import type { TSchema } from 'typebox';
import { type ApiError, apiError, invalidParameter, invalidPayload, missingParameter } from '../errors.ts';
import type { UnionKeyword } from './union.ts';

export type Part = 'body' | 'query' | 'params';

type Check = (value: unknown) => ErrorObject[] | null;

/** Bodies are taken exactly as sent; path and query arrive as text and are converted. */
const engines = {
  body: engine(false),
  query: engine('array'),
  params: engine(true),
} as const;

function engine(coerceTypes: boolean | 'array'): Ajv {
  const ajv = new Ajv({ coerceTypes, useDefaults: false, strict: false, allErrors: false, messages: true });
  ajv.addKeyword({
    keyword: 'unionBy',
    errors: 'full',
    compile: (keyword: UnionKeyword) => unionCheck(ajv, keyword),
  });
  return ajv;
}

function unionCheck(ajv: Ajv, keyword: UnionKeyword) {
  const compiled = new Map<string, ValidateFunction>();
  const validate = (value: Record<string, unknown>, context?: { instancePath: string }): boolean => {
    const path = context?.instancePath ?? '';
    const fail = (error: Partial<ErrorObject>): boolean => {
      validate.errors = [{ schemaPath: '', params: {}, instancePath: path, keyword: 'unionBy', ...error }];
      return false;
    };
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return true;
    const kind = value[keyword.property] ?? keyword.fallback?.(value);
    if (kind === null || kind === undefined) {
      return fail({ keyword: 'required', params: { missingProperty: keyword.property } });
    }
    if (typeof kind !== 'string' || !Object.hasOwn(keyword.variants, kind)) {
      if (typeof kind === 'string' && keyword.unknown === 'keep') return true;
      const known = Object.keys(keyword.variants).join(', ');
      return fail({ instancePath: `${path}/${keyword.property}`, message: `must be one of: ${known}` });
    }
    let variant = compiled.get(kind);
    if (variant === undefined) {
      variant = ajv.compile(keyword.variants[kind] as TSchema);
      compiled.set(kind, variant);
    }
    if (variant(value)) return true;
    validate.errors = (variant.errors ?? []).map((e) => ({ ...e, instancePath: path + e.instancePath }));
    return false;
  };
  validate.errors = [] as Partial<ErrorObject>[];
  return validate;
}

/** Compiles on first use, so that start-up does not pay for operations nobody calls. */
export function validator(schema: TSchema, part: Part): (value: unknown) => void {
  let check: Check | undefined;
  return (value) => {
    check ??= compile(schema, part);
    const errors = check(value);
    if (errors !== null) throw validationError(errors, part);
  };
}

function compile(schema: TSchema, part: Part): Check {
  const validate = engines[part].compile(schema);
  return (value) => (validate(value) ? null : (validate.errors ?? []));
}

/** Checks a value that is part of a body, with its place in the body as prefix of the error's target. */
export function fieldValidator(schema: TSchema): (value: unknown, target: string) => void {
  let check: Check | undefined;
  return (value, target) => {
    check ??= compile(schema, 'body');
    const errors = check(value);
    if (errors !== null) throw validationError(errors, 'body', target);
  };
}

/** What says only that a branch was not meant. */
const vague = new Set(['type', 'enum', 'anyOf']);

/** Of a failed union's many complaints, the one that went deepest is about the branch the client meant. */
function mostTelling(errors: ErrorObject[]): ErrorObject {
  const [first, ...rest] = errors as [ErrorObject, ...ErrorObject[]];
  const weight = ({ instancePath, keyword }: ErrorObject) =>
    instancePath.length * 2 + (vague.has(keyword) ? 0 : 1);
  const deepest = rest.reduce((best, error) => (weight(error) > weight(best) ? error : best), first);
  const types = errors.filter((e) => e.keyword === 'type' && e.instancePath === deepest.instancePath);
  if (deepest.keyword !== 'type' || types.length < 2) return deepest;
  return { ...deepest, message: `must be ${[...new Set(types.map((e) => e.params.type))].join(' or ')}` };
}

function validationError(errors: ErrorObject[], part: Part, prefix = ''): ApiError {
  const error = mostTelling(errors);
  const path = prefix + targetOf(error.instancePath, prefix === '');
  if (error.keyword === 'required') {
    const name = String(error.params.missingProperty);
    return missingParameter(path === '' ? name : `${path}.${name}`);
  }
  const target = path === '' ? part : path;
  const message = `Invalid value for '${target}': ${explain(error)}.`;
  return part === 'body' ? invalidPayload(target, message) : invalidParameter(target, message);
}

function explain(error: ErrorObject): string {
  if (error.keyword === 'enum')
    return `must be one of: ${(error.params.allowedValues as string[]).join(', ')}`;
  if (error.keyword === 'additionalProperties') return `unknown field '${error.params.additionalProperty}'`;
  return error.message ?? 'not valid';
}

/** `/tools/0/name` as `tools[0].name`. */
function targetOf(instancePath: string, atStart: boolean): string {
  let target = '';
  for (const segment of instancePath.split('/').slice(1)) {
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    if (/^\d+$/.test(key)) target += `[${key}]`;
    else target += target === '' && atStart ? key : `.${key}`;
  }
  return target;
}

/** Whether a schema that a client sent is itself a valid JSON Schema. */
export function assertJsonSchema(schema: Record<string, unknown>, target: string): void {
  try {
    if (engines.body.validateSchema(withoutIdentity(schema)) === true) return;
  } catch {
    // A schema that the meta-schema cannot even be applied to is answered like any other invalid one.
  }
  throw apiError('invalid_payload', `'${target}' is not a valid JSON Schema.`, { target });
}

/**
 * Clients' schemas may name any dialect or id; neither is to be looked up or remembered. And with Ajv's own `$async`
 * a check would answer with a promise, which nobody waits for.
 */
export function withoutIdentity(schema: Record<string, unknown>): Record<string, unknown> {
  const { $schema: _dialect, $id: _id, $async: _async, ...rest } = schema;
  return rest;
}
