import { hkdfSync } from 'node:crypto';

/** A key for one purpose, made of the key of the data directory: nothing more to keep, and no way back to that key. */
export const derivedKey = (key: Buffer, purpose: string, bytes: number): Buffer =>
  Buffer.from(hkdfSync('sha256', key, '', `bloomery ${purpose}`, bytes));
