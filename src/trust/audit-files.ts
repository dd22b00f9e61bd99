/** Where audit lines lie: `audit.log` is being written, `audit.000001.log` and so on are full. Numbers only grow. */

import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { type AuditLink, readLine } from './audit-chain.ts';

const current = 'audit.log';
const putAway = /^audit\.(\d{6,})\.log$/;
/** No line is longer: what it says is cut to length. */
const longestLine = 16_384;

export const auditDirectory = (dataDirectory: string): string => join(dataDirectory, 'audit');
export const currentAuditFile = (directory: string): string => join(directory, current);

/** The full files, oldest first, then the one being written. */
export function auditFiles(directory: string): string[] {
  const full = existsSync(directory) ? fullFiles(directory).map(({ file }) => file) : [];
  const last = currentAuditFile(directory);
  return existsSync(last) ? [...full, last] : full;
}

/** Puts the current file away under the next number. */
export function putAuditFileAway(directory: string): void {
  const full = fullFiles(directory);
  const number = String((full.at(-1)?.number ?? 0) + 1).padStart(6, '0');
  renameSync(currentAuditFile(directory), join(directory, `audit.${number}.log`));
}

/** Throws the oldest files away; with the one to be written there are `most` then. Whether there were any. */
export function dropOldAuditFiles(directory: string, most: number): boolean {
  const full = fullFiles(directory);
  const old = full.slice(0, Math.max(0, full.length + 1 - most));
  for (const { file } of old) rmSync(file, { force: true });
  return old.length > 0;
}

function fullFiles(directory: string): { file: string; number: number }[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const number = putAway.exec(name)?.[1];
      return number === undefined ? [] : [{ file: join(directory, name), number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
}

export interface AuditTail extends AuditLink {
  /** Whether the last line was cut off in the middle of being written. */
  isTorn: boolean;
}

/** The last line, and the highest number near the end; 0 where there is none. */
export function tailOf(directory: string): AuditTail {
  for (const file of auditFiles(directory).reverse()) {
    const end = edgeOf(file, 'end');
    if (end === '') continue;
    const isTorn = !end.endsWith('\n');
    const lines = (isTorn ? end : end.slice(0, -1)).split('\n').map(readLine);
    const numbered = lines.findLast(({ keyed }) => keyed !== null);
    return {
      previous: lines.at(-1)?.end ?? '',
      number: numbered?.keyed?.number ?? 0,
      isTorn: isTorn && file === currentAuditFile(directory),
    };
  }
  return { previous: '', number: 0, isTorn: false };
}

/** The number of the oldest line that has one; null where the oldest has none. */
export function firstNumberOf(directory: string): number | null {
  const [oldest] = auditFiles(directory);
  const [line = ''] = oldest === undefined ? [] : edgeOf(oldest, 'beginning').split('\n');
  return readLine(line).keyed?.number ?? null;
}

function edgeOf(file: string, edge: 'beginning' | 'end'): string {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(size, longestLine));
    readSync(handle, bytes, 0, bytes.length, edge === 'end' ? size - bytes.length : 0);
    return bytes.toString();
  } finally {
    closeSync(handle);
  }
}
