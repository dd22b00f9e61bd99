/**
 * One server per data directory. The lock is an exclusive transaction on an SQLite file of its own: the operating
 * system ends it with the process, however that dies, and it works alike on every platform.
 */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeDirectory } from '../trust/durable-file.ts';
import { readRunFile } from '../trust/run-file.ts';

export interface DataLock {
  release(): void;
}

export class DataDirectoryInUseError extends Error {
  constructor(directory: string, remedy: string) {
    super(`The data directory ${resolve(directory)} is in use by ${holderOf(directory)}. ${remedy}`);
    this.name = 'DataDirectoryInUseError';
  }
}

const busy = 5;
/** Long enough to outlast a look by `isDataDirectoryLocked`. */
const patience = 250;

/** Held here too: a lock whose owner forgets it would end with the next garbage collection. */
const held = new Set<DatabaseSync>();

export const lockFile = (directory: string): string => join(directory, 'lock');

const usualRemedy = 'Stop it first, or start this one with another --data directory.';

export function lockDataDirectory(directory: string, remedy = usualRemedy): DataLock {
  makeDirectory(directory);
  const database = open(lockFile(directory), patience);
  try {
    // With its journal in memory the transaction leaves no second file behind.
    database.exec('pragma journal_mode = memory; begin exclusive');
  } catch (error) {
    database.close();
    if (isBusy(error)) throw new DataDirectoryInUseError(directory, remedy);
    throw unusable(directory, error);
  }
  held.add(database);
  return {
    release() {
      if (held.delete(database)) database.close();
    },
  };
}

/** Looks without taking the lock. Never open the file otherwise: closing it would drop this process's own lock. */
export function isDataDirectoryLocked(directory: string): boolean {
  if (!existsSync(lockFile(directory))) return false;
  const database = open(lockFile(directory), 0);
  try {
    database.prepare('select count(*) from sqlite_schema').get();
    return false;
  } catch (error) {
    if (isBusy(error)) return true;
    throw unusable(directory, error);
  } finally {
    database.close();
  }
}

function open(file: string, timeout: number): DatabaseSync {
  try {
    return new DatabaseSync(file, { timeout });
  } catch (error) {
    throw new Error(
      `Cannot open ${file}: ${(error as Error).message}. Make it writable for this user, or delete it.`,
      {
        cause: error,
      },
    );
  }
}

const isBusy = (error: unknown): boolean => (error as { errcode?: number }).errcode === busy;

const unusable = (directory: string, error: unknown): Error =>
  new Error(
    `Cannot lock the data directory with ${lockFile(directory)}: ${(error as Error).message}. Delete that file if no server is running; the directory must be on a disk that supports file locks.`,
    { cause: error },
  );

function holderOf(directory: string): string {
  try {
    const run = readRunFile(directory);
    if (run !== null) return `the server with process id ${run.pid} at ${run.endpoint}`;
  } catch {}
  return 'another process, which is starting or stopping';
}
