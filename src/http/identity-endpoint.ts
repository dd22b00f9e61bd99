import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { LocalIdentity } from '../trust/local-identities.ts';
import { acceptedAudiences, type TokenIssuer } from '../trust/tokens.ts';
import { isThisMachine } from './listener.ts';

export const identityPath = '/msi/token';

const apiVersion = '2019-08-01';

/**
 * The managed-identity endpoint of Azure App Service, as `DefaultAzureCredential` calls it: the secret in
 * `X-IDENTITY-HEADER`, `resource` and `api-version` in the query; answers with a token. Clients on this machine only.
 * It is a token that may do everything, unless `client_id` names one of the configured apps.
 */
export function installIdentityEndpoint(
  app: FastifyInstance,
  tokens: TokenIssuer,
  secret: string,
  identities: readonly LocalIdentity[] = [],
): void {
  const apps = new Map(
    identities.filter(({ kind }) => kind === 'app').map((identity) => [identity.clientId, identity]),
  );
  const expected = digest(secret);
  app.get(identityPath, { config: { isPublic: true, isAudited: true } }, async (request, reply) => {
    const refuse = (statusCode: number, message: string) =>
      reply.code(statusCode).send({ statusCode, message });
    if (!isThisMachine(request.socket)) {
      return refuse(403, 'Tokens are issued to clients on the machine of the server only.');
    }
    if (!timingSafeEqual(digest(header(request)), expected)) {
      return refuse(401, 'X-IDENTITY-HEADER is missing or wrong. `bloomery env` prints IDENTITY_HEADER.');
    }
    const query = request.query as Record<string, unknown>;
    if (query['api-version'] !== apiVersion) return refuse(400, `api-version must be ${apiVersion}.`);
    const resource = String(query.resource ?? '').replace(/\/?(\.default)?$/, '');
    if (!acceptedAudiences.includes(resource)) {
      return refuse(400, `resource must be one of ${acceptedAudiences.join(', ')}.`);
    }
    const clientId = query.client_id === undefined ? null : String(query.client_id).slice(0, 128);
    const identity = clientId === null ? undefined : apps.get(clientId.toLowerCase());
    if (clientId !== null && identity === undefined && apps.size > 0) {
      return refuse(400, `client_id names no app of this server. Give it the id of one of identity.apps.`);
    }
    const { accessToken, expiresOn } = await tokens.issue({
      audience: resource,
      ...(identity === undefined ? {} : { identity }),
    });
    return reply.header('cache-control', 'no-store').send({
      access_token: accessToken,
      expires_on: String(expiresOn),
      resource,
      token_type: 'Bearer',
      client_id: clientId ?? '00000000-0000-0000-0000-000000000000',
    });
  });
}

const header = (request: FastifyRequest): string => String(request.headers['x-identity-header'] ?? '');
const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
