/**
 * The secrets that a data directory is reached with. `credentials.json` is the owner's copy; the server itself needs
 * only the hashes in `trust/api-keys.json`, so an owner may note the key and delete the copy.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { hashKey, newApiKey } from './api-keys.ts';
import { trustDirectory } from './certificates.ts';
import { makePrivateDirectory, readJsonIfPresent, writeDurably } from './durable-file.ts';

export interface ServerCredentials {
  /** Null where only the hash is left: the key goes on working, but nothing here can tell it. */
  apiKey: string | null;
  /** The secret that the managed-identity endpoint asks for. */
  identityHeader: string;
  /** What `createKeyVerifier` takes. */
  keyHashes: Buffer[];
}

export const credentialsFile = (directory: string): string => join(directory, 'credentials.json');
export const apiKeysFile = (directory: string): string => join(trustDirectory(directory), 'api-keys.json');

/** With `fixedApiKey` that key alone is valid for this run, and nothing about it is written. */
export function ensureCredentials(directory: string, fixedApiKey: string | null): ServerCredentials {
  makePrivateDirectory(trustDirectory(directory));
  const noted = readCredentials(directory);
  const identityHeader = noted.identityHeader ?? randomBytes(32).toString('base64url');
  if (fixedApiKey !== null) {
    noteForOwner(directory, noted, { apiKey: noted.apiKey, identityHeader });
    return { apiKey: usable(fixedApiKey), keyHashes: [hashKey(fixedApiKey)], identityHeader };
  }
  const keyHashes = readKeyHashes(directory);
  if (keyHashes === null) {
    const apiKey = noted.apiKey ?? newApiKey();
    // The owner's copy first: a crash in between must not leave a hash whose key nobody has seen.
    noteForOwner(directory, noted, { apiKey, identityHeader });
    return { apiKey, keyHashes: [storeKeyHash(directory, apiKey)], identityHeader };
  }
  const { apiKey } = noted;
  if (apiKey !== null && !keyHashes.some((hash) => hash.equals(hashKey(apiKey)))) {
    throw new Error(
      `The apiKey in ${credentialsFile(directory)} is not one that ${apiKeysFile(directory)} knows. Delete the latter to make the former valid, or delete both for a new key.`,
    );
  }
  noteForOwner(directory, noted, { apiKey, identityHeader });
  return { apiKey, keyHashes, identityHeader };
}

interface Noted {
  apiKey: string | null;
  identityHeader: string | null;
}

function noteForOwner(directory: string, before: Noted, after: Noted): void {
  if (before.apiKey === after.apiKey && before.identityHeader === after.identityHeader) return;
  writeDurably(credentialsFile(directory), `${JSON.stringify(after, null, 2)}\n`);
}

function storeKeyHash(directory: string, apiKey: string): Buffer {
  const hash = hashKey(apiKey);
  const entry = { sha256: hash.toString('hex'), createdAt: new Date().toISOString() };
  writeDurably(apiKeysFile(directory), `${JSON.stringify({ keys: [entry] }, null, 2)}\n`);
  return hash;
}

function usable(apiKey: string): string {
  if (/^[\x21-\x7e]+$/.test(apiKey)) return apiKey;
  throw new Error(
    'The API key must be printable ASCII without spaces, or no client could send it in a header.',
  );
}

function readCredentials(directory: string): Noted {
  const file = credentialsFile(directory);
  const remedy = `Delete it: the key in it stays valid, and the file is made anew without it.`;
  const stored = readJsonIfPresent(file, remedy);
  const text = (value: unknown) => (typeof value === 'string' && value !== '' ? value : null);
  return { apiKey: text(stored?.apiKey), identityHeader: text(stored?.identityHeader) };
}

function readKeyHashes(directory: string): Buffer[] | null {
  const file = apiKeysFile(directory);
  const remedy = `Delete it: the key in ${credentialsFile(directory)} is then taken over, or a new one made.`;
  const stored = readJsonIfPresent(file, remedy);
  if (stored === null) return null;
  const entries: unknown[] = Array.isArray(stored.keys) ? stored.keys : [];
  const hashes = entries.map((entry) => Buffer.from(String((entry as { sha256?: unknown })?.sha256), 'hex'));
  if (hashes.length === 0 || hashes.some((hash) => hash.length !== 32)) {
    throw new Error(`${file} is damaged: it must list keys with their sha256. ${remedy}`);
  }
  return hashes;
}
