import { unsupportedParameter } from '../../errors.ts';
import type { ToolConnection } from './connections.ts';

/**
 * The headers that a connection's credentials come to; a key goes into `keyHeader`, or is a bearer token. Throws about
 * credentials that come to none.
 */
export function credentialHeaders(
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
        ? [['authorization', `Bearer ${credentials.apiKey}`]]
        : [[keyHeader, credentials.apiKey]];
    default:
      throw unsupportedParameter(
        target,
        `The credentials of connection '${name}' are of type '${credentials.type}', which this server can't send there. Use CustomKeys, named like the headers they are sent in, or ApiKey.`,
      );
  }
}
