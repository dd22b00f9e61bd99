import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { everything, type Principal } from './principal.ts';

export const newApiKey = (): string => `blm_${randomBytes(32).toString('base64url')}`;

/** Keys carry 256 random bits, so a fast hash is enough: there is nothing to guess. */
export const hashKey = (key: string): Buffer => hash('sha256', key, 'buffer');

export interface KeyVerifier {
  verify(candidate: string): Principal | null;
}

export function createKeyVerifier(hashes: Buffer[]): KeyVerifier {
  const known = hashes.map((expected) => ({
    expected,
    principal: {
      kind: 'key',
      id: `key_${expected.toString('hex', 0, 4)}`,
      name: 'API key',
      grants: everything,
    } satisfies Principal,
  }));
  return {
    verify(candidate) {
      const given = hashKey(candidate);
      let found: Principal | null = null;
      // All entries are compared, so that the time taken says nothing about which one matched.
      for (const entry of known) if (timingSafeEqual(entry.expected, given)) found = entry.principal;
      return found;
    },
  };
}
