/** Where audit lines lie: `audit.log` is being written, `audit.000001.log` and so on are full. Numbers only grow. */

import { hash } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  existsSync,
  fstatSync,
  openSync,
  readdirSync,
  readSync,
  renameSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const current = 'audit.log';
const putAway = /^audit\.(\d{6,})\.log$/;
/** No line is longer: what it says is cut to length. */
const longestLine = 16_384;

export const auditDirectory = (dataDirectory: string): string => join(dataDirectory, 'audit');
export const currentAuditFile = (directory: string): string => join(directory, current);

/**
 * What the next line carries, so that a line changed, put in or taken out between others shows. There is no key in it:
 * lines cut off the end, and a chain made anew, do not show.
 */
export const hashOfLine = (line: string): string => hash('sha256', line, 'base64url');

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

/** Throws the oldest files away; with the one to be written there are `most` then. */
export function dropOldAuditFiles(directory: string, most: number): void {
  const full = fullFiles(directory);
  for (const { file } of full.slice(0, Math.max(0, full.length + 1 - most))) rmSync(file, { force: true });
}

function fullFiles(directory: string): { file: string; number: number }[] {
  return readdirSync(directory)
    .flatMap((name) => {
      const number = putAway.exec(name)?.[1];
      return number === undefined ? [] : [{ file: join(directory, name), number: Number(number) }];
    })
    .sort((a, b) => a.number - b.number);
}

export interface AuditTail {
  /** Hash of the last line; empty where there is none. */
  previous: string;
  /** Whether the last line was cut off in the middle of being written. */
  isTorn: boolean;
}

export function tailOf(directory: string): AuditTail {
  for (const file of auditFiles(directory).reverse()) {
    const end = endOf(file);
    if (end === '') continue;
    const isTorn = !end.endsWith('\n');
    const last = (isTorn ? end : end.slice(0, -1)).split('\n').at(-1) ?? '';
    return { previous: hashOfLine(last), isTorn: isTorn && file === currentAuditFile(directory) };
  }
  return { previous: '', isTorn: false };
}

function endOf(file: string): string {
  const handle = openSync(file, 'r');
  try {
    const { size } = fstatSync(handle);
    const bytes = Buffer.alloc(Math.min(size, longestLine));
    readSync(handle, bytes, 0, bytes.length, size - bytes.length);
    return bytes.toString();
  } finally {
    closeSync(handle);
  }
}

export interface AuditVerdict {
  files: number;
  lines: number;
  /** What does not fit together, as `FILE:LINE: what`. */
  faults: string[];
}

const mostFaults = 100;

/** Follows the chain through all files that are left. What came before the oldest is taken on trust. */
export async function verifyAuditFiles(directory: string): Promise<AuditVerdict> {
  const files = auditFiles(directory);
  const faults: string[] = [];
  let lines = 0;
  let previous: string | null = null;
  for (const file of files) {
    let at = 0;
    for await (const line of createInterface({ input: createReadStream(file), crlfDelay: Infinity })) {
      lines++;
      at++;
      const wrong = faultOf(line, previous);
      if (wrong !== null && faults.length < mostFaults) faults.push(`${file}:${at}: ${wrong}`);
      previous = hashOfLine(line);
    }
  }
  return { files: files.length, lines, faults };
}

function faultOf(line: string, previous: string | null): string | null {
  let carried: unknown;
  try {
    carried = (JSON.parse(line) as { previous?: unknown }).previous;
  } catch {
    return 'is not a line of JSON';
  }
  return previous === null || carried === previous
    ? null
    : 'does not follow the line before it: one of the two was changed, or lines between them were taken out';
}
