import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { convertPostings } from './convert-postings.ts';

export type SearchFile = DatabaseSync;

export const indexFile = (directory: string): string => join(directory, 'search.db');

/** Chunks of a file that are stored and read together. */
export const segmentChunks = 512;
/** The number of a chunk's text and vector. */
export const chunkNumber = (segment: number, place: number): number => segment * segmentChunks + place;

const busyMilliseconds = 10_000;
const migrationMilliseconds = 600_000;

/** Forward only; the file says how many of them it has seen. */
const migrations: readonly (string | ((file: SearchFile) => void))[] = [
  `
  create table collections (
    number integer primary key autoincrement,
    project text not null,
    id text not null,
    dimensions integer,
    removals integer not null default 0,
    edits integer not null default 0,
    unique (project, id)
  );
  create table files (
    number integer primary key autoincrement,
    collection integer not null,
    id text not null,
    filename text not null,
    attributes text not null,
    bytes integer not null,
    unique (collection, id)
  );
  create table segments (
    number integer primary key autoincrement,
    collection integer not null,
    file integer not null,
    place integer not null,
    chunks integer not null,
    words integer not null,
    lengths blob not null,
    scales blob,
    errors blob
  );
  create index segments_of_collection on segments (collection, number);
  create index segments_of_file on segments (file, place);
  create table codes (segment integer primary key, data blob not null);
  create table texts (chunk integer primary key, text text not null);
  create table vectors (chunk integer primary key, vector blob not null);
  create table postings (
    collection integer not null,
    batch integer not null,
    word text not null,
    segment integer not null,
    data blob not null,
    primary key (collection, batch, word, segment)
  ) without rowid;
  `,
  (file) => {
    file.exec(`
      create table runs (
        number integer primary key autoincrement,
        collection integer not null,
        newest integer not null,
        blocks integer not null,
        bytes integer not null,
        segments blob not null
      );
      create index runs_of_collection on runs (collection, newest);
      create table words (block integer primary key, data blob not null);
      alter table segments add column overlaps blob;
    `);
    convertPostings(file);
    file.exec('drop table postings');
  },
];

/** Opens the file to write, made and brought up to date where needed. */
export function openToWrite(path: string): SearchFile {
  // Made here, so that it is the owner's only; the files beside it get the same mode.
  closeSync(openSync(path, 'a', 0o600));
  const file = new DatabaseSync(path, { timeout: busyMilliseconds });
  try {
    // Zeros over what was deleted, and pages that can be given back: removed means gone.
    file.exec(
      'pragma auto_vacuum = incremental; pragma journal_mode = wal; pragma synchronous = normal; pragma secure_delete = on; pragma cache_size = -65536; pragma wal_autocheckpoint = 4000',
    );
    migrate(file, path);
    return file;
  } catch (error) {
    file.close();
    throw error;
  }
}

/** Opens the file of a stopped server as it is. */
export function openToLook(path: string): SearchFile {
  const file = new DatabaseSync(path, { readOnly: true });
  if (versionOf(file) === migrations.length) return file;
  file.close();
  throw new Error(`${path} was written by another version of Bloomery.`);
}

/** Opens the file to read only; it is made or brought up to date where needed. */
export function openToRead(path: string): SearchFile {
  openToWrite(path).close();
  const file = new DatabaseSync(path, { readOnly: true, timeout: busyMilliseconds });
  file.exec('pragma cache_size = -32768');
  return file;
}

function migrate(file: SearchFile, path: string): void {
  if (versionOf(file) === migrations.length) return;
  // Another thread may be bringing a large file up to date.
  file.exec(`pragma busy_timeout = ${migrationMilliseconds}`);
  transaction(file, () => {
    const version = versionOf(file);
    if (version > migrations.length) {
      throw new Error(
        `${path} was written by a newer version of Bloomery. Start that version, or use another --data directory.`,
      );
    }
    for (const migration of migrations.slice(version)) {
      if (typeof migration === 'string') file.exec(migration);
      else migration(file);
    }
    if (version < migrations.length) file.exec(`pragma user_version = ${migrations.length}`);
  });
  file.exec(`pragma busy_timeout = ${busyMilliseconds}`);
  file.exec('pragma wal_checkpoint(truncate)');
}

const versionOf = (file: SearchFile): number =>
  Number(file.prepare('pragma user_version').get()?.user_version ?? 0);

/** All of it or nothing. */
export function transaction<T>(
  file: SearchFile,
  work: () => T,
  kind: 'immediate' | 'deferred' = 'immediate',
): T {
  file.exec(`begin ${kind}`);
  try {
    const result = work();
    file.exec('commit');
    return result;
  } catch (error) {
    // A full disk has rolled back already.
    if (file.isTransaction) file.exec('rollback');
    throw error;
  }
}

export function numbersOf<T extends Float32Array | Uint32Array>(
  blob: unknown,
  make: (buffer: ArrayBuffer) => T,
): T {
  if (!(blob instanceof Uint8Array)) throw new Error('The search index is damaged: a blob is missing.');
  return make(blob.slice().buffer);
}

export const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength);
