import { hash, randomBytes } from 'node:crypto';
import { apiError, conflict, invalidPayload } from '../errors.ts';
import { type KeyFile, keyId, type RevokedKey, type StoredKey } from './key-file.ts';
import { everything, type Grant, type Principal } from './principal.ts';

export const newApiKey = (): string => `blm_${randomBytes(32).toString('base64url')}`;

/** Keys carry 256 random bits, so a fast hash is enough: there is nothing to guess. */
export const hashKey = (key: string): string => hash('sha256', key, 'hex');

export const keyName = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
export const mostKeys = 1000;

/** What is shown of a key. */
export interface KeyDescription {
  id: string;
  name: string;
  grants: readonly Grant[];
  createdAt: string;
  expiresAt: string | null;
  /** To the minute, and since the server's start. */
  lastUsedAt: string | null;
}

export interface NewKey extends KeyDescription {
  /** Nothing can tell it again. */
  key: string;
}

export interface WantedKey {
  name: string;
  grants: readonly Grant[];
  /** Null for never. */
  lifetimeSeconds: number | null;
}

export interface ApiKeys {
  /** Null for what is no valid key; `refusal` says why. */
  verify(candidate: string): Principal | null;
  refusal(candidate: string): string;
  list(): KeyDescription[];
  create(wanted: WantedKey): NewKey;
  /** The key that there was is good for `graceSeconds` more. */
  rotate(name: string, graceSeconds: number): NewKey;
  revoke(name: string): void;
  /** Takes away what keys may do in a project; one that may do nothing else is revoked. */
  withdraw(project: string): void;
}

export interface ApiKeysOptions {
  /** Makes a change lasting; when it throws, the change has not been made. */
  save(changed: KeyFile): void;
  /** Is told of the hash of a key that is good no more (or not for long), and of the key in its place. */
  onReplaced?(sha256: string, key: string | null): void;
  now?: () => number;
}

interface Valid {
  key: StoredKey;
  principal: Principal;
  /** Milliseconds. */
  until: number;
  usage: { at: number | null };
}

const minute = 60_000;

export function createApiKeys(file: KeyFile, options: ApiKeysOptions): ApiKeys {
  const { save, onReplaced = () => {}, now = Date.now } = options;
  const usages = new Map<string, { at: number | null }>();
  let { keys, revoked } = file;
  let byHash = index();

  function index(): Map<string, Valid> {
    const found = new Map<string, Valid>();
    for (const key of keys) {
      const usage = usages.get(key.id) ?? { at: null };
      usages.set(key.id, usage);
      const principal: Principal = { kind: 'key', id: key.id, name: key.name, grants: key.grants };
      const end = timeOf(key.expiresAt);
      found.set(key.sha256, { key, principal, usage, until: end });
      if (key.previous !== null) {
        const until = Math.min(end, timeOf(key.previous.expiresAt));
        found.set(key.previous.sha256, { key, principal, usage, until });
      }
    }
    return found;
  }

  function change(next: KeyFile): void {
    save(next);
    ({ keys, revoked } = next);
    byHash = index();
  }

  const withRevoked = (
    before: KeyFile['revoked'],
    how: Pick<RevokedKey, 'name' | 'isReplaced'>,
    ...gone: (string | undefined)[]
  ): KeyFile['revoked'] => {
    const revokedAt = inFuture(0);
    const entries = gone
      .filter((sha256) => sha256 !== undefined)
      .map((sha256) => ({ ...how, sha256, revokedAt }));
    return [...before, ...entries].slice(-mostKeys);
  };

  function named(name: string): StoredKey {
    const key = keys.find((one) => one.name === name);
    if (key === undefined) throw apiError('not_found', `There is no API key '${name}'.`, { target: 'name' });
    return key;
  }

  const described = (key: StoredKey): KeyDescription => {
    const at = usages.get(key.id)?.at ?? null;
    const lastUsedAt = at === null ? null : new Date(at - (at % minute)).toISOString();
    const { id, name, grants, createdAt, expiresAt } = key;
    return { id, name, grants, createdAt, expiresAt, lastUsedAt };
  };
  const inFuture = (seconds: number): string => new Date(now() + seconds * 1000).toISOString();

  return {
    /**
     * The hash is what is looked up. How long that takes may depend on how much of a stored hash it has in common, but
     * nobody can choose the hash of a guess, so nothing about a key is learnt from it.
     */
    verify(candidate) {
      const found = byHash.get(hashKey(candidate));
      if (found === undefined) return null;
      const time = now();
      if (time >= found.until) return null;
      found.usage.at = time;
      return found.principal;
    },

    refusal(candidate) {
      const sha256 = hashKey(candidate);
      const known = byHash.get(sha256);
      const gone = revoked.find((entry) => entry.sha256 === sha256);
      if (gone?.isReplaced) {
        return `The API key '${gone.name}' was replaced at ${gone.revokedAt}, and this one is good no more. Use the new one.`;
      }
      if (gone !== undefined) return `This API key, '${gone.name}', was revoked at ${gone.revokedAt}.`;
      if (known === undefined) return 'The API key is not valid on this server.';
      const { key, until } = known;
      return key.sha256 === sha256 || until === timeOf(key.expiresAt)
        ? `The API key '${key.name}' expired at ${key.expiresAt}. An operator can make another.`
        : `The API key '${key.name}' was replaced, and this one expired at ${key.previous?.expiresAt}. Use the new one.`;
    },

    list: () => keys.map(described),

    create({ name, grants, lifetimeSeconds }) {
      if (!keyName.test(name)) {
        throw invalidPayload('name', 'The name of a key is 1 to 64 letters, digits, `_`, `.` and `-`.');
      }
      if (keys.some((key) => key.name === name)) {
        throw conflict(`There is an API key '${name}'. Rotate it, or revoke it first.`, 'name');
      }
      if (keys.length >= mostKeys) throw conflict(`There are ${mostKeys} API keys. Revoke one first.`);
      const key = newApiKey();
      const sha256 = hashKey(key);
      const made: StoredKey = {
        ...{ id: keyId(sha256), name, sha256, grants, createdAt: inFuture(0) },
        expiresAt: lifetimeSeconds === null ? null : inFuture(lifetimeSeconds),
        ...{ previous: null, automatic: false },
      };
      change({ keys: [...keys, made], revoked });
      return { ...described(made), key };
    },

    rotate(name, graceSeconds) {
      const before = named(name);
      if (timeOf(before.expiresAt) <= now()) {
        throw conflict(`The API key '${name}' has expired. Revoke it and make another.`, 'name');
      }
      const key = newApiKey();
      const isGood = graceSeconds > 0;
      const previous = isGood ? { sha256: before.sha256, expiresAt: inFuture(graceSeconds) } : null;
      const after: StoredKey = { ...before, sha256: hashKey(key), previous, automatic: false };
      change({
        keys: keys.map((one) => (one === before ? after : one)),
        revoked: withRevoked(
          revoked,
          { name, isReplaced: true },
          before.previous?.sha256,
          isGood ? undefined : before.sha256,
        ),
      });
      onReplaced(before.sha256, key);
      return { ...described(after), key };
    },

    revoke(name) {
      const gone = named(name);
      change({
        keys: keys.filter((key) => key !== gone),
        revoked: withRevoked(revoked, { name }, gone.previous?.sha256, gone.sha256),
      });
      usages.delete(gone.id);
      onReplaced(gone.sha256, null);
    },

    withdraw(project) {
      const isThere = (grant: Grant): boolean => grant.project === project;
      if (!keys.some(({ grants }) => grants.some(isThere))) return;
      const gone = keys.filter(({ grants }) => grants.length > 0 && grants.every(isThere));
      const left = keys
        .filter((key) => !gone.includes(key))
        .map((key) => ({ ...key, grants: key.grants.filter((grant) => !isThere(grant)) }));
      change({
        keys: left,
        revoked: gone.reduce(
          (list, { name, previous, sha256 }) => withRevoked(list, { name }, previous?.sha256, sha256),
          revoked,
        ),
      });
      for (const { id, sha256 } of gone) {
        usages.delete(id);
        onReplaced(sha256, null);
      }
    },
  };
}

const timeOf = (text: string | null): number => (text === null ? Number.POSITIVE_INFINITY : Date.parse(text));

/** One key that was given for this run. */
export function fixedApiKey(key: string): ApiKeys {
  const sha256 = hashKey(key);
  const refuse = (): never => {
    throw conflict(
      'This server was started with --api-key, which is its only key. Start it without, to have others.',
    );
  };
  const keys = createApiKeys(
    {
      keys: [
        {
          ...{ id: keyId(sha256), name: 'default', sha256, grants: everything },
          ...{ createdAt: new Date().toISOString(), expiresAt: null, previous: null, automatic: false },
        },
      ],
      revoked: [],
    },
    { save: refuse },
  );
  return { ...keys, create: refuse, rotate: refuse, revoke: refuse };
}
