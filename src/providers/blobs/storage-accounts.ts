import { invalidPayload, unsupportedParameter } from '../../errors.ts';
import type { Outbound } from '../outbound/outbound.ts';
import type { ToolConnection, ToolConnections } from '../tools/connections.ts';
import { requiredConnection } from '../tools/required-connection.ts';
import { azureBlobs } from './azure-blobs.ts';
import type { Blobs } from './blobs.ts';

/** The target of a connection that stands for the blob service of this server. */
export const ownTarget = 'bloomery-blobs';

const storageTypes: readonly string[] = ['AzureStorageAccount', 'AzureBlob'];

export interface StorageAccounts {
  readonly own: Blobs;
  /**
   * The account behind a connection, by its name in the request's field `target`; the server's own for null.
   * `storage` is the name to keep, null for the server's own.
   */
  of(
    project: string,
    connection: string | null,
    target: string,
  ): Promise<{ blobs: Blobs; storage: string | null }>;
  /** Throws about the field `target` unless it is a connection to storage. */
  check(project: string, connection: string, target: string): Promise<void>;
}

export interface StorageAccountsOptions {
  own: Blobs;
  connections: ToolConnections;
  outbound: Outbound;
  sasMinutes: number;
}

export function storageAccounts({
  own,
  connections,
  outbound,
  sasMinutes,
}: StorageAccountsOptions): StorageAccounts {
  const required = async (project: string, name: string, target: string): Promise<ToolConnection> => {
    const connection = await requiredConnection(connections, project, name, target);
    if (storageTypes.includes(connection.type)) return connection;
    throw invalidPayload(
      target,
      `Connection '${connection.name}' is of type ${connection.type}; one of type ${storageTypes.join(' or ')} is needed.`,
    );
  };

  return {
    own,

    async check(project, name, target) {
      await required(project, name, target);
    },

    async of(project, name, target) {
      if (name === null) return { blobs: own, storage: null };
      const connection = await required(project, name, target);
      if (connection.target === ownTarget) return { blobs: own, storage: null };
      const { credentials } = connection;
      if (credentials.type !== 'ApiKey') {
        throw unsupportedParameter(
          target,
          `Connection '${connection.name}' has credentials of type ${credentials.type}, and this server has no Azure identity to use it with. Set it with the account's key (ApiKey), or with the target '${ownTarget}' for this server's own storage.`,
        );
      }
      const { account, endpoint } = addressOf(connection.target, target);
      await outbound.check(endpoint, target);
      return {
        blobs: azureBlobs({ account, key: credentials.apiKey, endpoint, sasMinutes }),
        storage: connection.name,
      };
    },
  };
}

/** `https://ACCOUNT.blob.core.windows.net`, or with the account as path where the host is none of Azure's. */
function addressOf(text: string, target: string): { account: string; endpoint: string } {
  if (URL.canParse(text)) {
    const { protocol, hostname, origin, pathname } = new URL(text);
    const inPath = /^\/([a-z0-9]{3,24})\/?$/.exec(pathname)?.[1];
    const inHost = /^([a-z0-9]{3,24})\.blob\./.exec(hostname)?.[1];
    if (/^https?:$/.test(protocol)) {
      if (inPath !== undefined) return { account: inPath, endpoint: `${origin}/${inPath}` };
      if (inHost !== undefined && pathname === '/') return { account: inHost, endpoint: origin };
    }
  }
  throw invalidPayload(
    target,
    `The target of the connection must be the address of a blob service, such as https://ACCOUNT.blob.core.windows.net, or '${ownTarget}'.`,
  );
}
