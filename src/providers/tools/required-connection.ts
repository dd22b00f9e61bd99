import { ApiError, invalidPayload } from '../../errors.ts';
import type { ToolConnection, ToolConnections } from './connections.ts';

/** The connection that a definition names. Of one that does not exist the error says how to add it. */
export async function requiredConnection(
  connections: ToolConnections,
  project: string,
  id: string,
  target: string,
): Promise<ToolConnection> {
  try {
    return await connections.get(project, id, target);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 404) throw error;
    const name = connectionLabel(id).slice(0, 128);
    throw invalidPayload(
      target,
      `No connection '${name}' exists in project '${project}'. Add it with \`bloomery connection set ${name}\`, with PUT /api/projects/${project}/connections/${encodeURIComponent(name)}?api-version=v1, or under 'connections' in bloomery.yaml.`,
    );
  }
}

/** The name in a name or id of a connection. */
export const connectionLabel = (id: string): string => id.split('/').at(-1) || id;
