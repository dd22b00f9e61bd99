/**
 * The secrets that a data directory is reached with. `credentials.json` is the owner's copy; the server itself needs
 * only the hashes in `trust/api-keys.json`, so an owner may note the key and delete the copy.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { type ApiKeys, createApiKeys, fixedApiKey, hashKey, newApiKey } from './api-keys.ts';
import { trustDirectory } from './certificates.ts';
import { makePrivateDirectory, readJsonIfPresent, writeDurably } from './durable-file.ts';
import { apiKeysFile, type KeyFile, keyId, readKeyFile, type StoredKey, writeKeyFile } from './key-file.ts';
import { everything } from './principal.ts';

export interface ServerCredentials {
  /** The owner's key. Null where only the hash is left: the key goes on working, but nothing here can tell it. */
  readonly apiKey: string | null;
  /** The secret that the managed-identity endpoint asks for. */
  identityHeader: string;
  keys: ApiKeys;
  /** Whether an operator has asked for one of the keys. */
  readonly hasChosenKey: boolean;
  /** Is told when another key, or none, takes the place of the owner's. */
  onApiKeyChanged(listener: (apiKey: string | null) => void): void;
}

export interface CredentialOptions {
  /** That key alone is valid for this run, and nothing about it is written. */
  fixedKey?: string | null;
  /** Whether a first start makes a key that may do everything. */
  makeKey?: boolean;
}

export const credentialsFile = (directory: string): string => join(directory, 'credentials.json');

export function ensureCredentials(
  directory: string,
  { fixedKey = null, makeKey = true }: CredentialOptions = {},
): ServerCredentials {
  makePrivateDirectory(trustDirectory(directory));
  const noted = readCredentials(directory);
  const identityHeader = noted.identityHeader ?? randomBytes(32).toString('base64url');
  const note = (apiKey: string | null): void => noteForOwner(directory, noted, { apiKey, identityHeader });
  if (fixedKey !== null) {
    const keys = fixedApiKey(usable(fixedKey));
    note(noted.apiKey);
    return { apiKey: fixedKey, identityHeader, keys, hasChosenKey: true, onApiKeyChanged() {} };
  }
  let file = readKeyFile(directory, keyFileRemedy(directory));
  let apiKey = file === null ? noted.apiKey : stillKnown(directory, noted.apiKey, file);
  if (file === null && (apiKey !== null || makeKey)) {
    apiKey ??= newApiKey();
    // The owner's copy first: a crash in between must not leave a hash whose key nobody has seen.
    note(apiKey);
    file = { keys: [automaticKey(apiKey)], revoked: [] };
    writeKeyFile(directory, file);
  }
  note(apiKey);

  const listeners: ((apiKey: string | null) => void)[] = [];
  const keys = createApiKeys(file ?? { keys: [], revoked: [] }, {
    save(changed) {
      file = changed;
      writeKeyFile(directory, changed);
    },
    onReplaced(sha256, key) {
      if (apiKey === null || hashKey(apiKey) !== sha256) return;
      apiKey = key;
      note(key);
      for (const listener of listeners) listener(key);
    },
  });
  return {
    identityHeader,
    keys,
    get apiKey() {
      return apiKey;
    },
    get hasChosenKey() {
      return file?.keys.some((key) => !key.automatic) ?? false;
    },
    onApiKeyChanged(listener) {
      listeners.push(listener);
    },
  };
}

/** Whoever has the old one gets no tokens any more. No server may run meanwhile. */
export function rotateIdentityHeader(directory: string): void {
  const noted = readCredentials(directory);
  noteForOwner(directory, noted, {
    apiKey: noted.apiKey,
    identityHeader: randomBytes(32).toString('base64url'),
  });
}

interface Noted {
  apiKey: string | null;
  identityHeader: string | null;
}

/** The noted key; null where it was revoked or replaced, and the note of that was lost in a crash. */
function stillKnown(directory: string, apiKey: string | null, { keys, revoked }: KeyFile): string | null {
  if (apiKey === null) return null;
  const sha256 = hashKey(apiKey);
  if (keys.some((key) => key.sha256 === sha256)) return apiKey;
  const wasKnown = [...revoked, ...keys.map(({ previous }) => previous)].some(
    (one) => one?.sha256 === sha256,
  );
  if (wasKnown) return null;
  throw new Error(
    `The apiKey in ${credentialsFile(directory)} is not one that ${apiKeysFile(directory)} knows. Delete the latter to make the former valid, or delete both for a new key.`,
  );
}

function noteForOwner(directory: string, noted: Noted, after: Noted): void {
  if (noted.apiKey === after.apiKey && noted.identityHeader === after.identityHeader) return;
  writeDurably(credentialsFile(directory), `${JSON.stringify(after, null, 2)}\n`);
  Object.assign(noted, after);
}

function automaticKey(apiKey: string): StoredKey {
  const sha256 = hashKey(apiKey);
  return {
    ...{
      id: keyId(sha256),
      name: 'default',
      sha256,
      grants: everything,
      createdAt: new Date().toISOString(),
    },
    ...{ expiresAt: null, previous: null, automatic: true },
  };
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

const keyFileRemedy = (directory: string): string =>
  `Restore it from a backup, or delete it: the key in ${credentialsFile(directory)} is then taken over, or a new one made.`;
