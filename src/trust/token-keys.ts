/**
 * The keys of this server's tokens: `trust/token-key.pem` signs, and the public halves of those that did before, in
 * `trust/token-keys-old.json`, verify until the last of their tokens has expired.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { trustDirectory } from './certificates.ts';
import {
  makePrivateDirectory,
  readJsonIfPresent,
  readPrivateIfPresent,
  writeDurably,
} from './durable-file.ts';

/** Nobody is given a token that is good for longer. */
export const longestLifeSeconds = 86_400;
/** Each of them verifies for a day: more often than this nobody replaces one. */
const mostOld = 100;

export interface VerifyingKey {
  id: string;
  publicKey: KeyObject;
  /** Milliseconds from which on it verifies nothing. */
  until: number;
}

export interface TokenKeys {
  signing: { id: string; privateKey: KeyObject };
  /** The one in use first. */
  verifying: [VerifyingKey, ...VerifyingKey[]];
}

export const tokenKeyFile = (directory: string): string => join(trustDirectory(directory), 'token-key.pem');
const oldKeysFile = (directory: string): string => join(trustDirectory(directory), 'token-keys-old.json');

/** Made on first use. */
export function tokenKeys(directory: string, now: number): TokenKeys {
  const privateKey = storedKey(directory) ?? makeKey(directory);
  const publicKey = createPublicKey(privateKey);
  const id = keyId(publicKey);
  const old = oldKeys(directory).filter((key) => key.id !== id && key.until > now);
  return {
    signing: { id, privateKey },
    verifying: [{ id, publicKey, until: Number.POSITIVE_INFINITY }, ...old],
  };
}

/**
 * Tokens are signed with a new key from then on. What the one before has signed is good until it expires, unless it is
 * to be forgotten, with all before it.
 */
export function rotateTokenKey(directory: string, { forget, now }: { forget: boolean; now: number }): void {
  const { verifying } = tokenKeys(directory, now);
  const until = now + (longestLifeSeconds + 60) * 1000;
  // The old one first: a crash in between leaves it twice, which means the same.
  const kept = forget ? [] : verifying.map((key) => ({ ...key, until: Math.min(key.until, until) }));
  writeDurably(
    oldKeysFile(directory),
    `${JSON.stringify({ keys: kept.slice(0, mostOld).map(written) }, null, 2)}\n`,
  );
  makeKey(directory);
}

const keyId = (publicKey: KeyObject): string =>
  hash('sha256', publicKey.export({ type: 'spki', format: 'der' }), 'base64url').slice(0, 16);

const written = ({ id, publicKey, until }: VerifyingKey) => ({
  id,
  publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  until: new Date(until).toISOString(),
});

function oldKeys(directory: string): VerifyingKey[] {
  const file = oldKeysFile(directory);
  const remedy = 'Delete it: tokens that an older key signed are refused, and clients fetch new ones.';
  const stored = readJsonIfPresent(file, remedy);
  try {
    return ((stored?.keys ?? []) as ReturnType<typeof written>[]).map(({ publicKey: pem, until }) => {
      const publicKey = createPublicKey(pem);
      return { id: keyId(publicKey), publicKey, until: Date.parse(until) };
    });
  } catch (error) {
    throw new Error(`${file} is damaged: it must list public keys. ${remedy}`, { cause: error });
  }
}

function makeKey(directory: string): KeyObject {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  makePrivateDirectory(trustDirectory(directory));
  writeDurably(tokenKeyFile(directory), privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
  return privateKey;
}

const keyRemedy = 'Delete it: a new one is made, and clients fetch new tokens by themselves.';

function storedKey(directory: string): KeyObject | null {
  const file = tokenKeyFile(directory);
  const stored = readPrivateIfPresent(file);
  if (stored === null) return null;
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
