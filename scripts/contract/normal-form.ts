import type { OpenApiDocument } from '../../src/openapi/document.ts';
import type { JsonSchema } from '../../src/openapi/plain-schema.ts';

/** What of the OpenAPI document a client can come to depend on, in an order of its own. */
export interface Contract {
  operations: Record<string, ContractOperation>;
  schemas: Record<string, JsonSchema>;
}

export interface ContractOperation {
  /** False for those that answer 501. */
  built: boolean;
  /** `query limit`, `header Foundry-Features`; those of the path are part of the operation's key. */
  parameters: Record<string, { required: boolean; schema: JsonSchema }>;
  /** The feature that has to be opted in to. */
  preview?: string;
  body?: { required: boolean; media: Record<string, JsonSchema> };
  /** By success status. */
  answers: Record<string, Record<string, JsonSchema>>;
}

interface DocumentOperation {
  'x-not-implemented'?: boolean;
  'x-preview'?: string;
  'x-not-implemented-media-types'?: string[];
  parameters: ({ $ref: string } | DocumentParameter)[];
  requestBody?: { required: boolean; content: Record<string, { schema: JsonSchema }> };
  responses: Record<string, { content?: Record<string, { schema?: JsonSchema }> }>;
}

interface DocumentParameter {
  name: string;
  in: string;
  required?: boolean;
  schema: JsonSchema;
}

/** Says nothing about what is allowed. */
const remarks = new Set(['description', 'title', 'example', 'examples', 'contentMediaType']);

export function contractOf(document: OpenApiDocument): Contract {
  const parameters = document.components.parameters as unknown as Record<string, DocumentParameter>;
  const operations = Object.entries(document.paths).flatMap(([path, item]) =>
    Object.entries(item).map(([method, operation]): [string, ContractOperation] => [
      `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '{}')}`,
      operationOf(operation as unknown as DocumentOperation, parameters),
    ]),
  );
  const schemas = Object.entries(document.components.schemas ?? {}).map(
    ([name, schema]) => [name, plain(schema)] as const,
  );
  return { operations: sorted(operations), schemas: sorted(schemas) };
}

function operationOf(
  operation: DocumentOperation,
  shared: Record<string, DocumentParameter>,
): ContractOperation {
  if (operation['x-not-implemented']) return { built: false, parameters: {}, answers: {} };
  const given = operation.parameters
    .map((one) => ('$ref' in one ? (shared[one.$ref.split('/').at(-1) ?? ''] as DocumentParameter) : one))
    .map(({ in: place, name, required = false, schema }) => {
      // Names of what stands in the path are nobody's business but ours.
      const key = place === 'path' ? 'path' : `${place} ${name}`;
      return [key, { required, schema: plain(schema) }] as const;
    });
  const inPath = given.filter(([key]) => key === 'path').map(([, one], i) => [`path ${i}`, one] as const);
  const unbuilt = operation['x-not-implemented-media-types'] ?? [];
  const media = Object.entries(operation.requestBody?.content ?? {})
    .filter(([type]) => !unbuilt.includes(type))
    .map(([type, { schema }]) => [type, plain(schema)] as const);
  const answers = Object.entries(operation.responses)
    .filter(([status]) => /^2/.test(status))
    .map(([status, { content = {} }]) => {
      const schemas = Object.entries(content).map(
        ([type, { schema = {} }]) => [type, plain(schema)] as const,
      );
      return [status, sorted(schemas)] as const;
    });
  return {
    built: true,
    ...(operation['x-preview'] === undefined ? {} : { preview: operation['x-preview'] }),
    parameters: sorted([...inPath, ...given.filter(([key]) => key !== 'path')]),
    ...(operation.requestBody === undefined || media.length === 0
      ? {}
      : { body: { required: operation.requestBody.required, media: sorted(media) } }),
    answers: sorted(answers),
  };
}

function plain(value: JsonSchema, isNames = false): JsonSchema {
  const kept = Object.entries(value)
    .filter(([key]) => isNames || !remarks.has(key))
    .map(
      ([key, inner]) =>
        [key, plainValue(inner, !isNames && /^(p|patternP)roperties$|^mapping$/.test(key))] as const,
    );
  return sorted(kept);
}

function plainValue(value: unknown, isNames: boolean): unknown {
  if (Array.isArray(value)) {
    const values = value.map((inner) => plainValue(inner, false));
    return values.every((one) => typeof one === 'string') ? values.sort() : values;
  }
  return typeof value === 'object' && value !== null ? plain(value as JsonSchema, isNames) : value;
}

const sorted = <T>(entries: (readonly [string, T])[]): Record<string, T> =>
  Object.fromEntries([...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));

/** One line for each operation and schema, so that a change of one is a change of a line. */
export function contractText({ operations, schemas }: Contract): string {
  const lines = (members: Record<string, unknown>): string =>
    Object.entries(members)
      .map(([key, value]) => `    ${JSON.stringify(key)}: ${JSON.stringify(value)}`)
      .join(',\n');
  return `{\n  "operations": {\n${lines(operations)}\n  },\n  "schemas": {\n${lines(schemas)}\n  }\n}\n`;
}
