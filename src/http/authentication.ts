import type { FastifyRequest } from 'fastify';
import { type ApiError, apiError } from '../errors.ts';
import type { Principal } from '../trust/principal.ts';

export interface Credentials {
  /** Null for what is no valid key. */
  verifyKey(candidate: string): Principal | null;
  /** Why it is none. */
  keyRefusal?(candidate: string): string;
  /** Throws `invalid_credential`, saying what is wrong with the token. */
  verifyToken(token: string): Principal | Promise<Principal>;
}

/**
 * `api-key: KEY`, `Authorization: Bearer TOKEN`, or `Authorization: Bearer KEY`, as OpenAI clients send keys.
 * With both headers present either may be the valid one.
 */
export function authenticate(
  request: FastifyRequest,
  credentials: Credentials,
): Principal | Promise<Principal> {
  const { authorization, 'api-key': apiKey } = request.headers;
  if (typeof apiKey === 'string') {
    const principal = credentials.verifyKey(apiKey);
    if (principal !== null) return principal;
    if (authorization === undefined) throw unauthorized(refusal(apiKey, credentials), 'api-key');
  }
  if (authorization === undefined) {
    throw unauthorized(
      "The request carries no credential. Send 'Authorization: Bearer <token>' or 'api-key: <key>'.",
      'Authorization',
    );
  }
  const bearer = /^Bearer +(\S+)$/i.exec(authorization)?.[1];
  if (bearer === undefined) {
    throw unauthorized(
      "The Authorization header is malformed; its form is 'Bearer <token or key>'.",
      'Authorization',
    );
  }
  const principal = credentials.verifyKey(bearer);
  if (principal !== null) return principal;
  if (!bearer.includes('.')) throw unauthorized(refusal(bearer, credentials), 'Authorization');
  return credentials.verifyToken(bearer);
}

const refusal = (key: string, { keyRefusal }: Credentials): string =>
  keyRefusal?.(key) ?? 'The API key is not valid on this server.';

const unauthorized = (message: string, target: string): ApiError =>
  apiError('invalid_credential', message, { target, headers: { 'www-authenticate': 'Bearer' } });
