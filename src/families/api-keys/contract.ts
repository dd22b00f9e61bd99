import Type, { type Static } from 'typebox';
import { op } from '../../kit/operation.ts';

const closed = { additionalProperties: false } as const;
const mostSeconds = 315_360_000;

/** Which roles there are is for the keys to know; a wrong one is refused with their names. */
const Grant = Type.Object(
  {
    role: Type.String({ minLength: 1, maxLength: 128 }),
    project: Type.Union([Type.String({ minLength: 1, maxLength: 64 }), Type.Null()], {
      description: 'The only project where the role holds; null for all of them and the server itself.',
    }),
  },
  closed,
);

const shown = {
  id: Type.String(),
  name: Type.String(),
  grants: Type.Array(Grant),
  createdAt: Type.String(),
  expiresAt: Type.Union([Type.String(), Type.Null()]),
  lastUsedAt: Type.Union([Type.String(), Type.Null()], {
    description: 'To the minute, and since the start of the server.',
  }),
};
export const ApiKey = Type.Object(shown);
export type ApiKey = Static<typeof ApiKey>;

export const NewApiKey = Type.Object({
  ...shown,
  key: Type.String({ description: 'The key itself; nothing can tell it again.' }),
});

export const CreateApiKey = Type.Object(
  {
    name: Type.String({ minLength: 1, maxLength: 64 }),
    grants: Type.Array(Grant, { minItems: 1, maxItems: 100 }),
    expiresInSeconds: Type.Optional(Type.Integer({ minimum: 1, maximum: mostSeconds })),
  },
  closed,
);

export const RotateApiKey = Type.Object(
  {
    graceSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: 2_592_000,
        description: 'How long the key that there was goes on being good.',
      }),
    ),
  },
  closed,
);

const byName = Type.Object({ name: Type.String({ minLength: 1 }) });

export const operations = {
  list: op({
    method: 'GET',
    path: '/api_keys',
    summary: 'List API keys, without the keys themselves',
    wire: 'admin',
    result: Type.Object({ value: Type.Array(ApiKey) }),
  }),
  create: op({
    method: 'POST',
    path: '/api_keys',
    summary: 'Make an API key',
    wire: 'admin',
    action: 'Microsoft.Authorization/roleAssignments/write',
    body: CreateApiKey,
    status: 201,
    result: NewApiKey,
  }),
  rotate: op({
    method: 'POST',
    path: '/api_keys/{name}:rotate',
    summary: 'Replace an API key by a new one',
    wire: 'admin',
    action: 'Microsoft.Authorization/roleAssignments/write',
    params: byName,
    body: RotateApiKey,
    bodyOptional: true,
    result: NewApiKey,
  }),
  revoke: op({
    method: 'DELETE',
    path: '/api_keys/{name}',
    summary: 'Revoke an API key',
    wire: 'admin',
    action: 'Microsoft.Authorization/roleAssignments/delete',
    params: byName,
    status: 204,
  }),
};
