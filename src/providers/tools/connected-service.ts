import type { Outbound } from '../outbound/outbound.ts';
import type { AskedService } from './ask-service.ts';
import type { ToolConnections } from './connections.ts';
import { credentialHeaders } from './credential-headers.ts';
import { redactions } from './redactions.ts';
import { requiredConnection } from './required-connection.ts';
import type { ToolContext } from './tool.ts';

export interface ConnectedServiceParts {
  outbound: Outbound;
  connections: ToolConnections;
}

/** A service at the target of a connection. */
export interface ConnectedService extends AskedService {
  /** Its address, without a slash at the end. */
  address: string;
  /** What proves who asks. */
  headers: Record<string, string>;
}

/** Throws about a connection that is missing, leads where tools may not go, or has credentials of no use. */
export async function connectedService(
  { outbound, connections }: ConnectedServiceParts,
  { id, name, keyHeader }: { id: string; name: string; keyHeader: string },
  { project }: Pick<ToolContext, 'project'>,
  target: string,
): Promise<ConnectedService> {
  const connection = await requiredConnection(connections, project, id, target);
  const headers = credentialHeaders(connection, keyHeader, target);
  await outbound.check(connection.target, target);
  const refused = `Check the credentials of connection '${connection.name}'.`;
  return {
    name,
    fetch: outbound.fetch,
    redact: redactions(headers),
    advice: { 401: refused, 403: refused },
    address: connection.target.replace(/\/+$/, ''),
    headers,
  };
}
