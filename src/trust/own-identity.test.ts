import { expect, test } from 'vitest';
import { ownIdentity } from './own-identity.ts';
import type { TokenIssuer } from './tokens.ts';

const issuer = {
  issue: async ({ audience, within }) => ({
    accessToken: `for ${audience} in ${within?.project} as ${within?.roles}`,
    expiresOn: 0,
  }),
} as TokenIssuer;
const within = { project: 'p', roles: ['Reader'] };
const identity = ownIdentity(issuer, { names: ['Box.local', '*.wild.example'], port: () => 8443 });

test.each<[string, string, boolean]>([
  ['https://ai.azure.com', 'http://127.0.0.1:8443/api', true],
  ['https://ai.azure.com', 'https://localhost:8443', true],
  ['https://ai.azure.com', 'http://[::1]:8443', true],
  ['https://ai.azure.com', 'https://box.local:8443', true],
  ['https://ai.azure.com', 'http://box.local:8443', false],
  ['https://ai.azure.com', 'https://localhost:9000', false],
  ['https://ai.azure.com', 'https://localhost', false],
  ['https://ai.azure.com', 'https://localhost.evil.example:8443', false],
  ['https://ai.azure.com', 'https://a.wild.example:8443', false],
  ['https://search.azure.com', 'http://127.0.0.1:8443', false],
])('a token for %s is made for %s: %s', async (audience, url, isMade) => {
  expect(await identity.token(audience, url, within)).toBe(isMade ? `for ${audience} in p as Reader` : null);
});

test('none is made while the port is not known', async () => {
  const early = ownIdentity(issuer, { names: [], port: () => null });
  expect(await early.token('https://ai.azure.com', 'http://127.0.0.1', within)).toBeNull();
});
