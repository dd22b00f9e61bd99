import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readTar, TarError, tarEnd, tarHeader, tarPadding } from './tar.ts';

type Files = [name: string, content: Uint8Array][];

const archive = (files: Files): Buffer =>
  Buffer.concat([
    ...files.flatMap(([name, content]) => [
      tarHeader({ name, bytes: content.length }),
      content,
      tarPadding(content.length),
    ]),
    tarEnd(),
  ]);

async function* inPieces(bytes: Uint8Array, length: number) {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

async function read(bytes: Uint8Array, length = 1000): Promise<Files> {
  const files: Files = [];
  for await (const { name, content } of readTar(inPieces(bytes, length))) {
    const parts: Uint8Array[] = [];
    for await (const part of content) parts.push(part);
    files.push([name, Uint8Array.from(Buffer.concat(parts))]);
  }
  return files;
}

const files = fc.array(fc.tuple(fc.stringMatching(/^[a-z/]{1,100}$/), fc.uint8Array({ maxLength: 1600 })), {
  maxLength: 5,
});

test('what is written is read, however it comes', async () => {
  await fc.assert(
    fc.asyncProperty(files, fc.integer({ min: 1, max: 2000 }), async (given, length) => {
      expect(await read(archive(given), length)).toEqual(given);
    }),
    { numRuns: 50 },
  );
});

test('an archive that was cut or changed is refused or read as something else, and never harms', async () => {
  await fc.assert(
    fc.asyncProperty(files, fc.nat(), fc.nat({ max: 255 }), async (given, at, byte) => {
      const bytes = archive(given);
      const cut = bytes.subarray(0, at % (bytes.length - 1024 + 1));
      await expect(read(cut)).rejects.toThrow(TarError);
      const changed = Buffer.from(bytes);
      changed[at % bytes.length] = byte;
      await read(changed).catch((error) => expect(error).toBeInstanceOf(TarError));
    }),
    { numRuns: 100 },
  );
});

test('what is not read of an entry is passed over', async () => {
  const bytes = archive([
    ['a', new Uint8Array(5000)],
    ['b', Uint8Array.of(7)],
  ]);
  const names: string[] = [];
  for await (const { name, content } of readTar(inPieces(bytes, 700))) {
    names.push(name);
    for await (const _ of content) break;
  }
  expect(names).toEqual(['a', 'b']);
});

test('tar itself reads it, sizes beyond eight gigabytes included', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const file = join(directory, 'a.tar');
  writeFileSync(file, Buffer.concat([archive([['rows/a.ndjson', Buffer.from('{}\n')]])]));
  expect(execFileSync('tar', ['-tf', file]).toString()).toBe('rows/a.ndjson\n');
  const header = tarHeader({ name: 'large', bytes: 9_000_000_000 });
  for await (const entry of readTar(inPieces(header, 512))) {
    expect(entry).toMatchObject({ name: 'large', bytes: 9_000_000_000 });
    break;
  }
  rmSync(directory, { recursive: true, force: true });
});
