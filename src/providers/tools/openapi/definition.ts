import Type, { type Static } from 'typebox';
import { AnyObject, Maybe } from '../../../kit/schema.ts';
import { UnionBy } from '../../../kit/union.ts';
import { ConnectionId } from '../named-connection.ts';

const auth = <const T extends string>(type: T) => ({ type: Type.Literal(type) });

export const OpenApiAuth = UnionBy('type', {
  anonymous: Type.Object(auth('anonymous')),
  project_connection: Type.Object({
    ...auth('project_connection'),
    security_scheme: Type.Object({ project_connection_id: ConnectionId }),
  }),
  managed_identity: Type.Object({
    ...auth('managed_identity'),
    security_scheme: Type.Object({ audience: Type.String({ minLength: 1, maxLength: 1024 }) }),
  }),
});
export type OpenApiAuth = Static<typeof OpenApiAuth>;

export const OpenApiToolDefinition = Type.Object({
  type: Type.Literal('openapi'),
  openapi: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 256 }),
    description: Maybe(Type.String()),
    /** The document itself; what is wrong inside is told by its reader. */
    spec: AnyObject,
    auth: OpenApiAuth,
    default_params: Maybe(Type.Array(Type.String(), { maxItems: 256 })),
  }),
});
export type OpenApiToolDefinition = Static<typeof OpenApiToolDefinition>;
