import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeJwt, SignJWT } from 'jose';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ApiError } from '../errors.ts';
import { createTokenVerifier, type TokenVerifierOptions } from './token-verifier.ts';
import { createTokenIssuer, type TokenIssuerOptions } from './tokens.ts';

let directory: string;
let time: number;
let issuer: Awaited<ReturnType<typeof open>>;
const now = () => time;
const audience = 'https://ai.azure.com';

/** A server's issuer, with what verifies its tokens. */
async function open(options: Partial<TokenIssuerOptions & TokenVerifierOptions> = {}) {
  const { issue, ...source } = await createTokenIssuer({ directory, now, ...options });
  return { issue, verify: createTokenVerifier([source], { now, ...options }).verify };
}

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  time = Date.UTC(2026, 0, 1);
  issuer = await open();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

async function refusal(token: string, by = issuer): Promise<ApiError> {
  try {
    await by.verify(token);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error('The token was accepted.');
}

describe('a token', () => {
  test('is accepted until it expires', async () => {
    const { accessToken, expiresOn } = await issuer.issue({ audience, lifetimeSeconds: 60 });
    expect(expiresOn).toBe(time / 1000 + 60);
    expect(await issuer.verify(accessToken)).toMatchObject({
      kind: 'token',
      id: 'developer',
      name: 'developer',
    });
    time += 59_000;
    expect(await issuer.verify(accessToken)).toMatchObject({ kind: 'token' });
  });

  test('of this server to itself may do in one project what its roles allow, and nothing else', async () => {
    const within = { project: 'p', roles: ['Foundry Agent Consumer', 'Mine'] };
    const { accessToken } = await issuer.issue({ audience, subject: 'agent', within });
    expect((await issuer.verify(accessToken)).grants).toEqual([
      { role: 'Foundry Agent Consumer', project: 'p' },
      { role: 'Mine', project: 'p' },
    ]);
    const none = await issuer.issue({ audience, within: { project: 'p', roles: [] } });
    expect((await issuer.verify(none.accessToken)).grants).toEqual([]);
  });

  test('is answered without a promise once it is known', async () => {
    const { accessToken } = await issuer.issue({ audience, subject: 'ada' });
    expect(issuer.verify(accessToken)).toBeInstanceOf(Promise);
    await issuer.verify(accessToken);
    expect(issuer.verify(accessToken)).toMatchObject({ kind: 'token', id: 'ada', name: 'ada' });
  });

  test('stays valid over a restart', async () => {
    const { accessToken } = await issuer.issue({ audience });
    const restarted = await open();
    expect(await restarted.verify(accessToken)).toMatchObject({ id: 'developer' });
  });

  test.each(['https://ai.azure.com', 'https://ai.azure.com/', 'https://cognitiveservices.azure.com'])(
    'for %s is accepted',
    async (accepted) => {
      const { accessToken } = await issuer.issue({ audience: accepted });
      expect(await issuer.verify(accessToken)).toMatchObject({ kind: 'token' });
    },
  );

  test('is remembered within bounds', async () => {
    const forgetful = await open({ rememberedTokens: 2 });
    const tokens = await Promise.all([1, 2, 3].map(() => forgetful.issue({ audience })));
    for (const { accessToken } of tokens) await forgetful.verify(accessToken);
    const known = tokens.map(({ accessToken }) => !(forgetful.verify(accessToken) instanceof Promise));
    expect(known).toEqual([false, true, true]);
  });
});

describe('a refusal says why:', () => {
  test('malformed', async () => {
    for (const token of ['', 'abc', 'a.b.c', 'x'.repeat(20_000), '....']) {
      expect((await refusal(token)).message).toContain('malformed');
    }
  });

  test.each(['at first sight', 'when remembered'])('expired, %s', async (when) => {
    const { accessToken } = await issuer.issue({ audience, lifetimeSeconds: 60 });
    if (when === 'when remembered') await issuer.verify(accessToken);
    time += 66_000;
    expect((await refusal(accessToken)).message).toContain('expired at 2026-01-01T00:01:00.000Z');
  });

  test('not valid yet', async () => {
    const { accessToken } = await issuer.issue({ audience });
    time -= 60_000;
    expect((await refusal(accessToken)).message).toContain('not valid before 2026-01-01T00:00:00.000Z');
  });

  test('wrong audience, with the expected one', async () => {
    const { accessToken } = await issuer.issue({ audience: 'https://management.azure.com' });
    const { message } = await refusal(accessToken);
    expect(message).toContain("'https://management.azure.com'");
    expect(message).toContain("expects 'https://ai.azure.com'");
  });

  test('bad signature', async () => {
    const { accessToken } = await issuer.issue({ audience });
    const [header, , signature] = accessToken.split('.');
    const forged = Buffer.from(JSON.stringify({ ...decodeJwt(accessToken), sub: 'root' })).toString(
      'base64url',
    );
    expect((await refusal(`${header}.${forged}.${signature}`)).message).toContain('bad signature');
  });

  test('not from this server', async () => {
    const elsewhere = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
    const other = await open({ directory: elsewhere });
    const { accessToken } = await other.issue({ audience });
    expect((await refusal(accessToken)).message).toContain('not issued by this server');
    rmSync(elsewhere, { recursive: true });
  });

  test('signed by another key under our name, or not signed at all', async () => {
    const { accessToken } = await issuer.issue({ audience });
    const claims = decodeJwt(accessToken);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const forged = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey);
    expect((await refusal(forged)).message).toContain('bad signature');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${forged.split('.')[1]}.`;
    expect((await refusal(none)).message).toContain('malformed');
    const symmetric = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .sign(new TextEncoder().encode('a secret that is long enough for HS256'));
    expect((await refusal(symmetric)).message).toContain('malformed');
  });

  test('in the header too, without a claims challenge', async () => {
    const { accessToken } = await issuer.issue({ audience: 'https://é.test/"\\' });
    const error = await refusal(accessToken);
    expect([error.status, error.code]).toEqual([401, 'invalid_credential']);
    expect(error.headers['www-authenticate']).toMatch(
      /^Bearer error="invalid_token", error_description="[\x20-\x21\x23-\x5b\x5d-\x7e]+"$/,
    );
    expect(error.headers['www-authenticate']).not.toContain('claims=');
  });
});

describe('the signing key', () => {
  test('is kept from others', () => {
    expect(statSync(join(directory, 'trust', 'token-key.pem')).mode & 0o777).toBe(0o600);
  });

  test('is reported when damaged', async () => {
    writeFileSync(join(directory, 'trust', 'token-key.pem'), 'garbage');
    await expect(createTokenIssuer({ directory })).rejects.toThrow(/token-key\.pem is damaged.*Delete it/);
  });
});
