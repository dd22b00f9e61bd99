import type { Mount } from '../http/authorization.ts';
import type { Operation } from '../kit/operation.ts';
import { type JsonSchema, plainSchema } from './plain-schema.ts';

/** Parameters that many operations have. */
export const sharedParameters: Record<string, JsonSchema> = {
  Project: { name: 'project', in: 'path', required: true, schema: { type: 'string' } },
  ApiVersion: {
    name: 'api-version',
    in: 'query',
    required: true,
    description: '`v1`, or a dated version from 2025-05-01 on, such as `2025-11-15-preview`.',
    schema: { type: 'string' },
    example: 'v1',
  },
  ClientRequestId: {
    name: 'x-ms-client-request-id',
    in: 'header',
    description: "The caller's own id of the request; the answer repeats it.",
    schema: { type: 'string' },
  },
  UserIdentity: {
    name: 'x-ms-user-identity',
    in: 'header',
    description: 'Whom the caller acts for. Records of one identity are invisible to another.',
    schema: { type: 'string' },
  },
  IdempotencyKey: {
    name: 'Idempotency-Key',
    in: 'header',
    description:
      'However often a request with this key is sent, it has one effect, and the first answer is given again. ' +
      '`Operation-Id` and `Repeatability-Request-ID` say the same.',
    schema: { type: 'string', maxLength: 255 },
  },
};

const shared = (name: string): JsonSchema => ({ $ref: `#/components/parameters/${name}` });

/** All that a request may carry besides its body. */
export function parametersOf(operation: Operation, path: string, mount: Mount): JsonSchema[] {
  const { method, query, preview, params } = operation;
  const needsVersion = mount === 'native' || mount === 'agent-endpoint';
  const inPath = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
    name === 'project'
      ? shared('Project')
      : parameter('path', name, params?.properties[name] ?? { type: 'string' }, true),
  );
  const required = (query as { required?: string[] } | undefined)?.required ?? [];
  const inQuery = Object.entries(query?.properties ?? {}).map(([name, schema]) =>
    parameter('query', name, schema, required.includes(name)),
  );
  return [
    ...inPath,
    ...(needsVersion ? [shared('ApiVersion')] : []),
    ...inQuery,
    ...(preview === undefined ? [] : [previewHeader(preview)]),
    shared('ClientRequestId'),
    ...(mount === 'admin' ? [] : [shared('UserIdentity')]),
    ...(method === 'GET' ? [] : [shared('IdempotencyKey')]),
  ];
}

function parameter(place: 'path' | 'query', name: string, schema: object, required: boolean): JsonSchema {
  const { description, ...rest } = plainSchema(schema);
  return {
    name,
    in: place,
    ...(required ? { required } : {}),
    ...(description === undefined ? {} : { description }),
    schema: rest,
  };
}

const previewHeader = (key: string): JsonSchema => ({
  name: 'Foundry-Features',
  in: 'header',
  required: true,
  description: `Names \`${key}\`, among others or alone: the operation is in preview. Not needed with a dated preview \`api-version\`.`,
  schema: { type: 'string' },
  example: key,
});
