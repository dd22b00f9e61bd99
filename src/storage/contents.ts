import { createReadStream, existsSync } from 'node:fs';
import { type FileHandle, mkdir, open, opendir, rename, rm } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { apiError } from '../errors.ts';
import { codeOf } from '../trust/durable-file.ts';
import { collectYoung } from './collect-garbage.ts';
import { type Digest, Digesting } from './digesting.ts';

/**
 * Contents that are too large for the database, each a file of its own: `DIRECTORY/ID`. It is written under another
 * name before it is placed, so that whatever has its name is whole; past a power cut only if it was synced. The row
 * that names it is written afterwards, and deleted before.
 */
export interface Contents {
  /** Writes what comes, as it comes. Where that throws, nothing is left. */
  write(bytes: AsyncIterable<Uint8Array>, digests: readonly Digest[]): Promise<Draft>;
  path(id: string): string;
  /** Has contents that were placed outlive a power cut; those that are gone already are left out. */
  sync(ids: readonly string[]): Promise<void>;
  remove(id: string): Promise<void>;
  /** Removes what earlier processes did not finish writing. To be called before the first `write`. */
  removeDrafts(): Promise<void>;
  /** Removes contents older than the id `before` that nobody knows: their row was never written, or is gone. */
  removeUnknown(before: string, knownOf: KnownOf): Promise<void>;
  /** How many drafts there are, and contents that `removeUnknown` would remove. */
  countLeft(before: string, knownOf: KnownOf): Promise<number>;
}

/** Those of the ids that have a row. */
type KnownOf = (ids: string[]) => Promise<Set<string>>;

/** A content that is written but has no name yet. */
export interface Draft {
  bytes: number;
  /** Hexadecimal; of those that were asked for. */
  digests: Partial<Record<Digest, string>>;
  read(): AsyncIterable<Uint8Array>;
  place(id: string): Promise<void>;
  /** Lets go of it, unless it was placed. */
  discard(): Promise<void>;
}

const drafts = 'drafts';
/** What is held in memory of one content: one batch that is gathered, and so many that are written and hashed. */
const batchBytes = 524_288;
/** The first one is smaller: most contents are. */
const firstBytes = 65_536;
const batches = 3;
/** After these what they came in is collected: V8 waits for more, and then goes through all that the server holds. */
const collectedBytes = 8_388_608;
const looked = 200;

export function contents(directory: string): Contents {
  const draftFolder = join(directory, drafts);
  let count = 0;
  const path = (id: string): string => `${directory}${sep}${id}`;

  async function* unknown(before: string, knownOf: KnownOf): AsyncGenerator<string> {
    let ids: string[] = [];
    async function* ofThose(): AsyncGenerator<string> {
      const known = await knownOf(ids);
      yield* ids.filter((id) => !known.has(id));
      ids = [];
    }
    for await (const id of namesIn(directory)) {
      if (id < before && ids.push(id) === looked) yield* ofThose();
    }
    yield* ofThose();
  }

  return {
    path,

    async write(bytes, digests) {
      const draft = join(draftFolder, String(++count));
      await mkdir(draftFolder, { recursive: true, mode: 0o700 });
      const file = await open(draft, 'wx', 0o600);
      let written: Pick<Draft, 'bytes' | 'digests'>;
      try {
        written = await writeAll(file, bytes, digests);
      } catch (error) {
        await rm(draft, { force: true });
        throw toldOf(error);
      } finally {
        await file.close();
      }
      let placed = false;
      return {
        ...written,
        read: () => createReadStream(draft, { highWaterMark: batchBytes }),
        async place(id) {
          await rename(draft, path(id));
          placed = true;
        },
        async discard() {
          if (!placed) await rm(draft, { force: true });
        },
      };
    },

    async sync(ids) {
      try {
        for (const id of ids) await syncIfThere(path(id), 'r+');
        await syncFolder(directory);
      } catch (error) {
        throw toldOf(error);
      }
    },

    remove: (id) => rm(path(id), { force: true }),

    removeDrafts: () => rm(draftFolder, { recursive: true, force: true }),

    async removeUnknown(before, knownOf) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      for await (const id of unknown(before, knownOf)) await rm(path(id), { force: true });
    },

    async countLeft(before, knownOf) {
      let left = 0;
      for await (const _ of namesIn(draftFolder)) left++;
      for await (const _ of unknown(before, knownOf)) left++;
      return left;
    },
  };
}

/** Names of the files in a folder; none where there is no folder. */
export async function* namesIn(directory: string): AsyncGenerator<string> {
  if (!existsSync(directory)) return;
  for await (const entry of await opendir(directory)) if (entry.isFile()) yield entry.name;
}

const toldOf = (error: unknown): unknown =>
  codeOf(error) === 'ENOSPC'
    ? apiError('service_unavailable', "The server's disk is full, so the content was not kept.", {
        retry: false,
        cause: error,
      })
    : error;

/**
 * Gathers what comes in a few buffers that are used again and again, and meanwhile has the full ones written and
 * hashed. What came is copied, so that it lives for a moment only: thousands of buffers that outlive that cost more
 * than all the rest.
 */
async function writeAll(
  file: FileHandle,
  bytes: AsyncIterable<Uint8Array>,
  names: readonly Digest[],
): Promise<Pick<Draft, 'bytes' | 'digests'>> {
  const digesting = new Digesting(names);
  let writing = Promise.resolve();
  const full: { buffer: Buffer; written: Promise<void> }[] = [];
  let gathered = newBatch(firstBytes);
  let size = 0;
  let total = 0;
  const flush = (): void => {
    if (size === 0) return;
    const batch = gathered.subarray(0, size);
    digesting.add(batch);
    writing = writing.then(() => file.writeFile(batch));
    // It is waited for later; until then nobody may miss that it failed.
    writing.catch(() => {});
    full.push({ buffer: gathered, written: writing });
    total += size;
    noteTaken(size);
    size = 0;
  };
  const nextBatch = async (): Promise<Buffer> => {
    if (full.length < batches) return newBatch(batchBytes);
    await digesting.oldest();
    const oldest = full.shift();
    await oldest?.written;
    return oldest?.buffer.length === batchBytes ? oldest.buffer : newBatch(batchBytes);
  };
  try {
    for await (const chunk of bytes) {
      for (let at = 0; at < chunk.length; ) {
        if (size === gathered.length) {
          flush();
          gathered = await nextBatch();
        }
        const taken = copy(chunk, at, gathered, size);
        size += taken;
        at += taken;
      }
    }
    flush();
    return { digests: await digesting.finish(), bytes: total };
  } finally {
    digesting.abandon();
    await writing;
  }
}

let uncollected = 0;

/** Of all contents that are being written. */
function noteTaken(bytes: number): void {
  uncollected += bytes;
  if (uncollected < collectedBytes) return;
  uncollected = 0;
  collectYoung();
}

/** How many bytes there was room for. Not by `set`, which goes byte by byte where memory is shared. */
const copy = (from: Uint8Array, at: number, to: Buffer, size: number): number =>
  Buffer.prototype.copy.call(from, to, size, at);

/** Memory that the thread which hashes sees, too. */
const newBatch = (bytes: number): Buffer => Buffer.from(new SharedArrayBuffer(bytes));

/** A new name in a folder outlives a power cut only once the folder itself is on disk. Not every system can. */
async function syncFolder(directory: string): Promise<void> {
  if (process.platform !== 'win32') await syncIfThere(directory, 'r');
}

async function syncIfThere(path: string, flags: 'r' | 'r+'): Promise<void> {
  let opened: FileHandle;
  try {
    opened = await open(path, flags);
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return;
    throw error;
  }
  try {
    await opened.sync();
  } finally {
    await opened.close();
  }
}
