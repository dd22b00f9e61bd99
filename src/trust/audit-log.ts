import { type FileHandle, open } from 'node:fs/promises';
import { type AuditKey, chainedLine } from './audit-chain.ts';
import {
  auditDirectory,
  currentAuditFile,
  dropOldAuditFiles,
  firstNumberOf,
  putAuditFileAway,
  tailOf,
} from './audit-files.ts';
import { readAuditHead, writeAuditHead } from './audit-head.ts';
import { codeOf, makePrivateDirectory, ownerOnly } from './durable-file.ts';
import type { Principal } from './principal.ts';

/** Who did what, from where, and how it ended. No content, no query, no credential. */
export interface AuditEntry {
  /** Milliseconds, as `Date.now`. */
  time: number;
  requestId: string;
  /** The caller's own, if it sent a plain one. */
  clientRequestId: string | null;
  /** Null where nobody was recognised. */
  principal: { kind: Principal['kind'] | 'command'; id: string; name: string } | null;
  project: string | null;
  operation: string | null;
  /** What the caller's roles were asked for. */
  action: string | null;
  method: string;
  /** Without the query; null where there is no such route. */
  path: string | null;
  status: number;
  address: string | null;
  ms: number;
}

export interface AuditLog {
  /** Never waits and never throws. */
  append(entry: AuditEntry): void;
  /** Writes what is still there. */
  close(): Promise<void>;
}

export interface AuditLogOptions {
  dataDirectory: string;
  /** The first one is written with. Without any, lines show less of what is done to them. */
  keys: readonly AuditKey[];
  megabytes: number;
  files: number;
  log: { warn(fields: object, message: string): void; info(fields: object, message: string): void };
}

const flushMilliseconds = 100;
const retryMilliseconds = 1000;
const syncMilliseconds = 1000;
const batchEntries = 1000;
/** Entries that wait for the disk. More are dropped and counted. */
export const mostWaiting = 10_000;
/** Refusals of nobody known, per second. More are counted only, or anybody could push out what others did. */
export const mostUnknownPerSecond = 20;

/** Entries wait in memory for a moment and are written together: a request never waits for the disk. */
export async function openAuditLog(options: AuditLogOptions): Promise<AuditLog> {
  const directory = auditDirectory(options.dataDirectory);
  makePrivateDirectory(directory);
  const file = await openFile(directory, options);
  let waiting: AuditEntry[] = [];
  let dropped = 0;
  let unknown = { second: 0, seen: 0, counted: 0 };
  let timer: NodeJS.Timeout | undefined;
  let flushing: Promise<void> | null = null;
  let isFailing = false;
  let isClosed = false;

  const flushSoon = (): void => {
    if (timer !== undefined || flushing !== null || isClosed) return;
    timer = setTimeout(
      () => {
        timer = undefined;
        flush();
      },
      isFailing ? retryMilliseconds : flushMilliseconds,
    );
    timer.unref();
  };

  const flush = (): Promise<void> => {
    flushing ??= writeAll().finally(() => {
      flushing = null;
      if (waiting.length > 0) flushSoon();
    });
    return flushing;
  };

  const writeAll = async (): Promise<void> => {
    while (waiting.length > 0 || dropped > 0 || unknown.counted > 0) {
      const batch = waiting.slice(0, batchEntries);
      const counts = { dropped, unknownRefused: unknown.counted };
      try {
        await file.write(batch, counts);
      } catch (error) {
        if (!isFailing)
          options.log.warn({ code: codeOf(error) }, 'the audit log cannot be written; will retry');
        isFailing = true;
        return;
      }
      if (isFailing) options.log.info({ dropped }, 'the audit log is written again');
      isFailing = false;
      waiting = waiting.slice(batch.length);
      dropped -= counts.dropped;
      unknown.counted -= counts.unknownRefused;
    }
  };

  const isFlood = (entry: AuditEntry): boolean => {
    if (entry.principal !== null || (entry.status !== 401 && entry.status !== 403)) return false;
    const second = Math.floor(entry.time / 1000);
    if (second !== unknown.second) unknown = { second, seen: 0, counted: unknown.counted };
    unknown.seen++;
    if (unknown.seen > mostUnknownPerSecond) unknown.counted++;
    return unknown.seen > mostUnknownPerSecond;
  };

  return {
    append(entry) {
      if (!isFlood(entry)) {
        if (waiting.length < mostWaiting) waiting.push(entry);
        else dropped++;
      }
      flushSoon();
    },
    async close() {
      isClosed = true;
      clearTimeout(timer);
      await flushing;
      await flush();
      await file.close();
    },
  };
}

interface AuditFile {
  write(batch: AuditEntry[], counts: { dropped: number; unknownRefused: number }): Promise<void>;
  close(): Promise<void>;
}

async function openFile(
  directory: string,
  { dataDirectory, keys, megabytes, files, log }: AuditLogOptions,
): Promise<AuditFile> {
  const most = megabytes * 1_048_576;
  const [key = null] = keys;
  const head = readAuditHead(dataDirectory, keys);
  let { isTorn, ...link } = tailOf(directory);
  let first = head === null || head === 'damaged' ? 1 : head.first;
  let gone: { from: number; through: number } | null = null;
  if (head !== null && head !== 'damaged' && head.number > link.number) {
    // Numbers are never given twice, so that what is gone shows for as long as its neighbours are kept.
    gone = { from: link.number + 1, through: head.number };
    link = { ...link, number: head.number };
    log.warn(gone, 'lines of the audit log are gone');
  }
  let handle: FileHandle | null = await openCurrent(directory);
  let size = (await handle.stat()).size;
  let syncedAt = 0;

  const append = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text);
    if (size > 0 && size + bytes.length > most) {
      await handle?.datasync();
      await handle?.close();
      handle = null;
      putAuditFileAway(directory);
      size = 0;
    }
    if (handle === null) {
      if (dropOldAuditFiles(directory, files)) first = firstNumberOf(directory) ?? first;
      handle = await openCurrent(directory);
      size = (await handle.stat()).size;
    }
    try {
      await handle.appendFile(bytes);
    } catch (error) {
      // What a full disk took of it would be read as a line.
      await handle.truncate(size).catch(() => {});
      await handle.close().catch(() => {});
      handle = null;
      throw error;
    }
    size += bytes.length;
  };

  /** Where that cannot be noted the next lines note it. */
  const noteEnd = async (isSure: boolean): Promise<void> => {
    if (key === null) return;
    const end = { first, number: link.number, end: link.previous };
    await writeAuditHead(dataDirectory, end, key, isSure).catch(() => {});
  };

  return {
    async write(batch, counts) {
      let last = link;
      const chained = (fields: object): string => {
        const made = chainedLine(fields, last, key);
        last = made.link;
        return `${made.line}\n`;
      };
      const time = new Date().toISOString();
      const lines = gone === null ? [] : [chained({ time, gone })];
      lines.push(...batch.map((entry) => chained({ ...entry, time: new Date(entry.time).toISOString() })));
      if (counts.dropped > 0 || counts.unknownRefused > 0) lines.push(chained({ time, notWritten: counts }));
      await append((isTorn ? '\n' : '') + lines.join(''));
      isTorn = false;
      gone = null;
      link = last;
      const isSure = Date.now() - syncedAt >= syncMilliseconds;
      if (isSure) {
        syncedAt = Date.now();
        // It is written; that the disk does not say so is no reason to write it again.
        await handle?.datasync().catch(() => {});
      }
      await noteEnd(isSure);
    },
    async close() {
      await handle?.datasync();
      if (link.number > 0) await noteEnd(true);
      await handle?.close();
    },
  };
}

const openCurrent = (directory: string): Promise<FileHandle> =>
  open(currentAuditFile(directory), 'a', ownerOnly);
