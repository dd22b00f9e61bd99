import type { FastifyRequest } from 'fastify';
import { type ApiError, apiError } from '../errors.ts';
import type { Principal } from '../trust/principal.ts';

export interface Credentials {
  verifyKey(candidate: string): Principal | null;
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
    if (authorization === undefined)
      throw unauthorized('The API key is not valid on this server.', 'api-key');
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
  if (!bearer.includes('.')) throw unauthorized('The API key is not valid on this server.', 'Authorization');
  return credentials.verifyToken(bearer);
}

const unauthorized = (message: string, target: string): ApiError =>
  apiError('invalid_credential', message, { target, headers: { 'www-authenticate': 'Bearer' } });
