/**
 * `node bench/token-verification.ts`: what it costs to verify an access token of Microsoft Entra ID, in µs. Warm is a
 * token that has been seen before, cold one that has not, with the keys of its issuer known.
 */
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { exportJWK, SignJWT } from 'jose';
import { entraTokens } from '../src/trust/entra.ts';
import { createSigningKeys } from '../src/trust/signing-keys.ts';
import { createTokenVerifier } from '../src/trust/token-verifier.ts';

const tenant = randomUUID();
const authority = 'https://login.test';
const audience = 'https://ai.azure.com';
const rounds = 15;
const warmTokens = 1000;
const coldTokens = 300;

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const jwk = { ...(await exportJWK(publicKey)), kid: 'key', use: 'sig' };
const fetched: typeof fetch = async () => Response.json({ keys: [jwk] });

/** As long as those of a user in some twenty groups. */
function token(): Promise<string> {
  const at = Math.floor(Date.now() / 1000);
  return new SignJWT({
    ...{ iss: `${authority}/${tenant}/v2.0`, aud: audience, iat: at, nbf: at, exp: at + 3600, ver: '2.0' },
    ...{ tid: tenant, oid: randomUUID(), azp: randomUUID(), scp: 'user_impersonation', name: 'Ada Lovelace' },
    ...{ groups: Array.from({ length: 20 }, () => randomUUID()), preferred_username: 'ada@example.com' },
  })
    .setProtectedHeader({ alg: 'RS256', kid: 'key', typ: 'JWT' })
    .sign(privateKey);
}

const keys = createSigningKeys({
  ...{ metadataUrl: authority, keysUrl: `${authority}/keys`, fetch: fetched, onGone() {} },
  onFailure(error) {
    throw error;
  },
});
const settings = { tenant, authority, audiences: [audience], jwksUri: null, clockSkewSeconds: 60 };
const roleAssignments = [{ of: 'group' as const, id: randomUUID(), role: 'Reader' as const, project: null }];
const verifier = createTokenVerifier([entraTokens({ ...settings, keys, roleAssignments, warn() {} })]);

const median = (all: number[]): number => all.sort((a, b) => a - b)[Math.floor(all.length / 2)] ?? Number.NaN;

async function each(tokens: string[]): Promise<number> {
  const start = performance.now();
  for (const text of tokens) {
    const known = verifier.verify(text);
    if (known instanceof Promise) await known;
  }
  return ((performance.now() - start) * 1000) / tokens.length;
}

const warm = await Promise.all(Array.from({ length: warmTokens }, token));
await each(warm);
const warmTimes: number[] = [];
const coldTimes: number[] = [];
for (let round = 0; round < rounds; round++) {
  warmTimes.push(await each(warm));
  coldTimes.push(await each(await Promise.all(Array.from({ length: coldTokens }, token))));
}
const figures = {
  warm_us: Number(median(warmTimes).toFixed(2)),
  cold_us: Number(median(coldTimes).toFixed(1)),
  token_bytes: warm[0]?.length,
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
