import { invalidPayload, unsupportedParameter } from '../../../errors.ts';
import { checkOrigin } from '../connection-origin.ts';
import type { ConnectionCredentials, ToolConnections } from '../connections.ts';
import type { ToolIdentity } from '../identity.ts';
import { requiredConnection } from '../required-connection.ts';
import type { ToolContext } from '../tool.ts';
import type { OpenApiAuth } from './definition.ts';
import type { Operation } from './operations.ts';
import type { SecurityScheme } from './security-schemes.ts';
import { pairs } from './serialise-parameter.ts';

/** What a call carries to be let in. */
export interface Credentials {
  headers: [string, string][];
  /** Encoded `name=value` pairs. */
  query: string[];
  cookies: string[];
  /** What of them must not be told, as the connection has it. */
  secrets: string[];
}

export const noCredentials: Credentials = { headers: [], query: [], cookies: [], secrets: [] };

export interface AuthoriserParts {
  connections: ToolConnections;
  identity: ToolIdentity;
}

/** Makes an operation's credentials; asked for each call, so that tokens are fresh. */
export type Authoriser = (operation: Operation) => Promise<Credentials>;

/** Throws, before anything is called, about credentials that have no place in the document. */
export async function authoriser(
  auth: OpenApiAuth,
  operations: Operation[],
  { connections, identity }: AuthoriserParts,
  { project, roles }: Pick<ToolContext, 'project' | 'roles'>,
  place: string,
): Promise<Authoriser> {
  const target = `${place}.auth`;
  switch (auth.type) {
    case 'anonymous':
      return async () => noCredentials;
    case 'managed_identity': {
      const { audience } = auth.security_scheme;
      const token = async ({ server }: Operation): Promise<Credentials> => {
        const issued = await identity.token(audience, server, { project, roles });
        if (issued !== null) return bearer(issued);
        throw unsupportedParameter(
          `${target}.security_scheme.audience`,
          `This server can vouch for itself only to itself: '${audience}' at ${server} does not know its tokens. Use a project connection with a key.`,
        );
      };
      for (const operation of operations) await token(operation);
      return token;
    }
    case 'project_connection': {
      const named = `${target}.security_scheme.project_connection_id`;
      const id = auth.security_scheme.project_connection_id;
      const connection = await requiredConnection(connections, project, id, named);
      const made = new Map<Operation, Credentials>();
      for (const operation of operations) {
        const credentials = connectionCredentials(operation, connection.credentials, named);
        if (credentials !== noCredentials) {
          checkOrigin(connection, operation.server, `${place}.spec.servers`);
        }
        made.set(operation, credentials);
      }
      return async (operation) => made.get(operation) ?? noCredentials;
    }
  }
}

function connectionCredentials(
  { security, target: operation }: Operation,
  credentials: ConnectionCredentials,
  target: string,
): Credentials {
  if (credentials.type === 'None') return noCredentials;
  if (security.length === 0) return undeclared(credentials);
  const reasons: string[] = [];
  for (const schemes of security) {
    const parts = schemes.map((scheme) => schemeCredentials(scheme, credentials, schemes.length === 1));
    const missing = parts.find((part) => typeof part === 'string');
    if (missing === undefined && parts.length > 0)
      return merged(parts.filter((part) => typeof part !== 'string'));
    if (missing !== undefined) reasons.push(missing);
  }
  // An empty requirement: whoever has no credentials is let in, too.
  if (reasons.length === 0 || security.some((schemes) => schemes.length === 0)) return noCredentials;
  throw invalidPayload(target, `The connection does not fit '${operation}': ${reasons.join(' ')}`);
}

/** Of custom keys the names say where they go; a bare key has no place when the document names none. */
function undeclared(credentials: ConnectionCredentials): Credentials {
  return credentials.type === 'CustomKeys'
    ? { ...noCredentials, headers: Object.entries(credentials.keys) }
    : noCredentials;
}

/** The credentials of one scheme, or why there are none. */
function schemeCredentials(
  scheme: SecurityScheme,
  credentials: ConnectionCredentials,
  isOnly: boolean,
): Credentials | string {
  const { scheme: label } = scheme;
  if (scheme.kind === 'unknown') return `'${label}' is of the kind '${scheme.type}', which can't be served.`;
  const wanted = scheme.kind === 'apiKey' ? [scheme.name, label] : ['Authorization', label];
  if (scheme.kind === 'basic' && credentials.type === 'CustomKeys') {
    const { username, password } = credentials.keys;
    if (username !== undefined && password !== undefined) return basic(`${username}:${password}`);
  }
  const key = keyOf(credentials, wanted, isOnly);
  if (key === null) return `it has no key for '${label}' (looked for ${wanted.join(', ')}).`;
  if (scheme.kind === 'bearer') return bearer(key.replace(/^bearer\s+/i, ''));
  if (scheme.kind === 'basic') return basic(key);
  switch (scheme.in) {
    case 'header':
      return { ...noCredentials, headers: [[scheme.name, key]], secrets: [key] };
    case 'query':
      return { ...noCredentials, query: pair(scheme.name, key), secrets: [key] };
    case 'cookie':
      return { ...noCredentials, cookies: pair(scheme.name, key), secrets: [key] };
  }
}

function keyOf(credentials: ConnectionCredentials, names: string[], isOnly: boolean): string | null {
  if (credentials.type === 'ApiKey') return credentials.apiKey;
  if (credentials.type === 'SAS') return credentials.sasToken;
  if (credentials.type !== 'CustomKeys') return null;
  const entries = Object.entries(credentials.keys);
  for (const name of names) {
    const found = entries.find(([given]) => given.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found[1];
  }
  return isOnly && entries.length === 1 ? (entries[0]?.[1] ?? null) : null;
}

const bearer = (token: string): Credentials => ({
  ...noCredentials,
  headers: [['Authorization', `Bearer ${token}`]],
  secrets: [token],
});

/** `user:password`, unless it is the header's value already. */
const basic = (key: string): Credentials => ({
  ...noCredentials,
  headers: [
    ['Authorization', /^basic\s/i.test(key) ? key : `Basic ${Buffer.from(key, 'utf8').toString('base64')}`],
  ],
  secrets: [key, key.slice(key.indexOf(':') + 1)],
});

const pair = (name: string, value: string): string[] =>
  pairs({ name, style: 'form', explode: true, allowReserved: false, json: false }, value);

const merged = (parts: Credentials[]): Credentials => ({
  headers: parts.flatMap(({ headers }) => headers),
  query: parts.flatMap(({ query }) => query),
  cookies: parts.flatMap(({ cookies }) => cookies),
  secrets: parts.flatMap(({ secrets }) => secrets),
});
