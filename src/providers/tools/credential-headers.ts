import { invalidPayload, unsupportedParameter } from '../../errors.ts';
import type { ToolConnection } from './connections.ts';

/**
 * The headers that a connection's credentials come to, in lower case; a key goes into `keyHeader`, or is a bearer token.
 * Throws about credentials that come to none, or that can't be sent.
 */
export function credentialHeaders(
  connection: Pick<ToolConnection, 'name' | 'credentials'>,
  keyHeader: string | null,
  target: string,
): Record<string, string> {
  const named = namedValues(connection, keyHeader, target);
  try {
    return Object.fromEntries(new Headers(named));
  } catch {
    // What is wrong with it is not told: the words of the error have the value in them.
    throw invalidPayload(
      target,
      `The credentials of connection '${connection.name}' have a name or value that can't be sent in a header.`,
    );
  }
}

function namedValues(
  { name, credentials }: Pick<ToolConnection, 'name' | 'credentials'>,
  keyHeader: string | null,
  target: string,
): [string, string][] {
  switch (credentials.type) {
    case 'None':
      return [];
    case 'CustomKeys':
      return Object.entries(credentials.keys);
    case 'ApiKey':
      return keyHeader === null
        ? [['authorization', authorizationValue(credentials.apiKey)]]
        : [[keyHeader, credentials.apiKey]];
    default:
      throw unsupportedParameter(
        target,
        `The credentials of connection '${name}' are of type '${credentials.type}', which this server can't send there. Use CustomKeys, named like the headers they are sent in, or ApiKey.`,
      );
  }
}

/** The value of the header `authorization`: a bearer token, unless it names its scheme, as `Basic dTpw` does. */
export const authorizationValue = (given: string): string =>
  /^[\w!#$%&'*+.^`|~-]+ +\S/.test(given) ? given : `Bearer ${given}`;
