import Type from 'typebox';
import { invalidPayload, missingParameter, unsupportedParameter } from '../../errors.ts';
import { Maybe } from '../../kit/schema.ts';
import type { ToolConnection, ToolConnections } from './connections.ts';
import { authorizationValue } from './credential-headers.ts';
import { requiredConnection } from './required-connection.ts';
import type { ToolContext } from './tool.ts';

export const ConnectionId = Type.String({ minLength: 1, maxLength: 1024 });

/** How most of Foundry's tools name their one connection. */
export const OnlyConnection = Type.Object({
  project_connections: Maybe(
    Type.Array(Type.Object({ project_connection_id: ConnectionId }), { maxItems: 1 }),
  ),
});

/** A connection and where it was named. */
export interface NamedConnection {
  connection: ToolConnection;
  place: string;
}

/** The connection that a definition names. Where there is none, the error says how to add it. */
export const namedConnection = async (
  connections: ToolConnections,
  { project }: Pick<ToolContext, 'project'>,
  id: string,
  place: string,
): Promise<NamedConnection> => ({
  connection: await requiredConnection(connections, project, id, place),
  place,
});

/** The one of `project_connections`, which stand in `member` of the definition. */
export async function onlyConnection(
  connections: ToolConnections,
  { project, target }: Pick<ToolContext, 'project' | 'target'>,
  definition: object,
  member: string,
): Promise<NamedConnection> {
  const { project_connections } =
    (definition as Record<string, { project_connections?: unknown }>)[member] ?? {};
  const [first] = (project_connections ?? []) as { project_connection_id: string }[];
  const place = `${target}.${member}.project_connections`;
  if (first === undefined) {
    throw missingParameter(place, `'${place}' must name the connection to the service.`);
  }
  const { project_connection_id: id } = first;
  return namedConnection(connections, { project }, id, `${place}[0].project_connection_id`);
}

/**
 * A custom key of a connection, by the first of the names that it has. Metadata is not asked: it is not sealed, so
 * that whoever can write to the database could name another address there, and have the token sent to it.
 */
export function customKey({ credentials }: ToolConnection, ...names: string[]): string | undefined {
  if (credentials.type !== 'CustomKeys') return undefined;
  const keys = new Map(Object.entries(credentials.keys).map(([name, value]) => [name.toLowerCase(), value]));
  return names.map((name) => keys.get(name)).find((value) => value !== undefined);
}

/** The value of the header `authorization` that a connection comes to: an ApiKey, or the custom key of that name. */
export function bearerToken({ connection, place }: NamedConnection, service: string): string {
  const { name, credentials } = connection;
  const token =
    credentials.type === 'ApiKey' ? credentials.apiKey : (customKey(connection, 'authorization') ?? '');
  if (/^[\x21-\x7e][\x20-\x7e]*$/.test(token)) return authorizationValue(token);
  if (token !== '')
    throw invalidPayload(place, `The token of connection '${name}' has characters that can't be sent.`);
  throw unsupportedParameter(
    place,
    `The connection '${name}' has no token for ${service}, and this server can't ask for one in the user's name. Set the connection with CustomKeys that have 'Authorization' ("Bearer TOKEN") among them.`,
  );
}
