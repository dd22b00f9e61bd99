/** Access tokens of this server's own: made for the managed-identity endpoint and by `bloomery token`. */
import { randomUUID } from 'node:crypto';
import { derivedUuid, type LocalIdentity } from './local-identities.ts';
import { everything, type Grant, type Principal } from './principal.ts';
import { type TokenKeys, tokenKeys } from './token-keys.ts';
import { invalidToken, quoted, tokenRefusal } from './token-refusal.ts';
import type { TokenSource } from './token-verifier.ts';

export const defaultAudience = 'https://ai.azure.com';
/** OpenAI and Azure OpenAI clients ask for tokens of the last one. */
export const acceptedAudiences = [
  defaultAudience,
  `${defaultAudience}/`,
  'https://cognitiveservices.azure.com',
];

/** The only project where a token is good, and the roles that it has there. */
export interface TokenScope {
  project: string;
  roles: readonly string[];
}

export interface TokenRequest {
  audience: string;
  /** Whom the token is for; without it for whoever started the server, who may do everything. */
  identity?: LocalIdentity;
  subject?: string;
  /** Where it is good, and for what, if not for everything. */
  within?: TokenScope;
  lifetimeSeconds?: number;
}

export interface IssuedToken {
  accessToken: string;
  /** Unix seconds. */
  expiresOn: number;
}

export interface TokenIssuer extends TokenSource {
  issue(request: TokenRequest): Promise<IssuedToken>;
}

export interface TokenIssuerOptions {
  directory: string;
  /** Milliseconds, as `Date.now`. */
  now?: () => number;
  audiences?: string[];
  identities?: readonly LocalIdentity[];
}

const algorithm = 'ES256';
const defaultLifetimeSeconds = 3600;
const skewSeconds = 5;

export async function createTokenIssuer(options: TokenIssuerOptions): Promise<TokenIssuer> {
  const { directory, now = Date.now, audiences = acceptedAudiences, identities = [] } = options;
  const { signing, verifying }: TokenKeys = tokenKeys(directory, now());
  const keyId = signing.id;
  const issuer = issuerOf(keyId);
  /** Each key is an issuer of its own. */
  const keyOf = (given: unknown) =>
    verifying.find(({ id, until }) => issuerOf(id) === given && until > now());
  const tenant = derivedUuid('tenant', keyId);
  const principals = new Map(identities.map((identity) => [identity.objectId, principalOf(identity)]));

  return {
    knows: (given) => keyOf(given) !== undefined,

    async issue(request) {
      const { audience, identity, subject = 'developer', within = {} } = request;
      const { lifetimeSeconds = defaultLifetimeSeconds } = request;
      const { SignJWT } = await import('./jwt.ts');
      const issuedAt = Math.floor(now() / 1000);
      const expiresOn = issuedAt + lifetimeSeconds;
      const accessToken = await new SignJWT(
        identity === undefined ? { ...within } : claimsOf(identity, tenant),
      )
        .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(identity?.objectId ?? subject)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(expiresOn)
        .setJti(randomUUID())
        .sign(signing.privateKey);
      return { accessToken, expiresOn };
    },

    async verify(token) {
      const { decodeJwt, jwtVerify } = await import('./jwt.ts');
      try {
        const key = keyOf(decodeJwt(token).iss) ?? verifying[0];
        const { payload } = await jwtVerify(token, key.publicKey, {
          ...{
            algorithms: [algorithm],
            issuer: issuerOf(key.id),
            audience: audiences,
            requiredClaims: ['exp', 'sub'],
          },
          ...{ clockTolerance: skewSeconds, currentDate: new Date(now()) },
        });
        const id = String(payload.sub);
        const principal =
          payload.oid === undefined
            ? { kind: 'token' as const, id, name: id, grants: grantsOf(payload) }
            : principals.get(String(payload.oid));
        if (principal === undefined) throw stranger(payload.oid);
        return { principal, expiresOn: Number(payload.exp), skewSeconds, keyId: key.id };
      } catch (error) {
        throw tokenRefusal(error, { audiences, algorithm });
      }
    },
  };
}

const issuerOf = (keyId: string): string => `urn:bloomery:${keyId}`;

function grantsOf({ project, roles }: Record<string, unknown>): readonly Grant[] {
  if (project === undefined) return everything;
  return Array.isArray(roles) ? roles.map((role) => ({ role: String(role), project: String(project) })) : [];
}

const principalOf = ({ objectId, name, grants }: LocalIdentity): Principal => ({
  ...{ kind: 'token', id: objectId, name, grants },
});

/** Named as in tokens of Microsoft Entra ID. They say who somebody is; what they may do, the configuration says. */
function claimsOf({ kind, name, objectId, clientId, groups, grants }: LocalIdentity, tenant: string) {
  const roles = [...new Set(grants.map(({ role }) => role))];
  const whose =
    kind === 'app'
      ? { idtyp: 'app', appid: clientId, azp: clientId, app_displayname: name }
      : { idtyp: 'user', name, preferred_username: name, upn: name, scp: 'user_impersonation' };
  return {
    ver: '2.0',
    tid: tenant,
    oid: objectId,
    ...whose,
    roles,
    ...(groups.length > 0 ? { groups } : {}),
  };
}

const stranger = (objectId: unknown) =>
  invalidToken(
    `The access token is of ${quoted(objectId)}, which is no user or app of this server's configuration (\`identity\`).`,
  );
