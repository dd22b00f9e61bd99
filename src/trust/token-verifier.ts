/** Access tokens on their way in: each is verified by whoever knows its issuer, and remembered while it is valid. */
import { hash } from 'node:crypto';
import type { Principal } from './principal.ts';
import { expiredToken, invalidToken, quoted, tokenRefusal } from './token-refusal.ts';

export interface VerifiedToken {
  principal: Principal;
  /** Unix seconds, as the token says it. */
  expiresOn: number;
  /** By how much clocks may differ. */
  skewSeconds: number;
  /** The key that signed it. */
  keyId: string;
}

/** One who issues tokens. */
export interface TokenSource {
  knows(issuer: unknown): boolean;
  /** Throws `invalid_credential`, saying what is wrong. */
  verify(token: string): Promise<VerifiedToken>;
}

export interface TokenVerifier {
  /** Throws `invalid_credential`, saying what is wrong. Answers without a promise for a token seen before. */
  verify(token: string): Principal | Promise<Principal>;
  /** Has the tokens that a key signed verified anew. */
  forget(keyId: string): void;
}

export interface TokenVerifierOptions {
  /** Milliseconds, as `Date.now`. */
  now?: () => number;
  rememberedTokens?: number;
}

export const longestToken = 16_384;

export function createTokenVerifier(
  sources: readonly TokenSource[],
  { now = Date.now, rememberedTokens = 10_000 }: TokenVerifierOptions = {},
): TokenVerifier {
  const remembered = new Map<string, VerifiedToken>();

  function remember(digest: string, verified: VerifiedToken): void {
    if (remembered.size >= rememberedTokens) remembered.delete(remembered.keys().next().value as string);
    remembered.set(digest, verified);
  }

  async function verifyNew(token: string, digest: string): Promise<Principal> {
    if (token.length > longestToken) throw invalidToken('The access token is malformed: it is too long.');
    const { decodeJwt } = await import('./jwt.ts');
    let issuer: unknown;
    try {
      // Before the signature, so that a token of another issuer is named as such.
      issuer = decodeJwt(token).iss;
    } catch (error) {
      throw tokenRefusal(error, { audiences: [], algorithm: 'a key' });
    }
    const source = sources.find((one) => one.knows(issuer));
    if (source === undefined) throw unknownIssuer(issuer, sources.length > 1);
    const verified = await source.verify(token);
    remember(digest, verified);
    return verified.principal;
  }

  return {
    verify(token) {
      const digest = hash('sha256', token, 'base64');
      const known = remembered.get(digest);
      if (known === undefined) return verifyNew(token, digest);
      if (known.expiresOn + known.skewSeconds > now() / 1000) return known.principal;
      remembered.delete(digest);
      throw expiredToken(known.expiresOn);
    },
    forget(keyId) {
      for (const [digest, verified] of remembered) if (verified.keyId === keyId) remembered.delete(digest);
    },
  };
}

function unknownIssuer(issuer: unknown, othersConfigured: boolean) {
  const given = typeof issuer === 'string' ? ` (it is of ${quoted(issuer)})` : '';
  const remedy = othersConfigured
    ? 'nor by the tenant that it is configured for (`identity.entra`).'
    : 'and it is configured to take those of no other issuer (`identity.entra`). Fetch one from its identity endpoint; `bloomery env` prints the variables that make clients do so.';
  return invalidToken(`The access token was not issued by this server${given}, ${remedy}`);
}
