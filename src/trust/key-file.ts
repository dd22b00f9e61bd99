/** `trust/api-keys.json`: what API keys are checked against. It holds hashes, never a key. */
import { join } from 'node:path';
import { trustDirectory } from './certificates.ts';
import { readJsonIfPresent, writeDurably } from './durable-file.ts';
import { everything, type Grant } from './principal.ts';

export interface StoredKey {
  id: string;
  name: string;
  /** Hexadecimal. */
  sha256: string;
  grants: readonly Grant[];
  /** Points of time are in ISO 8601. */
  createdAt: string;
  expiresAt: string | null;
  /** The key that this one took the place of, while that one is still good. */
  previous: { sha256: string; expiresAt: string } | null;
  /** Whether the first start made it, and no operator. */
  automatic: boolean;
}

/** Kept to say of a key that it was revoked, and in a list of its own: nothing that reads keys can take it for one. */
export interface RevokedKey {
  name: string;
  sha256: string;
  revokedAt: string;
  /** Whether another secret of the same key has taken its place. */
  isReplaced?: boolean;
}

export interface KeyFile {
  keys: StoredKey[];
  revoked: RevokedKey[];
}

export const apiKeysFile = (directory: string): string => join(trustDirectory(directory), 'api-keys.json');

export const keyId = (sha256: string): string => `key_${sha256.slice(0, 16)}`;

export function writeKeyFile(directory: string, { keys, revoked }: KeyFile): void {
  const content = { keys: keys.map(written), ...(revoked.length === 0 ? {} : { revoked }) };
  writeDurably(apiKeysFile(directory), `${JSON.stringify(content, null, 2)}\n`);
}

/** A key without a name may do everything: so were all before keys had names. */
const written = ({ automatic, ...key }: StoredKey): object =>
  automatic ? { sha256: key.sha256, createdAt: key.createdAt } : key;

export function readKeyFile(directory: string, remedy: string): KeyFile | null {
  const file = apiKeysFile(directory);
  const stored = readJsonIfPresent(file, remedy);
  if (stored === null) return null;
  const revoked = listOf(stored.revoked) as RevokedKey[];
  const keys = listOf(stored.keys).map((entry, at) => storedKey(entry, at));
  const names = new Set(keys.map((key) => key?.name));
  const whole = keys.every((key) => key !== null) && names.size === keys.length;
  if (whole && (keys.length > 0 || revoked.length > 0) && revoked.every((entry) => isDigest(entry?.sha256))) {
    return { keys: keys as StoredKey[], revoked };
  }
  throw new Error(
    `${file} is damaged: it must list keys with their sha256, and where they have names those and roles. ${remedy}`,
  );
}

const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const isDigest = (value: unknown): value is string =>
  typeof value === 'string' && /^[0-9a-f]{64}$/.test(value);
const isTime = (value: unknown): value is string =>
  typeof value === 'string' && !Number.isNaN(Date.parse(value));

function storedKey(entry: unknown, at: number): StoredKey | null {
  const { id, name, sha256, grants, createdAt, expiresAt, previous } = (entry ?? {}) as Partial<StoredKey>;
  if (!isDigest(sha256)) return null;
  const since = isTime(createdAt) ? createdAt : new Date(0).toISOString();
  if (name === undefined) {
    return {
      id: keyId(sha256),
      name: at === 0 ? 'default' : keyId(sha256),
      ...{ sha256, grants: everything, createdAt: since, expiresAt: null, previous: null, automatic: true },
    };
  }
  const isGood =
    typeof id === 'string' &&
    typeof name === 'string' &&
    Array.isArray(grants) &&
    grants.every((grant) => isText(grant?.role) && isNullOr(grant.project, isText)) &&
    isNullOr(expiresAt, isTime) &&
    isNullOr(previous, (before) => isDigest(before?.sha256) && isTime(before.expiresAt));
  if (!isGood) return null;
  return {
    ...{ id, name, sha256, grants, createdAt: since },
    ...{ expiresAt: expiresAt ?? null, previous: previous ?? null, automatic: false },
  };
}

const isText = (value: unknown): boolean => typeof value === 'string';

/** A member that is missing is no null: a scope that was lost must not become all projects. */
const isNullOr = <T>(value: T | null | undefined, check: (value: T) => boolean): boolean =>
  value === null || (value !== undefined && check(value));
