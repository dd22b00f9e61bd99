/** The public keys of a token issuer: fetched when first needed, kept, and fetched anew when it signs with another. */
import { createPublicKey, type KeyObject } from 'node:crypto';
import { type ApiError, apiError } from '../errors.ts';

export interface SigningKeys {
  /** Undefined for a key that the issuer does not have. Throws `service_unavailable` where it can't be asked. */
  find(keyId: string): Promise<KeyObject | undefined>;
}

export interface SigningKeysOptions {
  /** Of the metadata, whose `jwks_uri` tells where the keys are. */
  metadataUrl: string;
  /** Where the keys are, in place of what the metadata say. */
  keysUrl: string | null;
  fetch: typeof fetch;
  /** Is told of keys that the issuer has no more. */
  onGone(keyId: string): void;
  onFailure(error: unknown): void;
  /** Milliseconds, as `Date.now`. */
  now?: () => number;
}

export const signingKeyLimits = {
  /** Keys that are older are fetched anew, without anybody waiting for it. */
  freshMilliseconds: 3_600_000,
  /** Whoever makes key ids up causes one call in this time. */
  betweenCallsMilliseconds: 30_000,
  betweenFailuresMilliseconds: 5000,
  callMilliseconds: 5000,
  bytes: 262_144,
  keys: 100,
  modulusBits: 2048,
};

export function createSigningKeys(options: SigningKeysOptions): SigningKeys {
  const { now = Date.now } = options;
  let keys: Map<string, KeyObject> | null = null;
  let fetchedAt = Number.NEGATIVE_INFINITY;
  let failedAt = Number.NEGATIVE_INFINITY;
  let underWay: Promise<void> | null = null;

  const load = async (): Promise<void> => {
    try {
      const fetched = await fetchKeys(options);
      for (const keyId of keys?.keys() ?? []) if (!fetched.has(keyId)) options.onGone(keyId);
      keys = fetched;
      fetchedAt = now();
      failedAt = Number.NEGATIVE_INFINITY;
    } catch (error) {
      failedAt = now();
      options.onFailure(error);
    } finally {
      underWay = null;
    }
  };
  const mayCall = (): boolean =>
    now() - fetchedAt >= signingKeyLimits.betweenCallsMilliseconds &&
    now() - failedAt >= signingKeyLimits.betweenFailuresMilliseconds;
  const refresh = (): Promise<void> => {
    if (underWay === null && mayCall()) underWay = load();
    return underWay ?? Promise.resolve();
  };

  return {
    async find(keyId) {
      const known = keys?.get(keyId);
      if (known !== undefined) {
        if (now() - fetchedAt > signingKeyLimits.freshMilliseconds) void refresh();
        return known;
      }
      await refresh();
      const found = keys?.get(keyId);
      if (found === undefined && failedAt > fetchedAt) throw unreachable();
      return found;
    },
  };
}

const unreachable = (): ApiError =>
  apiError(
    'service_unavailable',
    'The access token cannot be verified: the keys of its issuer cannot be fetched now. Repeat the request; if it goes on, an operator finds the reason in the log of the server.',
    { headers: { 'retry-after': String(signingKeyLimits.betweenFailuresMilliseconds / 1000) }, retry: true },
  );

async function fetchKeys(options: SigningKeysOptions): Promise<Map<string, KeyObject>> {
  const signal = AbortSignal.timeout(signingKeyLimits.callMilliseconds);
  const get = async (url: string): Promise<Record<string, unknown>> => {
    const response = await options.fetch(url, {
      ...{ signal, redirect: 'error', headers: { accept: 'application/json' } },
    });
    const text = await textOf(response);
    if (!response.ok) throw new Error(`${new URL(url).origin} answered ${response.status}.`);
    return JSON.parse(text);
  };
  const keysUrl = options.keysUrl ?? (await get(options.metadataUrl)).jwks_uri;
  if (!isSafe(keysUrl)) throw new Error('The metadata of the issuer have no jwks_uri with https.');
  const { keys } = await get(keysUrl);
  const found = new Map<string, KeyObject>();
  for (const key of (Array.isArray(keys) ? keys : []).slice(0, signingKeyLimits.keys)) {
    const publicKey = signingKey(key ?? {});
    if (publicKey !== null) found.set(key.kid, publicKey);
  }
  if (found.size === 0) throw new Error('The issuer has published no RSA key to verify with.');
  return found;
}

/** Plain HTTP stays within the machine. */
const isSafe = (url: unknown): url is string =>
  typeof url === 'string' && /^https:\/\/|^http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/]/.test(url);

async function textOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > signingKeyLimits.bytes) throw new Error('The answer of the issuer is too long.');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function signingKey(jwk: Record<string, unknown>): KeyObject | null {
  const { kty, kid, n, e, use = 'sig', alg = 'RS256' } = jwk;
  if (kty !== 'RSA' || typeof kid !== 'string' || use !== 'sig' || alg !== 'RS256') return null;
  try {
    const key = createPublicKey({ key: { kty, n: String(n), e: String(e) }, format: 'jwk' });
    return (key.asymmetricKeyDetails?.modulusLength ?? 0) >= signingKeyLimits.modulusBits ? key : null;
  } catch {
    return null;
  }
}
