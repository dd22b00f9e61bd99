import type { ConnectionConfig } from '../../config.ts';
import { conflict, notFound } from '../../errors.ts';
import { type Budget, quotaExceeded } from '../../kit/budget.ts';
import type { ConnectionCredentials, ConnectionType, CredentialType } from '../../kit/connection.ts';
import type { ToolConnections } from '../../providers/tools/connections.ts';
import type { Database } from '../../storage/database.ts';
import type { Sealer } from '../../trust/sealing.ts';
import { connectionNameOf } from './connection-id.ts';
import { connectionStore, type StoredConnection } from './store.ts';

/** What credentials are sealed for. */
export const sealedFor = 'connection';

/** Of the stored ones in one project. A listing reads them all. */
export const connectionBudget = (limits: { projectConnections: number }): Budget => ({
  name: 'projectConnections',
  most: limits.projectConnections,
  noun: 'connections besides those of the configuration',
  whose: 'project',
  table: 'connections',
  per: ['project'],
});

export interface KnownConnection {
  name: string;
  type: ConnectionType;
  target: string;
  isDefault: boolean;
  metadata: Record<string, string>;
  credentialType: CredentialType;
}

export interface NewConnection extends Omit<KnownConnection, 'credentialType'> {
  credentials: ConnectionCredentials;
}

/**
 * The connections of all projects: those of the configuration, which nobody can change while the server runs, and the
 * stored ones, which stand behind them.
 */
export interface ConnectionDirectory {
  list(project: string): Promise<KnownConnection[]>;
  find(project: string, name: string): Promise<KnownConnection | undefined>;
  findWithCredentials(project: string, name: string): Promise<NewConnection | undefined>;
  /** Whether it is a new one, and what it has become. */
  set(project: string, connection: NewConnection): Promise<{ isNew: boolean; connection: KnownConnection }>;
  delete(project: string, name: string): Promise<void>;
  /** Seals the stored secrets of all projects anew. */
  reseal(): Promise<Resealed>;
  readonly tools: ToolConnections;
}

export interface Resealed {
  /** How many there are. */
  connections: number;
  /** Those whose secrets nobody can read any more, as `PROJECT/NAME`; they are left as they are. */
  unreadable: string[];
}

export function connectionDirectory(
  configured: ConnectionConfig[],
  database: Database,
  sealer: Sealer,
  budget: Budget,
): ConnectionDirectory {
  const store = connectionStore(database);
  const configuredIn = (project: string) =>
    configured.filter((entry) => entry.project === null || entry.project === project);
  const configuredAs = (project: string, name: string) =>
    configuredIn(project).find((entry) => entry.name === name);
  const configuredDefault = (project: string, type: ConnectionType) =>
    configuredIn(project).find((entry) => entry.isDefault && entry.type === type);

  const refuseConfigured = (project: string, name: string) => {
    if (configuredAs(project, name) === undefined) return;
    throw conflict(
      `Connection '${name}' comes from the server's configuration and can only be changed there.`,
      'name',
    );
  };
  const stored = (project: string, { sealed: _, ...found }: StoredConnection): KnownConnection => ({
    ...found,
    isDefault: found.isDefault && configuredDefault(project, found.type) === undefined,
  });

  async function findWithCredentials(project: string, name: string): Promise<NewConnection | undefined> {
    const entry = configuredAs(project, name);
    if (entry !== undefined) return { ...known(entry), credentials: entry.credentials };
    const found = await store.find(project, name);
    if (found === undefined) return undefined;
    const { credentialType: _, ...shown } = stored(project, found);
    return { ...shown, credentials: unsealed(project, found) };
  }

  /** Who can write to the database must not be able to send a secret elsewhere: it is sealed with its target. */
  const unsealed = (
    project: string,
    { name, target, sealed, credentialType }: StoredConnection,
  ): ConnectionCredentials => {
    if (sealed === '') {
      if (credentialType === 'None') return { type: credentialType };
      throw conflict(
        `The credentials of connection '${name}' were not in the archive that this project comes from. Set the connection again.`,
        'name',
      );
    }
    const text = sealer.open(sealed, sealedFor, project);
    const content: Sealed | null = text === null ? null : JSON.parse(text);
    if (content?.name === name && content.target === target) return content.credentials;
    throw conflict(
      `The credentials of connection '${name}' can't be read: they were sealed with another key or have been changed. Set the connection again.`,
      'name',
    );
  };

  return {
    async list(project) {
      const behind = (await store.list(project)).filter(({ name }) => !configuredAs(project, name));
      return [...configuredIn(project).map(known), ...behind.map((found) => stored(project, found))];
    },

    async find(project, name) {
      const entry = configuredAs(project, name);
      if (entry !== undefined) return known(entry);
      const found = await store.find(project, name);
      return found && stored(project, found);
    },

    findWithCredentials,

    async set(project, { credentials, ...connection }) {
      const { name, target, type, isDefault } = connection;
      refuseConfigured(project, name);
      const holder = isDefault ? configuredDefault(project, type) : undefined;
      if (holder !== undefined) {
        throw conflict(
          `Connection '${holder.name}' is the default of type ${type} by the server's configuration.`,
          'isDefault',
        );
      }
      const content: Sealed = { name, target, credentials };
      const added: KnownConnection = { ...connection, credentialType: credentials.type };
      const sealed = sealer.seal(JSON.stringify(content), sealedFor, project);
      const outcome = await store.set(project, { ...added, sealed }, budget.most);
      if (outcome === 'full') throw quotaExceeded(budget);
      return { isNew: outcome === 'made', connection: added };
    },

    async delete(project, name) {
      refuseConfigured(project, name);
      if (!(await store.delete(project, name))) throw notFound('connection', name, 'name');
    },

    async reseal() {
      const unreadable: string[] = [];
      const connections = await store.reseal((sealed, project, name) => {
        if (sealed === '') return sealed;
        const text = sealer.open(sealed, sealedFor, project);
        if (text === null) unreadable.push(`${project}/${name}`);
        return text === null ? sealed : sealer.seal(text, sealedFor, project);
      });
      return { connections, unreadable };
    },

    tools: {
      async get(project, nameOrId, target) {
        const name = connectionNameOf(project, nameOrId);
        const found = name === undefined ? undefined : await findWithCredentials(project, name);
        if (found === undefined) throw notFound('connection', nameOrId, target);
        const { isDefault: _, ...connection } = found;
        return connection;
      },
    },
  };
}

interface Sealed {
  name: string;
  target: string;
  credentials: ConnectionCredentials;
}

const known = ({ project: _, credentials, ...entry }: ConnectionConfig): KnownConnection => ({
  ...entry,
  credentialType: credentials.type,
});
