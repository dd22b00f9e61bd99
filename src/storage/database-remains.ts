/** What the files of databases may still hold of what was deleted. Only for files that this process has not open. */
import { closeSync, existsSync, openSync, readSync, rmSync, statSync } from 'node:fs';

const logOf = (file: string): string => `${file}-wal`;

/** Bytes of the log beside a database file: what was deleted lately may still be in them. */
export const logBytes = (file: string): number => (existsSync(logOf(file)) ? statSync(logOf(file)).size : 0);

/** Has `look` open a database file to read only, and removes what that leaves beside it. */
export async function leavingNothing<T>(files: readonly string[], look: () => Promise<T>): Promise<T> {
  const beside = files.flatMap((file) => [logOf(file), `${file}-shm`]).filter((file) => !existsSync(file));
  try {
    return await look();
  } finally {
    for (const file of beside) rmSync(file, { force: true });
  }
}

/**
 * How many pages of a database file are free but not overwritten, so that what was deleted can still be read in them.
 * The list of free pages is a chain of pages of numbers: the next of the chain, how many follow, and those.
 */
export function filledFreePages(file: string): number {
  const descriptor = openSync(file, 'r');
  try {
    const header = Buffer.alloc(100);
    if (readSync(descriptor, header, 0, header.length, 0) < header.length) return 0;
    const size = header.readUInt16BE(16) === 1 ? 65_536 : header.readUInt16BE(16);
    const pages = header.readUInt32BE(28);
    const page = (number: number, into: Buffer): Buffer => {
      readSync(descriptor, into, 0, size, (number - 1) * size);
      return into;
    };
    const list = Buffer.alloc(size);
    const leaf = Buffer.alloc(size);
    const zeros = Buffer.alloc(size);
    let filled = 0;
    let next = header.readUInt32BE(32);
    for (let left = header.readUInt32BE(36); next !== 0 && left > 0; left--) {
      page(next, list);
      next = list.readUInt32BE(0);
      const entries = Math.min(list.readUInt32BE(4), size / 4 - 2);
      for (let at = 0; at < entries; at++, left--) {
        if (!page(list.readUInt32BE(8 + 4 * at), leaf).equals(zeros)) filled++;
      }
      // Behind the list there may be numbers that stood in it before.
      if (!areNumbers(list.subarray(8 + 4 * entries), pages)) filled++;
    }
    return filled;
  } finally {
    closeSync(descriptor);
  }
}

function areNumbers(bytes: Buffer, most: number): boolean {
  for (let at = 0; at + 4 <= bytes.length; at += 4) if (bytes.readUInt32BE(at) > most) return false;
  return true;
}
