import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError, apiError } from '../errors.ts';
import { type MultipartBounds, type MultipartReader, readMultipart } from './multipart.ts';
import { MultipartBody } from './operation.ts';

const wide: MultipartBounds = { fields: 100, fieldBytes: 1000, files: 10, fileBytes: 1_000_000 };

/** The bytes in pieces of the given size. */
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

type Part = { name: string; value: string } | { name: string; filename: string; bytes: Uint8Array };

function formOf(parts: Part[]): Buffer {
  const whole = parts.flatMap((part) => [
    `--edge\r\nContent-Disposition: form-data; name="${part.name}"`,
    ...('value' in part
      ? ['\r\n\r\n', part.value]
      : [`; filename="${part.filename}"\r\nContent-Type: audio/wav\r\n\r\n`, part.bytes]),
    '\r\n',
  ]);
  return Buffer.concat([...whole, '--edge--\r\n'].map((piece) => Buffer.from(piece as string)));
}

const bodyOf = (bytes: Uint8Array, size = 65_536, contentType = 'multipart/form-data; boundary=edge') =>
  new MultipartBody(contentType, pieces(bytes, size));

interface Read {
  fields: { name: string; value: string }[];
  files: { name: string; filename: string; contentType: string; bytes: Buffer }[];
}

async function read(body: MultipartBody, rest: Partial<MultipartReader> = {}): Promise<Read> {
  const files: Read['files'] = [];
  const fields = await readMultipart(body, {
    bounds: wide,
    async onFile({ bytes, ...file }) {
      files.push({ ...file, bytes: Buffer.concat(await Array.fromAsync(bytes)) });
    },
    ...rest,
  });
  return { fields, files };
}

const field = fc.record({
  name: fc.stringMatching(/^[a-z[\]_]{1,8}$/),
  value: fc.string().filter((text) => !text.includes('--edge')),
});
const file = fc.record({
  name: fc.stringMatching(/^[a-z]{1,8}$/),
  filename: fc.stringMatching(/^[a-z]{1,8}\.wav$/),
  bytes: fc.uint8Array({ maxLength: 100_000, size: 'max' }).filter((b) => !Buffer.from(b).includes('--edge')),
});

test('whatever the pieces, the parts come out as they went in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(field, file), { maxLength: 8 }),
      fc.integer({ min: 1, max: 100_000 }),
      async (parts, size) => {
        const bytes = formOf(parts);
        const { fields, files } = await read(bodyOf(bytes, Math.max(size, Math.ceil(bytes.length / 5000))));
        expect(fields).toEqual(parts.filter((part) => 'value' in part));
        const sent = parts.filter((part) => 'bytes' in part);
        expect(files.map(({ name, filename }) => ({ name, filename }))).toEqual(
          sent.map(({ name, filename }) => ({ name, filename })),
        );
        const same = files.map(({ bytes: got }, i) => got.equals(sent[i]?.bytes ?? Buffer.alloc(0)));
        expect(same).not.toContain(false);
      },
    ),
    { numRuns: 40 },
  );
});

test('a form that is cut off or garbled anywhere is read or refused, but never hangs', async () => {
  const bytes = formOf([
    { name: 'model', value: 'mine' },
    { name: 'file', filename: 'a.wav', bytes: Buffer.alloc(2000, 'x') },
    { name: 'prompt', value: 'hello' },
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 0, max: bytes.length }),
      fc.integer({ min: 1, max: 500 }),
      fc.array(fc.tuple(fc.nat(bytes.length - 1), fc.nat(255)), { maxLength: 4 }),
      async (length, size, changes) => {
        const garbled = Buffer.from(bytes.subarray(0, length));
        for (const [at, value] of changes) if (at < length) garbled[at] = value;
        try {
          await read(bodyOf(garbled, size));
        } catch (error) {
          if (!(error instanceof ApiError)) throw error;
          expect(error).toMatchObject({ status: 400, code: 'invalid_payload' });
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('a form that ends too early is 400, also in the middle of a file', async () => {
  const bytes = formOf([{ name: 'file', filename: 'a.wav', bytes: Buffer.alloc(200_000) }]);
  for (const length of [0, 10, 60, 1000, bytes.length - 8]) {
    await expect(read(bodyOf(bytes.subarray(0, length), 1000))).rejects.toMatchObject({
      status: 400,
      target: 'body',
    });
  }
});

test.each(['multipart/form-data', 'multipart/form-data; boundary', 'text/plain'])(
  'the header %j is refused',
  async (contentType) => {
    await expect(read(bodyOf(formOf([]), 100, contentType))).rejects.toMatchObject({
      status: 400,
      target: 'Content-Type',
    });
  },
);

const hello = { name: 'a', value: 'hello' };
const clip = { name: 'file', filename: 'a.wav', bytes: Buffer.alloc(500) };

test.each([
  ['fields', { fields: 1 }, [hello, hello], 400, 'body'],
  ['bytes of a field', { fieldBytes: 4 }, [hello], 400, 'a'],
  ['files', { files: 1 }, [clip, clip], 400, 'body'],
  ['bytes of a file', { fileBytes: 499 }, [clip, hello], 413, 'file'],
])('too many %s are refused', async (_, bounds, parts, status, target) => {
  const reading = read(bodyOf(formOf(parts), 64), { bounds: { ...wide, ...bounds } });
  await expect(reading).rejects.toMatchObject({ status, target });
});

test('what just fits its bounds is taken', async () => {
  const bounds = { fields: 1, fieldBytes: 5, files: 1, fileBytes: 500 };
  const { fields, files } = await read(bodyOf(formOf([hello, clip])), { bounds });
  expect([fields.length, files.length]).toEqual([1, 1]);
});

test('a part without a filename is a file where its name says so', async () => {
  const { fields, files } = await read(bodyOf(formOf([{ name: 'code', value: 'PK' }, hello])), {
    fileNames: ['code'],
  });
  expect(fields).toEqual([hello]);
  expect(files).toMatchObject([{ name: 'code', filename: 'code', bytes: Buffer.from('PK') }]);
});

test('what a file handler leaves unread is skipped', async () => {
  const large = { ...clip, bytes: Buffer.alloc(900_000) };
  const { fields } = await read(bodyOf(formOf([large, large, hello])), {
    async onFile({ bytes }) {
      for await (const _ of bytes) break;
    },
  });
  expect(fields).toEqual([hello]);
});

test('what a file handler throws ends the reading and lets go of the source', async () => {
  let returned = false;
  async function* endless() {
    try {
      yield formOf([clip, clip]).subarray(0, 700);
      for (;;) yield Buffer.alloc(1000);
    } finally {
      returned = true;
    }
  }
  let handled = 0;
  const reading = read(new MultipartBody('multipart/form-data; boundary=edge', endless()), {
    async onFile() {
      handled++;
      throw apiError('conflict', 'No.');
    },
  });
  await expect(reading).rejects.toMatchObject({ code: 'conflict' });
  expect({ returned, handled }).toEqual({ returned: true, handled: 1 });
});

test('a slow file handler holds the source back', async () => {
  let taken = 0;
  async function* source() {
    yield formOf([{ ...clip, bytes: Buffer.alloc(0) }]).subarray(0, -'\r\n--edge--\r\n'.length);
    for (; taken < 1000; taken++) yield Buffer.alloc(10_000);
    yield Buffer.from('\r\n--edge--\r\n');
  }
  let takenBeforeReading = 0;
  await read(new MultipartBody('multipart/form-data; boundary=edge', source()), {
    bounds: { ...wide, fileBytes: 100_000_000 },
    async onFile({ bytes }) {
      for (let turn = 0; turn < 200; turn++) await new Promise(setImmediate);
      takenBeforeReading = taken;
      for await (const _ of bytes);
    },
  });
  expect(taken).toBe(1000);
  expect(takenBeforeReading).toBeLessThan(50);
});
