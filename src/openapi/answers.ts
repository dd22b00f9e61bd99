import type { Operation, Wire } from '../kit/operation.ts';
import type { JsonSchema } from './plain-schema.ts';

const text = { type: 'string' };
const maybeText = { type: ['string', 'null'] };

const errorFields = {
  code: { ...text, description: 'Stable; what to branch on.' },
  message: { ...text, description: 'For people.' },
  target: { ...maybeText, description: 'The field, parameter or header at fault.' },
  param: { ...maybeText, description: 'The same by the name that OpenAI clients know.' },
  details: {
    type: 'array',
    items: {
      type: 'object',
      required: ['code', 'message'],
      properties: { code: text, message: text, target: maybeText },
    },
  },
  additionalInfo: {
    type: 'object',
    required: ['request_id'],
    properties: { request_id: { ...text, description: 'The same as the header x-request-id.' } },
  },
};

const errorRequired = ['code', 'message', 'target', 'param', 'details', 'additionalInfo'];

const envelope = (properties: JsonSchema, required: string[]): JsonSchema => ({
  type: 'object',
  required: ['error'],
  properties: { error: { type: 'object', required, properties } },
});

export const errorSchemas: Record<string, JsonSchema> = {
  FoundryError: envelope({ ...errorFields, type: text }, errorRequired),
  OpenAIError: envelope({ ...errorFields, type: text }, [...errorRequired, 'type']),
};

const errorHeaders: JsonSchema = {
  'x-request-id': {
    required: true,
    description: 'The id of the request, which the server logs too.',
    schema: text,
  },
  'Retry-After': { description: 'How many seconds to wait before trying again.', schema: text },
  'x-should-retry': { description: 'Whether the same request may succeed later.', schema: text },
};

const errorResponse = (schema: string, description: string): JsonSchema => ({
  description,
  headers: errorHeaders,
  content: { 'application/json': { schema: { $ref: `#/components/schemas/${schema}` } } },
});

export const errorResponses: Record<string, JsonSchema> = {
  FoundryError: errorResponse('FoundryError', 'The request was refused, or has failed.'),
  OpenAIError: errorResponse('OpenAIError', 'The request was refused, or has failed.'),
  FoundryNotImplemented: errorResponse('FoundryError', 'Part of the API, but not built here yet.'),
  OpenAINotImplemented: errorResponse('OpenAIError', 'Part of the API, but not built here yet.'),
};

const halfOf = (wire: Wire): string => (wire === 'openai' ? 'OpenAI' : 'Foundry');
const response = (name: string): JsonSchema => ({ $ref: `#/components/responses/${name}` });

/** The answers of an operation by status; `result` is the schema of its JSON. */
export function answersOf(operation: Operation, result: JsonSchema | null): JsonSchema {
  const { wire, status = 200, answersCreated, notBuilt } = operation;
  const half = halfOf(wire);
  if (notBuilt) return { 501: response(`${half}NotImplemented`), default: response(`${half}Error`) };
  const success = successOf(operation, result);
  return {
    [status]: success,
    ...(answersCreated ? { 201: { ...success, description: 'Made.' } } : {}),
    default: response(`${half}Error`),
  };
}

function successOf({ streams, answersBytes }: Operation, result: JsonSchema | null): JsonSchema {
  const content = {
    ...(result === null ? {} : { 'application/json': { schema: result } }),
    ...(streams
      ? { 'text/event-stream': { schema: { ...text, description: 'Server-sent events, if asked for.' } } }
      : {}),
    ...(answersBytes ? { '*/*': {} } : {}),
  };
  return { description: 'Done.', ...(Object.keys(content).length === 0 ? {} : { content }) };
}
