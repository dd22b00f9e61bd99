import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StoredFile } from './directory.ts';

/** What a model is to be given, wherever it comes from. */
export interface Content {
  filename: string | null;
  /** The media type that its sender says it has. */
  declared: string | null;
  start: Uint8Array;
  bytes(): Promise<Buffer>;
  /** Has it read from a file, which may be there only until `use` has settled. */
  onDisk<T>(use: (path: string) => Promise<T>): Promise<T>;
}

const startBytes = 4096;

export const inMemory = (
  bytes: Buffer,
  { filename, declared }: Pick<Content, 'filename' | 'declared'>,
): Content => ({
  filename,
  declared,
  start: bytes.subarray(0, startBytes),
  bytes: async () => bytes,
  async onDisk(use) {
    const folder = await mkdtemp(join(tmpdir(), 'bloomery-input-'));
    try {
      const path = join(folder, 'content');
      await writeFile(path, bytes, { mode: 0o600 });
      return await use(path);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
});

/** An uploaded file; null where its content is gone. */
export async function storedContent({ path, filename }: StoredFile): Promise<Content | null> {
  const start = await startOf(path);
  if (start === null) return null;
  return {
    filename,
    declared: null,
    start,
    bytes: () => readFile(path),
    onDisk: (use) => use(path),
  };
}

async function startOf(path: string): Promise<Uint8Array | null> {
  const file = await open(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (file === null) return null;
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(startBytes), 0, startBytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
