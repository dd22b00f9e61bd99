/**
 * The keys that secrets are sealed with, the one in use first; older ones are kept to open what they sealed. They stand
 * in `trust/sealing.key`, one a line, unless `BLOOMERY_SEALING_KEY` holds them, with commas between them.
 */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { trustDirectory } from './certificates.ts';
import { makePrivateDirectory, readPrivateIfPresent, writeDurably } from './durable-file.ts';

export type SealingKeys = [Buffer, ...Buffer[]];

export const sealingKeyVariable = 'BLOOMERY_SEALING_KEY';

const keyBytes = 32;
/** Each one is tried on what is to be opened. */
const mostKeys = 10;

/** Made on first use. */
export const sealingKeys = (directory: string, given: string | undefined): SealingKeys =>
  knownSealingKeys(directory, given) ?? write(directory, [randomBytes(keyBytes)]);

/** Null where there are none yet. */
export function knownSealingKeys(directory: string, given: string | undefined): SealingKeys | null {
  if (given) {
    return parse(
      given.split(','),
      `${sealingKeyVariable} must hold 32 bytes in base64, or up to ${mostKeys} such keys with commas between them. Make one with: openssl rand -base64 32`,
    );
  }
  const file = keyFile(directory);
  const stored = readPrivateIfPresent(file);
  if (stored === null) return null;
  return parse(
    stored.trim().split('\n'),
    `${file} is damaged: it must hold 32 bytes in base64. Restore it; what it sealed can't be read without it.`,
  );
}

/** A new key comes first. */
export function addSealingKey(directory: string): SealingKeys {
  const before = sealingKeys(directory, undefined);
  return write(directory, [randomBytes(keyBytes), ...before.slice(0, mostKeys - 1)]);
}

/** What only the older ones open can't be read any more. */
export const forgetOldSealingKeys = (directory: string): SealingKeys =>
  write(directory, [sealingKeys(directory, undefined)[0]]);

const keyFile = (directory: string): string => join(trustDirectory(directory), 'sealing.key');

function write(directory: string, keys: SealingKeys): SealingKeys {
  makePrivateDirectory(trustDirectory(directory));
  writeDurably(keyFile(directory), `${keys.map((key) => key.toString('base64')).join('\n')}\n`);
  return keys;
}

function parse(lines: string[], complaint: string): SealingKeys {
  const [first, ...older] = lines.map((line) => Buffer.from(line.trim(), 'base64'));
  const isWhole = [first, ...older].every((key) => key?.length === keyBytes);
  if (first === undefined || !isWhole || lines.length > mostKeys) throw new Error(complaint);
  return [first, ...older];
}
