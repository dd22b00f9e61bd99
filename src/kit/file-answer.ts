import { type FileHandle, open } from 'node:fs/promises';
import { apiError } from '../errors.ts';
import type { Context } from './context.ts';
import { ByteStream } from './operation.ts';

export interface ServedFile {
  path: string;
  bytes: number;
  filename: string;
  contentType: string;
  /** Changes with the content. */
  tag: string;
}

const chunkBytes = 262_144;

/**
 * The content of a file, or the one range of it that was asked for, read at the pace of the reader. Answers null where
 * the file is gone. Browsers are to save it, whatever it says it is.
 */
export async function fileAnswer(ctx: Context, file: ServedFile): Promise<ByteStream | null> {
  const etag = `"${file.tag}"`;
  const range = isAbout(ctx.header('if-range'), etag) ? rangeOf(ctx.header('range'), file.bytes) : null;
  const handle = await open(file.path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (handle === null) return null;
  const { start, end } = range ?? { start: 0, end: file.bytes - 1 };
  return new ByteStream(
    chunksOf(handle, start, end),
    file.contentType,
    {
      'content-length': String(end - start + 1),
      'content-disposition': `attachment; filename*=UTF-8''${encodeName(file.filename)}`,
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
      etag,
      ...(range === null ? {} : { 'content-range': `bytes ${start}-${end}/${file.bytes}` }),
    },
    range === null ? 200 : 206,
  );
}

/** The bytes from `start` to `end`, in two buffers by turns: one is read into while the other is sent. */
async function* chunksOf(file: FileHandle, start: number, end: number): AsyncGenerator<Uint8Array> {
  const size = Math.min(chunkBytes, end + 1 - start);
  const buffers: Buffer[] = [];
  try {
    for (let at = start, turn = 0; at <= end; turn = 1 - turn) {
      const buffer = buffers[turn] ?? Buffer.allocUnsafeSlow(size);
      buffers[turn] = buffer;
      const { bytesRead } = await file.read(buffer, 0, Math.min(size, end + 1 - at), at);
      if (bytesRead === 0) throw new Error('A content is shorter than its size says.');
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

/** With `If-Range` a range is wanted only of the content that the caller has the beginning of. */
const isAbout = (condition: string | undefined, etag: string): boolean =>
  condition === undefined || condition === etag;

/** One range of bytes; null for none, and for what is no such range or several: those are answered with the whole. */
export function rangeOf(header: string | undefined, size: number): { start: number; end: number } | null {
  const [, from = '', to = ''] = /^\s*bytes\s*=\s*(\d{0,15})\s*-\s*(\d{0,15})\s*$/i.exec(header ?? '') ?? [];
  if (from === '' && to === '') return null;
  if (from !== '' && to !== '' && Number(to) < Number(from)) return null;
  const start = from === '' ? Math.max(0, size - Number(to)) : Number(from);
  const end = from === '' || to === '' ? size - 1 : Math.min(Number(to), size - 1);
  if (start <= end) return { start, end };
  throw apiError('range_not_satisfiable', `The content has ${size} bytes; the range begins beyond them.`, {
    target: 'Range',
    headers: { 'content-range': `bytes */${size}` },
  });
}

const encodeName = (name: string): string =>
  encodeURIComponent(name).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
