/** What clients carry for us without being able to read or change it. */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

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

/** Seals with the first key and opens with any, so that a key can be replaced and what it sealed still be read. */
export function createSealer(keys: readonly [Buffer, ...Buffer[]]): Sealer {
  const context = (purpose: string, project: string): Buffer =>
    Buffer.from(JSON.stringify([purpose, project]));

  function openWith(key: Buffer, bytes: Buffer, known: Buffer): string | null {
    try {
      const decipher = createDecipheriv(algorithm, key, bytes.subarray(0, ivBytes))
        .setAAD(known)
        .setAuthTag(bytes.subarray(ivBytes, ivBytes + tagBytes));
      const body = decipher.update(bytes.subarray(ivBytes + tagBytes));
      return Buffer.concat([body, decipher.final()]).toString('utf8');
    } catch {
      return null;
    }
  }

  return {
    seal(text, purpose, project) {
      const iv = randomBytes(ivBytes);
      const cipher = createCipheriv(algorithm, keys[0], iv).setAAD(context(purpose, project));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return prefix + Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url');
    },
    open(sealed, purpose, project) {
      if (!sealed.startsWith(prefix)) return null;
      const bytes = Buffer.from(sealed.slice(prefix.length), 'base64url');
      if (bytes.length < ivBytes + tagBytes) return null;
      const known = context(purpose, project);
      for (const key of keys) {
        const text = openWith(key, bytes, known);
        if (text !== null) return text;
      }
      return null;
    },
  };
}
