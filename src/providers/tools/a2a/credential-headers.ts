import { unsupportedParameter } from '../../../errors.ts';
import type { ConnectionCredentials } from '../connections.ts';

/**
 * The headers that a connection's credentials come to; a key goes into `keyHeader`, or is a bearer token. Throws about
 * credentials that come to none.
 */
export function credentialHeaders(
  credentials: ConnectionCredentials,
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
        `Credentials of type '${credentials.type}' mean nothing to another agent. Use a connection with CustomKeys or ApiKey.`,
      );
  }
}
