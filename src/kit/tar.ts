/** Archives in the form of POSIX (ustar), as bytes that come and go: nothing is held but one header. */

export interface TarEntry {
  name: string;
  bytes: number;
}

export interface ReadTarEntry extends TarEntry {
  /** To be read before the next entry; what is left unread is passed over. */
  content: AsyncIterable<Uint8Array>;
}

const block = 512;
/** What eleven octal digits can say. */
const mostOctal = 8 ** 11 - 1;
const nameBytes = 100;
const regularFile = '0';

export function tarHeader({ name, bytes }: TarEntry): Uint8Array {
  if (Buffer.byteLength(name) > nameBytes) throw new Error(`'${name}' is too long for an archive.`);
  const header = Buffer.alloc(block);
  const write = (text: string, at: number): void => void header.write(text, at, 'latin1');
  header.write(name, 0);
  write('0000600\0', 100);
  write('0000000\0', 108);
  write('0000000\0', 116);
  if (bytes <= mostOctal) write(`${bytes.toString(8).padStart(11, '0')}\0`, 124);
  else {
    header[124] = 0x80;
    header.writeBigUInt64BE(BigInt(bytes), 128);
  }
  write('00000000000\0', 136);
  write(' '.repeat(8), 148);
  write(regularFile, 156);
  write('ustar\0', 257);
  write('00', 263);
  write(`${sumOf(header).toString(8).padStart(6, '0')}\0 `, 148);
  return header;
}

/** What fills an entry up to whole blocks. */
export const tarPadding = (bytes: number): Uint8Array => new Uint8Array((block - (bytes % block)) % block);

export const tarEnd = (): Uint8Array => new Uint8Array(2 * block);

/** The entries, one after the other. Throws `TarError` for what is no such archive, or breaks off. */
export async function* readTar(source: AsyncIterable<Uint8Array>): AsyncGenerator<ReadTarEntry> {
  const bytes = new Puller(source);
  try {
    for (;;) {
      const header = await bytes.whole(block);
      if (header.every((byte) => byte === 0)) return;
      const entry = entryOf(header);
      const left = { bytes: entry.bytes };
      yield { ...entry, content: bytes.upTo(left) };
      for await (const _ of bytes.upTo(left));
      await bytes.whole(tarPadding(entry.bytes).length);
    }
  } finally {
    await bytes.close();
  }
}

export class TarError extends Error {}

function entryOf(header: Buffer): TarEntry {
  const text = (from: number, length: number): string =>
    header
      .subarray(from, from + length)
      .toString('utf8')
      .replace(/\0.*$/s, '');
  const checked = Buffer.from(header);
  checked.fill(' ', 148, 156);
  if (text(257, 5) !== 'ustar' || Number.parseInt(text(148, 8), 8) !== sumOf(checked)) {
    throw new TarError('This is no archive, or it is damaged.');
  }
  if (text(156, 1) !== regularFile || text(345, 155) !== '') {
    throw new TarError('The archive has something else than plain files in it.');
  }
  const bytes =
    header[124] === 0x80 ? Number(header.readBigUInt64BE(128)) : Number.parseInt(text(124, 12), 8);
  if (!Number.isSafeInteger(bytes) || bytes < 0) throw new TarError('The archive is damaged.');
  return { name: text(0, nameBytes), bytes };
}

const sumOf = (header: Uint8Array): number => header.reduce((sum, byte) => sum + byte, 0);

/** Takes as many bytes as are wanted from chunks that come as they like. */
class Puller {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Counts down what is left. */
  async *upTo(left: { bytes: number }): AsyncGenerator<Uint8Array> {
    while (left.bytes > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done) throw new TarError('The archive breaks off.');
        this.#rest = next.value;
      }
      const taken = this.#rest.subarray(0, left.bytes);
      this.#rest = this.#rest.subarray(taken.length);
      left.bytes -= taken.length;
      yield taken;
    }
  }

  async whole(bytes: number): Promise<Buffer> {
    const parts: Uint8Array[] = [];
    for await (const part of this.upTo({ bytes })) parts.push(part);
    return Buffer.concat(parts);
  }

  async close(): Promise<void> {
    await this.#source.return?.();
  }
}
