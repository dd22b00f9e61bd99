import type { ConnectionEntry, SecretEntry } from './config-schema.ts';
import { type ConnectionCredentials, type ConnectionType, connectionSecret } from './kit/connection.ts';
import type { KeyPath } from './yaml-file.ts';

export interface ConnectionConfig {
  name: string;
  /** The only project that has it; null for all. */
  project: string | null;
  type: ConnectionType;
  target: string;
  isDefault: boolean;
  metadata: Record<string, string>;
  /** Never printed. */
  credentials: ConnectionCredentials;
}

export interface ConnectionSource {
  projects: string[];
  /** What the variable or the file at `place` holds, and where to say what is wrong with it. */
  secret(
    from: SecretEntry,
    path: KeyPath,
  ): { value: string | undefined; place: string; fault(message: string): void };
  fault(path: KeyPath, message: string): void;
}

export function connectionsConfig(entries: ConnectionEntry[], source: ConnectionSource): ConnectionConfig[] {
  for (const [at, entry] of entries.entries()) {
    checkNeighbours(entry, entries.slice(0, at), (key, message) =>
      source.fault(['connections', at, key], message),
    );
    if (entry.project !== undefined && !source.projects.includes(entry.project)) {
      source.fault(['connections', at, 'project'], `there is no project '${entry.project}' in 'projects'`);
    }
  }
  return entries.map((entry, at) => ({
    name: entry.name,
    project: entry.project ?? null,
    type: entry.type,
    target: entry.target,
    isDefault: entry.isDefault ?? false,
    metadata: entry.metadata ?? {},
    credentials: credentialsOf(
      entry.credentials ?? { type: 'None' },
      ['connections', at, 'credentials'],
      source,
    ),
  }));
}

/** In one project names are unique, and one connection of each type can be the default. */
function checkNeighbours(
  entry: ConnectionEntry,
  others: ConnectionEntry[],
  fault: (key: string, message: string) => void,
): void {
  const neighbours = others.filter(
    ({ project }) => project === undefined || entry.project === undefined || project === entry.project,
  );
  if (neighbours.some(({ name }) => name === entry.name)) {
    fault('name', `another connection is already named '${entry.name}'`);
  }
  const holder = neighbours.find(({ isDefault, type }) => isDefault && type === entry.type);
  if (entry.isDefault && holder !== undefined) {
    fault('isDefault', `'${holder.name}' is already the default connection of type ${entry.type}`);
  }
}

type CredentialsEntry = NonNullable<ConnectionEntry['credentials']>;

/** The key that says where the secrets are, by the type of credentials. */
const secretKeys = { ApiKey: 'key', SAS: 'sas', CustomKeys: 'keys' } as const;

function credentialsOf(
  entry: CredentialsEntry,
  path: KeyPath,
  source: ConnectionSource,
): ConnectionCredentials {
  const { type } = entry;
  const wanted = type === 'ApiKey' || type === 'SAS' || type === 'CustomKeys' ? secretKeys[type] : null;
  for (const key of Object.values(secretKeys)) {
    if (key === wanted && entry[key] === undefined) {
      source.fault(path, `the key '${key}' is missing; credentials of type '${type}' need it`);
    }
    if (key !== wanted && entry[key] !== undefined) {
      source.fault([...path, key], `has no meaning for credentials of type '${type}'`);
    }
  }
  const secret = (from: SecretEntry | undefined, ...at: string[]): string => {
    if (from === undefined) return '';
    const { value, place, fault } = source.secret(from, [...path, ...at]);
    if (value !== undefined && !connectionSecret.test(value)) {
      fault(`${place} must hold one line of at most 16384 characters`);
    }
    return value ?? '';
  };
  switch (type) {
    case 'ApiKey':
      return { type, apiKey: secret(entry.key, 'key') };
    case 'SAS':
      return { type, sasToken: secret(entry.sas, 'sas') };
    case 'CustomKeys':
      return {
        type,
        keys: Object.fromEntries(
          Object.entries(entry.keys ?? {}).map(([name, from]) => [name, secret(from, 'keys', name)]),
        ),
      };
    default:
      return { type };
  }
}
