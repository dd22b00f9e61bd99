import { createHmac, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';
import { derivedKey } from './derived-key.ts';
import { createSealer, type Sealer } from './sealing.ts';

/** What is sealed under a passphrase, for whoever has it and nobody else. */
export interface UnderPassphrase extends Sealer {
  /** Of a text that nobody without the passphrase may change. */
  mac(text: string): string;
  isMac(text: string, mac: string): boolean;
}

/** Opens what was sealed under the same passphrase with the same salt. */
export type PassphraseKeys = (passphrase: string, salt: string) => Promise<UnderPassphrase>;

/** Some 64 MB and a fifth of a second for each guess. */
const cost = { N: 65_536, r: 8, p: 1, maxmem: 134_217_728 };
const stretched = promisify<string, string, number, typeof cost, Buffer>(scrypt);

export const underPassphrase: PassphraseKeys = async (passphrase, salt) => {
  const key = await stretched(passphrase.normalize('NFC'), salt, 32, cost);
  const macKey = derivedKey(key, 'passphrase mac', 32);
  const mac = (text: string): string => createHmac('sha256', macKey).update(text).digest('base64url');
  return {
    ...createSealer([derivedKey(key, 'passphrase seal', 32)]),
    mac,
    isMac(text, given) {
      const [right, said] = [Buffer.from(mac(text)), Buffer.from(given)];
      return right.length === said.length && timingSafeEqual(right, said);
    },
  };
};
