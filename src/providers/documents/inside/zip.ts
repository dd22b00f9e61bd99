import { inflateRawSync } from 'node:zlib';
import { DocumentError } from '../documents.ts';

/** The parts of an archive, inflated one by one when they are asked for. */
export interface Archive {
  has(name: string): boolean;
  /** Throws `DocumentError`s: on what is broken, and when the parts read get larger than an honest document's. */
  read(name: string): Uint8Array | undefined;
}

export interface ArchiveBounds {
  entries: number;
  /** What one part unpacks to. */
  partBytes: number;
  /** What all parts that are read unpack to, together. */
  totalBytes: number;
}

const archiveBounds: ArchiveBounds = { entries: 10_000, partBytes: 134_217_728, totalBytes: 268_435_456 };

const endSignature = 0x06054b50;
const endBytes = 22;
const longestComment = 65_535;
const entrySignature = 0x02014b50;
const entryBytes = 46;
const partSignature = 0x04034b50;
const partHeaderBytes = 30;
/** Stands where the extension for archives beyond 4 GB has the number. */
const elsewhere = 0xffffffff;

interface Entry {
  method: number;
  encrypted: boolean;
  packedBytes: number;
  offset: number;
}

export function openArchive(bytes: Uint8Array, bounds = archiveBounds): Archive {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const entries = readDirectory(bytes, view, bounds);
  let left = bounds.totalBytes;

  const read = (name: string): Uint8Array | undefined => {
    const entry = entries.get(name);
    if (entry === undefined) return undefined;
    if (entry.encrypted) throw new DocumentError('invalid_file', 'The file is encrypted.');
    const header = entry.offset;
    if (header + partHeaderBytes > bytes.length || view.getUint32(header, true) !== partSignature)
      throw broken();
    const start =
      header + partHeaderBytes + view.getUint16(header + 26, true) + view.getUint16(header + 28, true);
    const packed = bytes.subarray(start, start + entry.packedBytes);
    if (packed.length < entry.packedBytes) throw broken();
    const part = inflate(packed, entry.method, Math.min(left, bounds.partBytes));
    left -= part.length;
    return part;
  };
  return { has: (name) => entries.has(name), read };
}

function inflate(packed: Uint8Array, method: number, mostBytes: number): Uint8Array {
  if (method === 0 && packed.length <= mostBytes) return packed;
  if (method !== 0 && method !== 8) throw broken();
  try {
    return method === 0 ? tooLarge() : inflateRawSync(packed, { maxOutputLength: Math.max(1, mostBytes) });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_BUFFER_TOO_LARGE') return tooLarge();
    throw error instanceof DocumentError ? error : broken();
  }
}

function readDirectory(
  bytes: Uint8Array,
  view: DataView,
  { entries: mostEntries }: ArchiveBounds,
): Map<string, Entry> {
  const end = findEnd(view);
  const count = view.getUint16(end + 10, true);
  if (count > mostEntries) {
    throw new DocumentError('invalid_file', `The file has ${count} parts; at most ${mostEntries} are read.`);
  }
  const entries = new Map<string, Entry>();
  let at = view.getUint32(end + 16, true);
  for (let i = 0; i < count; i++) {
    if (at + entryBytes > bytes.length || view.getUint32(at, true) !== entrySignature) throw broken();
    const nameBytes = view.getUint16(at + 28, true);
    const packedBytes = view.getUint32(at + 20, true);
    const offset = view.getUint32(at + 42, true);
    if (packedBytes === elsewhere || offset === elsewhere) throw broken();
    const nameStart = at + entryBytes;
    const name = Buffer.from(bytes.subarray(nameStart, nameStart + nameBytes)).toString('utf8');
    const encrypted = (view.getUint16(at + 8, true) & 1) === 1;
    entries.set(name, { method: view.getUint16(at + 10, true), encrypted, packedBytes, offset });
    at = nameStart + nameBytes + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return entries;
}

function findEnd(view: DataView): number {
  const last = view.byteLength - endBytes;
  for (let at = last; at >= Math.max(0, last - longestComment); at--) {
    if (view.getUint32(at, true) === endSignature) return at;
  }
  throw broken();
}

const broken = (): DocumentError => new DocumentError('invalid_file', 'The file is broken.');

function tooLarge(): never {
  throw new DocumentError('invalid_file', 'The file unpacks to more than is read.');
}
