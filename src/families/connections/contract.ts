import Type, { type Static } from 'typebox';
import { AzurePage, azurePageQuery } from '../../kit/azure-page.ts';
import {
  connectionName,
  connectionSecret,
  connectionTarget,
  connectionTypes,
  credentialTypes,
  customKeyName,
  mostCustomKeys,
} from '../../kit/connection.ts';
import { op } from '../../kit/operation.ts';
import { Maybe, Metadata, OneOf } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';

/** A secret under another name than its own would be lost in silence. */
const closed = { additionalProperties: false } as const;

const Secret = Type.String({ pattern: connectionSecret.source });

const ofType = <const T extends string>(type: T) => Type.Object({ type: Type.Literal(type) }, closed);

/** The keys stand beside `type`. */
const CustomKeys = Type.Unsafe<{ type: 'CustomKeys'; [key: string]: string }>({
  type: 'object',
  properties: { type: { const: 'CustomKeys' } },
  required: ['type'],
  propertyNames: { anyOf: [{ const: 'type' }, { pattern: customKeyName.source }] },
  additionalProperties: Secret,
  minProperties: 2,
  maxProperties: mostCustomKeys + 1,
});

export const Credentials = UnionBy('type', {
  ApiKey: Type.Object({ type: Type.Literal('ApiKey'), key: Secret }, closed),
  SAS: Type.Object({ type: Type.Literal('SAS'), SAS: Secret }, closed),
  CustomKeys,
  AAD: ofType('AAD'),
  None: ofType('None'),
  AgenticIdentityToken_Preview: ofType('AgenticIdentityToken_Preview'),
});
export type Credentials = Static<typeof Credentials>;

const shown = {
  name: Type.String(),
  id: Type.String(),
  type: OneOf(...connectionTypes),
  target: Type.String(),
  isDefault: Type.Boolean({ description: 'Whether it is the default connection of its type.' }),
  metadata: Type.Record(Type.String(), Type.String()),
};

export const Connection = Type.Object(
  {
    ...shown,
    credentials: Type.Object({ type: OneOf(...credentialTypes) }),
  },
  { title: 'Connection' },
);
export type Connection = Static<typeof Connection>;

export const ConnectionWithCredentials = Type.Object({ ...shown, credentials: Credentials });

export const SetConnection = Type.Object({
  type: OneOf(...connectionTypes),
  target: Type.String({
    pattern: connectionTarget.source,
    description: 'Address or other identifier of the service, without user or password.',
  }),
  isDefault: Maybe(Type.Boolean()),
  metadata: Maybe(Metadata),
  credentials: Maybe(Credentials),
});
export type SetConnection = Static<typeof SetConnection>;

const ListQuery = Type.Object({
  ...azurePageQuery,
  connectionType: Type.Optional(OneOf(...connectionTypes)),
  defaultConnection: Type.Optional(
    Type.Boolean({ description: 'Only those that are the default of their type, or only the others.' }),
  ),
  top: Type.Optional(Type.Integer({ minimum: 0, description: 'How many connections to list at most.' })),
  skip: Type.Optional(Type.Integer({ minimum: 0, description: 'How many connections to leave out first.' })),
  maxpagesize: Type.Optional(Type.Integer({ minimum: 1, description: 'Most connections on one page.' })),
});

const byName = Type.Object({ name: Type.String({ minLength: 1 }) });

export const operations = {
  list: op({
    method: 'GET',
    path: '/connections',
    summary: 'List connections, without their secrets',
    wire: 'foundry',
    query: ListQuery,
    result: AzurePage(Connection),
  }),
  get: op({
    method: 'GET',
    path: '/connections/{name}',
    summary: 'Get a connection, without its secrets',
    wire: 'foundry',
    params: byName,
    result: Connection,
  }),
  getWithCredentials: op({
    method: 'POST',
    path: '/connections/{name}/getConnectionWithCredentials',
    summary: 'Get a connection with its secrets',
    wire: 'foundry',
    params: byName,
    result: ConnectionWithCredentials,
  }),
  set: op({
    method: 'PUT',
    path: '/connections/{name}',
    summary: 'Make or replace a connection',
    wire: 'foundry',
    params: Type.Object({ name: Type.String({ pattern: connectionName.source }) }),
    body: SetConnection,
    result: Connection,
    answersCreated: true,
  }),
  delete: op({
    method: 'DELETE',
    path: '/connections/{name}',
    summary: 'Delete a connection',
    wire: 'foundry',
    params: byName,
    status: 204,
  }),
};
