import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, opendir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { apiError } from '../errors.ts';
import { codeOf } from '../trust/durable-file.ts';

/**
 * Contents that are too large for the database, each a file of its own: `DIRECTORY/ID`. It is written under another
 * name and synced before it is placed, so that whatever has its name is whole. The row that names it is written
 * afterwards, and deleted before.
 */
export interface Contents {
  /** Writes what comes, as it comes. Where that throws, nothing is left. */
  write(bytes: AsyncIterable<Uint8Array>, digests: readonly Digest[]): Promise<Draft>;
  path(id: string): string;
  remove(id: string): Promise<void>;
  /** Removes what earlier processes did not finish writing. To be called before the first `write`. */
  removeDrafts(): Promise<void>;
  /** Removes contents older than the id `before` that nobody knows: their row was never written, or is gone. */
  removeUnknown(before: string, knownOf: (ids: string[]) => Promise<Set<string>>): Promise<void>;
}

export type Digest = 'sha256' | 'md5';

/** A content that is on disk but has no name yet. */
export interface Draft {
  bytes: number;
  /** Hexadecimal; of those that were asked for. */
  digests: Partial<Record<Digest, string>>;
  place(id: string): Promise<void>;
  /** Lets go of it, unless it was placed. */
  discard(): Promise<void>;
}

const drafts = 'drafts';
/** What is held in memory of one content: this much is being written while as much is gathered. */
const batchBytes = 1_048_576;
/** How much may be written before the disk is put to work. */
const syncedBytes = 33_554_432;
const looked = 200;

export function contents(directory: string): Contents {
  const draftFolder = join(directory, drafts);
  let count = 0;
  const path = (id: string): string => join(directory, id);

  return {
    path,

    async write(bytes, digests) {
      const draft = join(draftFolder, String(++count));
      await mkdir(draftFolder, { recursive: true, mode: 0o700 });
      const file = await open(draft, 'wx', 0o600);
      let written: Pick<Draft, 'bytes' | 'digests'>;
      try {
        written = await writeAll(file, bytes, digests);
        await file.sync();
      } catch (error) {
        await rm(draft, { force: true });
        throw codeOf(error) === 'ENOSPC' ? diskFull(error) : error;
      } finally {
        await file.close();
      }
      let placed = false;
      return {
        ...written,
        async place(id) {
          await rename(draft, path(id));
          placed = true;
          await syncFolder(directory);
        },
        async discard() {
          if (!placed) await rm(draft, { force: true });
        },
      };
    },

    remove: (id) => rm(path(id), { force: true }),

    removeDrafts: () => rm(draftFolder, { recursive: true, force: true }),

    async removeUnknown(before, knownOf) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      const removeThoseOf = async (ids: string[]): Promise<void> => {
        const known = await knownOf(ids);
        for (const id of ids) if (!known.has(id)) await rm(path(id), { force: true });
      };
      let ids: string[] = [];
      for await (const entry of await opendir(directory)) {
        if (!entry.isFile() || entry.name >= before) continue;
        if (ids.push(entry.name) < looked) continue;
        await removeThoseOf(ids);
        ids = [];
      }
      await removeThoseOf(ids);
    },
  };
}

const diskFull = (cause: unknown): Error =>
  apiError('service_unavailable', "The server's disk is full, so the content was not kept.", {
    retry: false,
    cause,
  });

/**
 * Gathers while it writes; neither waits for the other longer than it has to. What came is copied, so that it lives
 * for a moment only: thousands of buffers that outlive that cost more than all the rest.
 */
async function writeAll(
  file: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  digests: readonly Digest[],
): Promise<Pick<Draft, 'bytes' | 'digests'>> {
  const hashes = digests.map((name) => ({ name, hash: createHash(name) }));
  let writing = Promise.resolve();
  let [gathered, other] = [Buffer.allocUnsafeSlow(batchBytes), Buffer.allocUnsafeSlow(batchBytes)];
  let size = 0;
  let total = 0;
  const disk = earlySync(file);
  const flush = async (): Promise<void> => {
    const batch = gathered.subarray(0, size);
    for (const { hash } of hashes) hash.update(batch);
    await writing;
    writing = file.writeFile(batch);
    // It is waited for with the next one; until then nobody may miss that it failed.
    writing.catch(() => {});
    [gathered, other] = [other, gathered];
    total += size;
    size = 0;
    disk.wrote(total);
  };
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; ) {
        const taken = chunk.subarray(at, at + batchBytes - size);
        gathered.set(taken, size);
        size += taken.length;
        at += taken.length;
        if (size === batchBytes) await flush();
      }
    }
    await flush();
  } finally {
    await writing;
    await disk.settled();
  }
  return {
    bytes: total,
    digests: Object.fromEntries(hashes.map(({ name, hash }) => [name, hash.digest('hex')])),
  };
}

/** Has what is written go to the disk meanwhile, so that not all of it is waited for in the end. */
function earlySync(file: FileHandle) {
  let syncing: Promise<void> | null = null;
  let synced = 0;
  return {
    wrote(total: number): void {
      if (syncing !== null || total - synced < syncedBytes) return;
      synced = total;
      syncing = file
        .datasync()
        // The sync in the end tells of it.
        .catch(() => {})
        .finally(() => {
          syncing = null;
        });
    },
    async settled(): Promise<void> {
      await syncing;
    },
  };
}

/** A new name in a folder outlives a power cut only once the folder itself is on disk. Not every system can. */
async function syncFolder(directory: string): Promise<void> {
  if (process.platform === 'win32') return;
  const folder = await open(directory, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
