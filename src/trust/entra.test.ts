import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { exportJWK, SignJWT } from 'jose';
import { beforeEach, describe, expect, test } from 'vitest';
import { ApiError } from '../errors.ts';
import { entraTokens, metadataUrl } from './entra.ts';
import type { Principal } from './principal.ts';
import type { RoleAssignment } from './role-assignments.ts';
import { createSigningKeys } from './signing-keys.ts';
import { createTokenVerifier, type TokenVerifier } from './token-verifier.ts';

const tenant = '11111111-1111-4111-8111-111111111111';
const audience = 'https://ai.azure.com';
const settings = {
  ...{ tenant, audiences: [audience], authority: 'https://login.test', jwksUri: null, clockSkewSeconds: 60 },
};
const newKey = () => generateKeyPairSync('rsa', { modulusLength: 2048 });
const first = newKey();
const second = newKey();
const issuer = `https://login.test/${tenant}/v2.0`;
const ada = '22222222-2222-4222-8222-222222222222';
const group = '33333333-3333-4333-8333-333333333333';
const client = '44444444-4444-4444-8444-444444444444';
const user = {
  oid: ada,
  tid: tenant,
  scp: 'user_impersonation',
  azp: client,
  preferred_username: 'ada@test',
};
const app = { oid: randomUUID(), tid: tenant, azp: client, idtyp: 'app' };
const start = Date.UTC(2026, 0, 1);

let time: number;
let calls: string[];
let published: Map<string, KeyObject>;
let isDown: boolean;
let verifier: TokenVerifier;
let warnings: string[];
beforeEach(() => {
  time = start;
  calls = [];
  published = new Map([['first', first.publicKey]]);
  isDown = false;
  verifier = open([]);
});

/** What the tenant publishes, without a network. */
const fetched: typeof fetch = async (input) => {
  calls.push(String(input));
  if (isDown) throw new TypeError('fetch failed');
  if (String(input) === metadataUrl(settings)) return Response.json({ jwks_uri: 'https://login.test/keys' });
  const entries = [...published].map(async ([kid, key]) => ({ ...(await exportJWK(key)), kid, use: 'sig' }));
  return Response.json({ keys: await Promise.all(entries) });
};

function open(roleAssignments: RoleAssignment[]): TokenVerifier {
  warnings = [];
  const now = () => time;
  const made: TokenVerifier = createTokenVerifier(
    [
      entraTokens({
        ...settings,
        ...{ roleAssignments, now, warn: (message: string) => warnings.push(message) },
        keys: createSigningKeys({
          ...{ metadataUrl: metadataUrl(settings), keysUrl: null, fetch: fetched, now },
          onGone: (keyId) => made.forget(keyId),
          onFailure() {},
        }),
      }),
    ],
    { now },
  );
  return made;
}

interface Signing {
  key?: KeyObject;
  kid?: string;
  alg?: string;
  header?: object;
}

function token(
  claims: object,
  { key = first.privateKey, kid = 'first', alg = 'RS256', header }: Signing = {},
) {
  const at = Math.floor(time / 1000);
  return new SignJWT({ iss: issuer, aud: audience, iat: at, nbf: at, exp: at + 3600, ...claims })
    .setProtectedHeader({ alg, kid, typ: 'JWT', ...header })
    .sign(key);
}

const verify = async (text: string): Promise<Principal> => verifier.verify(text);

async function refusal(text: string): Promise<ApiError> {
  const error = await verify(text).then(
    () => new Error('The token was accepted.'),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof ApiError)) throw error;
  return error;
}

describe('tokens that are taken:', () => {
  test('of a user, of either version, and without a promise once known', async () => {
    const text = await token(user);
    expect(await verify(text)).toEqual({ kind: 'token', id: ada, name: 'ada@test', grants: [] });
    expect(verifier.verify(text)).not.toBeInstanceOf(Promise);
    const older = { ...user, iss: `https://sts.windows.net/${tenant}/`, azp: undefined, appid: client };
    expect(await verify(await token(older))).toMatchObject({ id: ada });
    expect(calls).toHaveLength(2);
  });

  test('with clocks that differ a little', async () => {
    const at = time / 1000;
    expect(await verify(await token({ ...user, nbf: at + 50 }))).toMatchObject({ id: ada });
    const text = await token({ ...user, exp: at + 10 });
    await verify(text);
    time += 65_000;
    expect(verifier.verify(text)).toMatchObject({ id: ada });
    time += 10_000;
    expect((await refusal(text)).message).toContain('expired at 2026-01-01T00:00:10.000Z');
  });
});

describe('roles are given', () => {
  const role = 'Azure AI User';
  const holders = [
    { of: 'user', id: ada },
    { of: 'group', id: group },
    { of: 'app', id: client },
    { of: 'appRole', id: 'Writer' },
  ] as const;
  beforeEach(() => {
    verifier = open(holders.map((holder) => ({ ...holder, role, project: holder.of })));
  });
  const projects = async (claims: object) =>
    (await verify(await token(claims))).grants.map((one) => one.project);

  test('to users, but not for the app that they have signed in to', async () => {
    expect(await projects(user)).toEqual(['user']);
  });
  test('to groups, and to directory roles', async () => {
    expect(await projects({ ...user, groups: [group.toUpperCase()] })).toEqual(['user', 'group']);
    expect(await projects({ ...user, oid: randomUUID(), wids: [group] })).toEqual(['group']);
  });
  test('to apps, and by app roles', async () => {
    expect(await projects({ ...app, roles: ['Writer', 'Other'] })).toEqual(['app', 'appRole']);
    expect(await projects({ ...app, idtyp: undefined })).toEqual(['app']);
  });
  test('to users in so many groups that the token lists none only otherwise', async () => {
    const overage = { _claim_names: { groups: 'src1' } };
    expect(await projects({ ...user, ...overage })).toEqual(['user']);
    const error = await refusal(await token({ ...user, oid: randomUUID(), ...overage }));
    expect([error.status, error.code]).toEqual([403, 'PermissionDenied']);
    expect(error.message).toContain('assign roles to the user or to an app role');
    expect(warnings).toHaveLength(2);
  });
});

describe('attacks are refused:', () => {
  test.each<[string, object, string]>([
    [
      'another audience',
      { aud: 'https://graph.microsoft.com' },
      "this server expects 'https://ai.azure.com'",
    ],
    ['no audience', { aud: undefined }, "claim 'aud'"],
    ['another tenant under our name', { tid: randomUUID() }, 'another tenant'],
    ['an unknown issuer', { iss: `https://login.test/${randomUUID()}/v2.0` }, 'not issued by this server'],
    ['an issuer that begins as ours', { iss: `${issuer}/` }, 'not issued by this server'],
    ['no end', { exp: undefined }, "claim 'exp'"],
    ['an end that is no number', { exp: 'never' }, "claim 'exp'"],
    ['no object id', { oid: undefined }, "claim 'oid'"],
    ['expired', { exp: start / 1000 - 61 }, 'expired at'],
    ['from the future', { nbf: start / 1000 + 61 }, 'not valid before'],
    ['an ID token', { scp: undefined, azp: undefined }, 'no access token'],
  ])('%s', async (_, claims, words) => {
    const error = await refusal(await token({ ...user, ...claims }));
    expect([error.status, error.code]).toEqual([401, 'invalid_credential']);
    expect(error.message).toContain(words);
    expect(error.headers['www-authenticate']).not.toContain('claims=');
  });

  test('alg none, with and without the signature of another token', async () => {
    const [, payload, signature] = (await token(user)).split('.');
    const header = Buffer.from('{"alg":"none","kid":"first"}').toString('base64url');
    for (const text of [`${header}.${payload}.`, `${header}.${payload}.${signature}`]) {
      expect((await refusal(text)).message).toContain('signed with RS256');
    }
  });

  test('the public key as the secret of HS256', async () => {
    const secret = Buffer.from(first.publicKey.export({ type: 'spki', format: 'pem' }));
    const forged = await new SignJWT({ ...user, iss: issuer, aud: audience, exp: start / 1000 + 60 })
      .setProtectedHeader({ alg: 'HS256', kid: 'first' })
      .sign(secret);
    expect((await refusal(forged)).message).toContain('signed with RS256');
  });

  test('another key under a known id, or one that comes with the token', async () => {
    expect((await refusal(await token(user, { key: second.privateKey }))).message).toContain('bad signature');
    const jwk = await exportJWK(second.publicKey);
    const own = await token(user, { key: second.privateKey, header: { jwk, jku: 'https://evil.test/keys' } });
    expect((await refusal(own)).message).toContain('bad signature');
    expect(calls.join()).not.toContain('evil');
  });

  test.each(['../../etc/passwd', "' or 1=1 --", 'https://evil.test/keys', '__proto__', '\u0000'])(
    'the key id %j, with one call of the issuer however often',
    async (kid) => {
      await verify(await token(user));
      time += 31_000;
      for (let n = 0; n < 5; n++) {
        const error = await refusal(await token(user, { key: second.privateKey, kid: `${kid}${n}` }));
        expect(error.message).toContain('a key that its issuer does not have');
      }
      expect(calls).toHaveLength(4);
      expect(calls.join()).not.toContain('evil');
    },
  );

  test('a key id that is too long, or none', async () => {
    expect((await refusal(await token(user, { kid: 'x'.repeat(257) }))).message).toContain('`kid`');
    expect((await refusal(await token(user, { header: { kid: undefined } }))).message).toContain('`kid`');
  });

  test('a huge token, before anything is read of it', async () => {
    const huge = await token({ ...user, filler: 'x'.repeat(20_000) });
    expect((await refusal(huge)).message).toContain('too long');
    expect(calls).toEqual([]);
  });

  test('a token of yesterday, remembered or not', async () => {
    const text = await token(user);
    await verify(text);
    time += 86_400_000;
    expect((await refusal(text)).message).toContain('expired at');
    expect((await refusal(text)).message).toContain('expired at');
  });

  /** What stands for the same bytes is the same token. */
  const isSame = (text: string, good: string): boolean => {
    const [before, after] = [good, text].map((one) => one.split('.'));
    const bytes = (part: string | undefined) => Buffer.from(part ?? '', 'base64url').toString('hex');
    return (
      before?.slice(0, 2).join() === after?.slice(0, 2).join() &&
      after?.length === 3 &&
      bytes(before?.[2]) === bytes(after[2])
    );
  };

  test('any change of a good token, and any garbage, is a 401', async () => {
    const good = await token(user);
    const changed = fc.tuple(fc.nat(good.length - 1), fc.string({ minLength: 1, maxLength: 3 })).map(
      // The last characters of a part carry bits that are not read.
      ([at, text]) => good.slice(0, at) + text + good.slice(at + text.length + 1),
    );
    const parts = fc.array(
      fc.oneof(
        fc.base64String(),
        fc.json().map((one) => btoa(encodeURI(one))),
      ),
      {
        maxLength: 5,
      },
    );
    const garbage = fc.oneof(
      changed,
      fc.string(),
      parts.map((some) => some.join('.')),
    );
    await fc.assert(
      fc.asyncProperty(garbage, async (text) => {
        fc.pre(!isSame(text, good));
        expect((await refusal(text)).status).toBe(401);
      }),
      { numRuns: 500 },
    );
  });
});

describe('the keys of the issuer', () => {
  test('are fetched anew when it signs with another, and old ones are forgotten with their tokens', async () => {
    const old = await token(user);
    await verify(old);
    published = new Map([['second', second.publicKey]]);
    const fresh = await token(user, { key: second.privateKey, kid: 'second' });
    expect((await refusal(fresh)).message).toContain('does not have');
    time += 31_000;
    expect(await verify(fresh)).toMatchObject({ id: ada });
    expect((await refusal(old)).message).toContain('does not have');
    expect(calls).toHaveLength(4);
  });

  test('are fetched once, however many ask', async () => {
    const texts = await Promise.all([1, 2, 3].map((n) => token({ ...user, n })));
    await Promise.all(texts.map(verify));
    expect(calls).toHaveLength(2);
  });

  test('go on when it can’t be reached; without them it is 503', async () => {
    isDown = true;
    const text = await token(user);
    for (let n = 0; n < 3; n++) {
      const error = await refusal(text);
      expect([error.status, error.headers['retry-after']]).toEqual([503, '5']);
    }
    expect(calls).toHaveLength(1);
    isDown = false;
    time += 5000;
    await verify(text);
    isDown = true;
    time += 3_599_000;
    expect(await verify(await token(user))).toMatchObject({ id: ada });
    time += 7_200_000;
    expect(await verify(await token(user))).toMatchObject({ id: ada });
    const unknown = await token(user, { key: second.privateKey, kid: 'second' });
    expect((await refusal(unknown)).status).toBe(503);
  });

  test('that are weak, for other uses or of other kinds are not taken', async () => {
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
    published = new Map([['weak', weak.publicKey]]);
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    published.set('ec', ec.publicKey);
    expect((await refusal(await token(user))).status).toBe(503);
  });
});
