import { invalidPayload, missingParameter } from '../../../errors.ts';
import { checkOrigin } from '../connection-origin.ts';
import type { ToolConnections } from '../connections.ts';
import { authorizationValue, credentialHeaders } from '../credential-headers.ts';
import { requiredConnection } from '../required-connection.ts';
import type { ToolContext } from '../tool.ts';
import type { McpToolDefinition } from './definition.ts';

/** Where an MCP server is, and what proves who asks. */
export interface McpEndpoint {
  url: URL;
  headers: Record<string, string>;
}

/** Belong to the protocol; whoever set them would break it. */
const ownHeaders = new Set([
  'accept',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-protocol-version',
  'mcp-session-id',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** A connection's key goes into `keyHeader`, or is a bearer token. */
export async function mcpEndpoint(
  definition: McpToolDefinition,
  connections: ToolConnections,
  { project, target }: Pick<ToolContext, 'project' | 'target'>,
  keyHeader: string | null,
): Promise<McpEndpoint> {
  const { server_url: given, project_connection_id: id, headers, authorization } = definition;
  const place = `${target}.project_connection_id`;
  const connection = id ? await requiredConnection(connections, project, id, place) : null;
  const address = given || connection?.target;
  if (!address) {
    throw missingParameter(
      `${target}.server_url`,
      connection === null
        ? "An MCP tool needs a 'server_url', or a 'project_connection_id' whose connection has a target."
        : `The connection '${connection.name}' has no target; set it to the address of the server.`,
    );
  }
  const url = URL.parse(address);
  if (url === null) {
    throw invalidPayload(given ? `${target}.server_url` : place, `'${address.slice(0, 200)}' is not a URL.`);
  }
  const all = new Headers();
  if (connection !== null) {
    if (given) checkOrigin(connection, given, `${target}.server_url`);
    const proof = credentialHeaders(connection, keyHeader, place);
    for (const [name, value] of Object.entries(proof)) setHeader(all, name, value, place);
  }
  for (const [name, value] of Object.entries(headers ?? {}))
    setHeader(all, name, value, `${target}.headers.${name}`);
  if (authorization) {
    if (Object.keys(headers ?? {}).some((name) => name.toLowerCase() === 'authorization')) {
      throw invalidPayload(
        `${target}.authorization`,
        "'authorization' and the header 'Authorization' are the same; send one of them.",
      );
    }
    setHeader(all, 'authorization', authorizationValue(authorization), `${target}.authorization`);
  }
  return { url, headers: Object.fromEntries(all) };
}

function setHeader(headers: Headers, name: string, value: string, target: string): void {
  if (ownHeaders.has(name.toLowerCase())) {
    throw invalidPayload(target, `The header '${name}' belongs to the protocol and can't be set.`);
  }
  try {
    headers.set(name, value);
  } catch {
    // What is wrong with it is not told: the words of the error have the value in them.
    throw invalidPayload(
      target,
      `The header '${name.slice(0, 128)}' has a name or value that can't be sent.`,
    );
  }
}
