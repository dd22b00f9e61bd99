import { Busboy } from '@fastify/busboy';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError } from '../errors.ts';
import { readMultipart } from './multipart.ts';
import { MultipartBody } from './operation.ts';

const contentType = 'multipart/form-data; boundary=edge';

interface Read {
  fields: [name: string, value: string][];
  files: [name: string, filename: string, contentType: string, content: string][];
}

async function ours(chunks: Buffer[]): Promise<Read | null> {
  const files: Read['files'] = [];
  async function* source() {
    yield* chunks;
  }
  try {
    const fields = await readMultipart(new MultipartBody(contentType, source()), {
      bounds: { fields: 100, fieldBytes: 10_000, files: 100, fileBytes: 10_000 },
      async onFile({ name, filename, contentType: type, bytes }) {
        const content = Buffer.concat(await Array.fromAsync(bytes)).toString('latin1');
        files.push([name, filename, type, content]);
      },
    });
    return { fields: fields.map(({ name, value }) => [name, value]), files };
  } catch (error) {
    if (error instanceof ApiError && error.status === 400) return null;
    throw error;
  }
}

/** The same form by the parser that most servers on Node use. */
function theirs(chunks: Buffer[]): Promise<Read | null> {
  return new Promise((resolve) => {
    const parser = new Busboy({
      headers: { 'content-type': contentType },
      isPartAFile: (_name, _type, filename) => filename !== undefined,
    });
    const read: Read = { fields: [], files: [] };
    parser.on('field', (name, value) => read.fields.push([name, value]));
    parser.on('file', (name, stream, filename, _encoding, type) => {
      const pieces: Buffer[] = [];
      stream.on('data', (piece: Buffer) => pieces.push(piece)).on('error', () => {});
      stream.on('end', () =>
        read.files.push([name, filename || name, type, Buffer.concat(pieces).toString('latin1')]),
      );
    });
    parser.on('error', () => resolve(null)).on('finish', () => resolve(read));
    for (const chunk of chunks) parser.write(chunk);
    parser.end();
  });
}

/** Contents made of what delimiters are made of. */
const deceptive = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '\r',
        '\n',
        '\r\n',
        '-',
        '--',
        'edge',
        '--edge',
        '\r\n-',
        '\r\n--',
        '\r\n--edg',
        '\r\n\r\n',
      ),
      fc.string({ unit: 'binary-ascii', maxLength: 5 }),
    ),
    { maxLength: 20 },
  )
  .map((tokens) => tokens.join(''))
  .filter((text) => !text.includes('\r\n--edge') && !text.startsWith('--edge'));

const name = fc.stringMatching(/^[a-z[\]_ ]{1,8}$/);
const filename = fc.constantFrom(
  ...['a.txt', '𝄞.txt', 'a b;c=d.txt', 'a%22b', 'a\\"b', '../up.txt', 'C:\\x\\y.txt', '', "it's", 'ü'],
);
const part = fc.oneof(
  fc.record({ name, content: deceptive }),
  fc.record({ name, filename, content: deceptive, type: fc.constantFrom('text/plain', 'Audio/WAV; a=b') }),
);
const form = fc.record({
  preamble: fc.constantFrom('', 'preamble\r\n', '\r\n'),
  parts: fc.array(part, { maxLength: 6 }),
  ending: fc.constantFrom('--', '--\r\n', '--\r\nepilogue\r\n--edge\r\n'),
});

function bytesOf({ preamble, parts, ending }: typeof form extends fc.Arbitrary<infer T> ? T : never): Buffer {
  const texts = parts.map((one) =>
    'filename' in one
      ? `--edge\r\nContent-Disposition: form-data; name="${one.name}"; filename="${one.filename}"\r\n` +
        `Content-Type: ${one.type}\r\n\r\n${one.content}\r\n`
      : `--edge\r\ncontent-disposition: form-data; name="${one.name}"\r\n\r\n${one.content}\r\n`,
  );
  return Buffer.from(`${preamble}${texts.join('')}--edge${ending}`);
}

/** The bytes in chunks of the given sizes, in turn. */
function cut(bytes: Buffer, sizes: number[]): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    chunks.push(bytes.subarray(at, at + size));
    at += size;
  }
  return chunks;
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

test('forms are read as busboy reads them, wherever they are cut', async () => {
  await fc.assert(
    fc.asyncProperty(form, sizes, async (given, into) => {
      const bytes = bytesOf(given);
      const read = await ours(cut(bytes, into));
      expect(read).not.toBeNull();
      expect(read).toEqual(await theirs([bytes]));
    }),
    { numRuns: 400 },
  );
});

test('a form without its last delimiter is refused, wherever it ends', async () => {
  await fc.assert(
    fc.asyncProperty(form, sizes, fc.nat(), async (given, into, where) => {
      const bytes = bytesOf({ ...given, ending: '--' });
      const short = bytes.subarray(0, where % (bytes.length - 1));
      expect(await ours(cut(short, into))).toBeNull();
    }),
    { numRuns: 200 },
  );
});
