/** A tenant on loopback: an OpenID provider whose tokens are of the form of those of Microsoft Entra ID. */
import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK } from 'jose';
// @ts-expect-error It comes without types.
import OidcProvider from 'oidc-provider';

export const tenantId = '7a0b1c2d-0000-4000-8000-00000000000a';
export const clientId = '7a0b1c2d-0000-4000-8000-00000000000b';
const clientSecret = 'secret';

async function signingKey() {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...(await exportJWK(privateKey)), use: 'sig', alg: 'RS256', kid: crypto.randomUUID() };
}

export async function startTenant() {
  let claims: Record<string, unknown> = {};
  let provide: RequestListener = () => {};
  const calls: string[] = [];
  const path = `/${tenantId}/v2.0`;
  const server = createServer((request: IncomingMessage & { originalUrl?: string }, reply) => {
    calls.push(request.url ?? '');
    // As a framework does that mounts the provider below a path.
    request.originalUrl = request.url ?? '';
    request.url = request.originalUrl.replace(path, '');
    provide(request, reply);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const rotate = async (): Promise<void> => {
    const provider = new OidcProvider(origin + path, {
      jwks: { keys: [await signingKey()] },
      clients: [
        {
          client_id: clientId,
          client_secret: clientSecret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      extraTokenClaims: () => ({ tid: tenantId, azp: clientId, ...claims }),
      ttl: { ClientCredentials: 3600 },
      features: {
        clientCredentials: { enabled: true },
        devInteractions: { enabled: false },
        resourceIndicators: {
          enabled: true,
          getResourceServerInfo: (_ctx: unknown, resource: string) => ({
            scope: '',
            audience: resource,
            accessTokenFormat: 'jwt',
            accessTokenTTL: 3600,
            jwt: { sign: { alg: 'RS256' } },
          }),
        },
      },
    });
    provide = provider.callback();
  };
  await rotate();

  return {
    /** The authority, as the configuration names it. */
    origin,
    /** The paths that were asked for. */
    calls,
    rotate,
    /** A token from the token endpoint, with further claims. */
    async token(further: object, resource = 'https://ai.azure.com'): Promise<string> {
      claims = { ...further };
      const reply = await fetch(`${origin}${path}/token`, {
        method: 'POST',
        headers: { authorization: `Basic ${btoa(`${clientId}:${clientSecret}`)}` },
        body: new URLSearchParams({ grant_type: 'client_credentials', resource }),
      });
      const { access_token: token, ...rest } = (await reply.json()) as { access_token?: string };
      if (token === undefined) throw new Error(`The provider answered ${JSON.stringify(rest)}`);
      return token;
    },
    async close(): Promise<void> {
      server.closeAllConnections();
      server.close();
    },
  };
}
