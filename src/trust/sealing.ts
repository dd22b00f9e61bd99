/** What clients carry for us without being able to read or change it. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { trustDirectory } from './certificates.ts';
import { makePrivateDirectory, readPrivateIfPresent, writeDurably } from './durable-file.ts';

export interface Sealer {
  /** Authenticated encryption; `purpose` and `project` must be the same when it is opened. */
  seal(text: string, purpose: string, project: string): string;
  /** Null for what was not sealed here, for another purpose or project, or was changed. */
  open(sealed: string, purpose: string, project: string): string | null;
}

const algorithm = 'aes-256-gcm';
const prefix = 'blm1.';
const ivBytes = 12;
const tagBytes = 16;

export function createSealer(key: Buffer): Sealer {
  const context = (purpose: string, project: string): Buffer =>
    Buffer.from(JSON.stringify([purpose, project]));
  return {
    seal(text, purpose, project) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, key, iv).setAAD(context(purpose, project));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return prefix + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, purpose, project) {
      if (!sealed.startsWith(prefix)) return null;
      const bytes = Buffer.from(sealed.slice(prefix.length), 'base64url');
      if (bytes.length < ivBytes + tagBytes) return null;
      try {
        const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes))
          .setAAD(context(purpose, project))
          .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
        const body = decipher.update(bytes.subarray(ivBytes + tagBytes));
        return Buffer.concat([body, decipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
  };
}

/** The key of a data directory, made on first use. */
export function sealingKey(directory: string): Buffer {
  const file = join(trustDirectory(directory), 'sealing.key');
  const stored = readPrivateIfPresent(file);
  if (stored !== null) {
    const key = Buffer.from(stored.trim(), 'base64');
    if (key.length === 32) return key;
    throw new Error(
      `${file} is damaged: it must hold 32 bytes in base64. Restore it; what it sealed can't be read without it.`,
    );
  }
  const key = randomBytes(32);
  makePrivateDirectory(trustDirectory(directory));
  writeDurably(file, `${key.toString('base64')}\n`);
  return key;
}
