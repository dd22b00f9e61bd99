/** What a server that others than its own machine can reach must have, before it starts. */
import { existsSync, lstatSync } from 'node:fs';
import { join } from 'node:path';
import { certificateFiles, trustDirectory } from './certificates.ts';
import { isOpenToOthers } from './durable-file.ts';
import { apiKeysFile } from './key-file.ts';

/** The start was refused; the message says what to do first. */
export class UnguardedServerError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnguardedServerError';
  }
}

export interface Guard {
  host: string;
  directory: string;
  /** Whether an operator has decided who may call: by keys, users, apps, or a tenant. */
  hasChosenAuthentication: boolean;
  /** The key of `--api-key`, if one was given. */
  fixedKey: string | null;
  /** Whether the directory goes away with the server, so that no key can be made in it. */
  isTemporary: boolean;
}

const shortestKey = 32;

export function refuseUnguarded({
  host,
  directory,
  hasChosenAuthentication,
  fixedKey,
  isTemporary,
}: Guard): void {
  if (!hasChosenAuthentication) {
    throw new UnguardedServerError(
      `A server on ${host} can be reached from other machines, but nobody has decided who may call it. Do one of these and start it again:
${isTemporary ? '' : `  - make an API key:             bloomery key create NAME --data ${directory}\n`}  - take a key for this run:     --api-key "$(openssl rand -hex 32)"
  - let users and apps sign in:  the keys \`identity.entra\`, or \`identity.users\` and \`identity.apps\`, of bloomery.yaml
Without --host the server is for this machine alone, and needs none of it.`,
    );
  }
  if (fixedKey !== null && fixedKey.length < shortestKey) {
    throw new UnguardedServerError(
      `A server on ${host} can be reached from other machines, so the key of --api-key must not be guessed: it has ${fixedKey.length} characters and needs at least ${shortestKey} random ones. Make one with: openssl rand -hex 32`,
    );
  }
  for (const file of secretFiles(directory)) {
    const { uid } = lstatSync(file);
    const isOwn = process.getuid === undefined || uid === process.getuid();
    if (isOwn && !isOpenToOthers(file)) continue;
    throw new UnguardedServerError(
      `A server on ${host} can be reached from other machines, so its secrets must be its own, but ${file} ${isOwn ? 'can be read by other users' : 'belongs to another user'}. Let this user own it, with the mode 0600, on a file system that keeps modes.`,
    );
  }
}

const secretFiles = (directory: string): string[] => {
  const { caKeyFile, keyFile } = certificateFiles(directory);
  const own = ['sealing.key', 'token-key.pem'].map((name) => join(trustDirectory(directory), name));
  return [...own, caKeyFile, keyFile, apiKeysFile(directory)].filter((file) => existsSync(file));
};
