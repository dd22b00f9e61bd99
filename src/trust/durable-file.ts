/** Small files that must never be seen half-written, and errors that say which file and what to do about it. */
import {
  chmodSync,
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';

export const ownerOnly = 0o600;
export const readableByAll = 0o644;

export function writeDurably(file: string, content: string, mode: number = ownerOnly): void {
  const temporary = `${file}.tmp`;
  try {
    // Left over from a crash it could carry a wider mode than asked for.
    rmSync(temporary, { force: true });
    const handle = openSync(temporary, 'wx', mode);
    try {
      writeFileSync(handle, content);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    throw failure(
      `Cannot write ${file}`,
      error,
      'Make its directory writable for this user and free some space',
    );
  }
}

export function readIfPresent(file: string): string | null {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return null;
    throw failure(`Cannot read ${file}`, error, 'Make it a file that this user may read');
  }
}

/** The content of a file that must stay with its owner; a mode that others can read is narrowed. */
export function readPrivateIfPresent(file: string): string | null {
  const content = readIfPresent(file);
  if (content !== null && isOpenToOthers(file)) chmodSync(file, ownerOnly);
  return content;
}

export function readJsonIfPresent(file: string, remedy: string): Record<string, unknown> | null {
  const content = readPrivateIfPresent(file);
  if (content === null) return null;
  let value: unknown;
  try {
    value = JSON.parse(content);
  } catch {
    value = null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new Error(`${file} is damaged: it is not a JSON object. ${remedy}`);
  }
  return value as Record<string, unknown>;
}

/** Closed to others when made here; one that was there before keeps the mode its owner chose. */
export function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw failure(`Cannot make the directory ${directory}`, error, 'Choose another one with --data');
  }
}

export function makePrivateDirectory(directory: string): void {
  makeDirectory(directory);
  if (isOpenToOthers(directory)) chmodSync(directory, 0o700);
}

export function isOpenToOthers(path: string): boolean {
  return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0;
}

export const codeOf = (error: unknown): string | undefined =>
  (error as NodeJS.ErrnoException | undefined)?.code;

const failure = (what: string, error: unknown, remedy: string): Error =>
  new Error(`${what} (${codeOf(error) ?? String(error)}). ${remedy}.`, { cause: error });
