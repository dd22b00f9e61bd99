/** Access tokens of this server's own: made for the managed-identity endpoint and by `bloomery token`. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { join } from 'node:path';
import { trustDirectory } from './certificates.ts';
import { makePrivateDirectory, readPrivateIfPresent, writeDurably } from './durable-file.ts';
import { derivedUuid, type LocalIdentity } from './local-identities.ts';
import { everything, type Grant, type Principal } from './principal.ts';
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
  const privateKey = signingKey(directory);
  const publicKey = createPublicKey(privateKey);
  const keyId = hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'base64url').slice(0, 16);
  const issuer = `urn:bloomery:${keyId}`;
  const tenant = derivedUuid('tenant', keyId);
  const principals = new Map(identities.map((identity) => [identity.objectId, principalOf(identity)]));

  return {
    knows: (given) => given === issuer,

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
        .sign(privateKey);
      return { accessToken, expiresOn };
    },

    async verify(token) {
      const { jwtVerify } = await import('./jwt.ts');
      try {
        const { payload } = await jwtVerify(token, publicKey, {
          ...{ algorithms: [algorithm], issuer, audience: audiences, requiredClaims: ['exp', 'sub'] },
          ...{ clockTolerance: skewSeconds, currentDate: new Date(now()) },
        });
        const id = String(payload.sub);
        const principal =
          payload.oid === undefined
            ? { kind: 'token' as const, id, name: id, grants: grantsOf(payload) }
            : principals.get(String(payload.oid));
        if (principal === undefined) throw stranger(payload.oid);
        return { principal, expiresOn: Number(payload.exp), skewSeconds, keyId };
      } catch (error) {
        throw tokenRefusal(error, { audiences, algorithm });
      }
    },
  };
}

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

const keyRemedy = 'Delete it: a new one is made, and clients fetch new tokens by themselves.';

function signingKey(directory: string): KeyObject {
  const file = join(trustDirectory(directory), 'token-key.pem');
  const stored = readPrivateIfPresent(file);
  if (stored === null) {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    makePrivateDirectory(trustDirectory(directory));
    writeDurably(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
    return privateKey;
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(stored);
  } catch (error) {
    throw new Error(`${file} is damaged: it holds no private key. ${keyRemedy}`, { cause: error });
  }
  if (key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new Error(`${file} holds a key of another kind than EC P-256. ${keyRemedy}`);
  }
  return key;
}
