import { createReadStream } from 'node:fs';
import { opendir } from 'node:fs/promises';
import { join } from 'node:path';

const chunkBytes = 1_048_576;

/** The files below a directory that hold these bytes, but `except`. No more than one chunk of one is in memory. */
export async function* filesHolding(
  directory: string,
  wanted: Buffer,
  except: string,
): AsyncGenerator<string> {
  for await (const entry of await opendir(directory)) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) yield* filesHolding(path, wanted, except);
    else if (entry.isFile() && path !== except && (await holds(path, wanted))) yield path;
  }
}

async function holds(path: string, wanted: Buffer): Promise<boolean> {
  // It may lie across two chunks, so the end of one is looked at again with the next.
  let end: Buffer = Buffer.alloc(0);
  for await (const chunk of createReadStream(path, { highWaterMark: chunkBytes })) {
    const bytes = Buffer.concat([end, chunk as Buffer]);
    if (bytes.includes(wanted)) return true;
    end = bytes.subarray(Math.max(bytes.length - wanted.length + 1, 0));
  }
  return false;
}
