import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, mkdirSync, readdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** A part of a file. Azurite remembers blobs as lists of them. */
export interface Extent {
  id: string;
  offset: number;
  count: number;
}

/** In milliseconds; it never steps back while the process runs. */
export const extentClock = (): number => performance.timeOrigin + performance.now();

export interface ExtentFiles {
  /** The form in which Azurite takes them. */
  store: object;
  /** Deletes the files that were made before `since`, by `extentClock`, and that `used` does not name. */
  sweep(used: ReadonlySet<string>, since: number): Promise<void>;
}

/**
 * What was written in one request is one file, whose name tells when. Azurite's own store puts many blobs in one file,
 * which then keeps the content of deleted ones.
 */
export function extentFiles(directory: string): ExtentFiles {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const pathOf = (id: string) => join(directory, id);

  async function* read(extents: Extent[]): AsyncGenerator<Uint8Array> {
    for (const { id, offset, count } of extents) {
      if (count > 0) yield* createReadStream(pathOf(id), { start: offset, end: offset + count - 1 });
    }
  }
  const streamOf = (extents: Extent[]) => Readable.from(read(extents), { objectMode: false });

  return {
    store: {
      isInitialized: () => true,
      isClosed: () => false,
      async init() {},
      async close() {},
      async clean() {},

      async appendExtent(content: NodeJS.ReadableStream | Uint8Array): Promise<Extent> {
        const id = `${Math.floor(extentClock()).toString(36)}-${randomUUID()}`;
        const file = createWriteStream(pathOf(id), { flags: 'wx', mode: 0o600, flush: true });
        try {
          await pipeline(content instanceof Uint8Array ? [content] : content, file);
        } catch (error) {
          await rm(pathOf(id), { force: true });
          throw error;
        }
        return { id, offset: 0, count: file.bytesWritten };
      },

      readExtent: async (extent: Extent | undefined) => streamOf(extent === undefined ? [] : [extent]),

      readExtents: async (extents: Extent[], offset = 0, count = Number.POSITIVE_INFINITY) =>
        streamOf(window(extents, offset, count)),
    },

    async sweep(used, since) {
      for (const id of readdirSync(directory)) {
        const madeAt = Number.parseInt(id, 36);
        if (madeAt < Math.floor(since) && !used.has(id)) await rm(pathOf(id), { force: true });
      }
    },
  };
}

/** The `count` bytes from `offset` on of what the extents are together. */
export function window(extents: Extent[], offset: number, count: number): Extent[] {
  const found: Extent[] = [];
  let skip = offset;
  let left = count;
  for (const extent of extents) {
    const taken = Math.min(Math.max(extent.count - skip, 0), left);
    if (taken > 0) found.push({ id: extent.id, offset: extent.offset + skip, count: taken });
    skip = Math.max(skip - extent.count, 0);
    left -= taken;
  }
  return found;
}
