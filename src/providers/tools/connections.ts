/** The connections of a project, as tools use them. */
export interface ToolConnections {
  /** A connection by its name or id, with its credentials. Throws `not_found` about the field `target`. */
  get(project: string, nameOrId: string, target: string): Promise<ToolConnection>;
}

export interface ToolConnection {
  name: string;
  /** Its category: `CustomKeys`, `RemoteA2A`… */
  type: string;
  /** Address of the service; empty where the connection names none. */
  target: string;
  credentials: ConnectionCredentials;
  metadata: Record<string, string>;
}

export type ConnectionCredentials =
  | { type: 'ApiKey'; apiKey: string }
  | { type: 'CustomKeys'; keys: Record<string, string> }
  | { type: 'SAS'; sasToken: string }
  | { type: 'AAD' | 'None' | 'AgenticIdentityToken_Preview' };
