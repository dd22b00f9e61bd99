/** Access tokens: made for the managed-identity endpoint, verified on every request that carries one. */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { join } from 'node:path';
import { type ApiError, apiError } from '../errors.ts';
import { trustDirectory } from './certificates.ts';
import { makePrivateDirectory, readPrivateIfPresent, writeDurably } from './durable-file.ts';
import { everything, type Principal } from './principal.ts';

export const defaultAudience = 'https://ai.azure.com';
/** OpenAI and Azure OpenAI clients ask for tokens of the last one. */
export const acceptedAudiences = [
  defaultAudience,
  `${defaultAudience}/`,
  'https://cognitiveservices.azure.com',
];

export interface TokenRequest {
  audience: string;
  subject?: string;
  lifetimeSeconds?: number;
}

export interface IssuedToken {
  accessToken: string;
  /** Unix seconds. */
  expiresOn: number;
}

export interface TokenIssuer {
  issue(request: TokenRequest): Promise<IssuedToken>;
  /** Throws `invalid_credential`, saying what is wrong. Answers without a promise for a token seen before. */
  verify(token: string): Principal | Promise<Principal>;
}

export interface TokenIssuerOptions {
  directory: string;
  /** Milliseconds, as `Date.now`. */
  now?: () => number;
  audiences?: string[];
  rememberedTokens?: number;
}

interface Verified {
  principal: Principal;
  expiresOn: number;
}

const algorithm = 'ES256';
const defaultLifetimeSeconds = 3600;
const clockToleranceSeconds = 5;
const longestToken = 16_384;

export async function createTokenIssuer(options: TokenIssuerOptions): Promise<TokenIssuer> {
  const { directory, now = Date.now, audiences = acceptedAudiences, rememberedTokens = 1000 } = options;
  const privateKey = signingKey(directory);
  const publicKey = createPublicKey(privateKey);
  const keyId = hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'base64url').slice(0, 16);
  const issuer = `urn:bloomery:${keyId}`;
  const remembered = new Map<string, Verified>();

  function remember(digest: string, verified: Verified): void {
    if (remembered.size >= rememberedTokens) remembered.delete(remembered.keys().next().value as string);
    remembered.set(digest, verified);
  }

  async function verifyNew(token: string, digest: string): Promise<Principal> {
    if (token.length > longestToken) throw invalidToken('The access token is malformed: it is too long.');
    const { decodeJwt, jwtVerify } = await import('./jwt.ts');
    try {
      // Before the signature, so that a token of another issuer is named as such.
      if (decodeJwt(token).iss !== issuer) throw invalidToken(foreign);
      const { payload } = await jwtVerify(token, publicKey, {
        algorithms: [algorithm],
        issuer,
        audience: audiences,
        requiredClaims: ['exp', 'sub'],
        clockTolerance: clockToleranceSeconds,
        currentDate: new Date(now()),
      });
      const id = String(payload.sub);
      const principal: Principal = { kind: 'token', id, name: id, grants: everything };
      remember(digest, { principal, expiresOn: Number(payload.exp) });
      return principal;
    } catch (error) {
      throw describe(error, audiences);
    }
  }

  return {
    async issue({ audience, subject = 'developer', lifetimeSeconds = defaultLifetimeSeconds }) {
      const { SignJWT } = await import('./jwt.ts');
      const issuedAt = Math.floor(now() / 1000);
      const expiresOn = issuedAt + lifetimeSeconds;
      const accessToken = await new SignJWT({})
        .setProtectedHeader({ alg: algorithm, kid: keyId, typ: 'JWT' })
        .setIssuer(issuer)
        .setSubject(subject)
        .setAudience(audience)
        .setIssuedAt(issuedAt)
        .setNotBefore(issuedAt)
        .setExpirationTime(expiresOn)
        .setJti(randomUUID())
        .sign(privateKey);
      return { accessToken, expiresOn };
    },
    verify(token) {
      const digest = hash('sha256', token, 'base64url');
      const known = remembered.get(digest);
      if (known === undefined) return verifyNew(token, digest);
      if (known.expiresOn + clockToleranceSeconds > now() / 1000) return known.principal;
      remembered.delete(digest);
      throw expired(known.expiresOn);
    },
  };
}

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

const foreign =
  'The access token was not issued by this server. Fetch one from its identity endpoint; `bloomery env` prints the variables that make clients do so.';

const expired = (unixSeconds: number): ApiError =>
  invalidToken(`The access token expired at ${new Date(unixSeconds * 1000).toISOString()}.`);

function describe(error: unknown, audiences: string[]): unknown {
  const { code, claim, payload, reason } = error as JoseError;
  switch (code) {
    case 'ERR_JWT_EXPIRED':
      return expired(Number(payload?.exp));
    case 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED':
      return invalidToken('The access token has a bad signature.');
    case 'ERR_JWT_CLAIM_VALIDATION_FAILED':
      if (claim === 'aud') {
        return invalidToken(
          `The access token is for the audience '${String(payload?.aud)}', but this server expects '${audiences.join("' or '")}'.`,
        );
      }
      if (claim === 'nbf' && reason === 'check_failed') {
        return invalidToken(
          `The access token is not valid before ${new Date(Number(payload?.nbf) * 1000).toISOString()}; compare the clocks.`,
        );
      }
      return invalidToken(
        `The access token is malformed: its claim '${claim}' is missing or of a wrong type.`,
      );
    default:
      if (code?.startsWith('ERR_J')) {
        return invalidToken('The access token is malformed: it is not a JSON web token signed with ES256.');
      }
      return error;
  }
}

interface JoseError {
  code?: string;
  claim?: string;
  reason?: string;
  payload?: Record<string, unknown>;
}

/** No `claims=` challenge: on that the Azure SDKs would fetch a token again and repeat the request. */
function invalidToken(message: string): ApiError {
  const description = message.replaceAll(/["\\]/g, "'").replaceAll(/[^\x20-\x7e]/g, '?');
  return apiError('invalid_credential', message, {
    target: 'Authorization',
    headers: { 'www-authenticate': `Bearer error="invalid_token", error_description="${description}"` },
  });
}
