import { expect, test } from 'vitest';
import { archiveOf } from '../testing/sample-documents.ts';
import { openArchive } from './zip.ts';

const bounds = { entries: 4, partBytes: 1_000_000, totalBytes: 1_500_000 };
const tooLarge = expect.objectContaining({
  code: 'invalid_file',
  message: expect.stringContaining('unpacks to more'),
});

test('parts are unpacked one by one, up to a bound for each and one for all', () => {
  const bytes = archiveOf({
    'a.xml': Buffer.alloc(1_000_000, 'a'),
    'b.xml': Buffer.alloc(1_000_001, 'b'),
    'c.xml': Buffer.alloc(600_000, 'c'),
  });
  expect(bytes.length).toBeLessThan(10_000);
  const archive = openArchive(bytes, bounds);
  expect(Buffer.from(archive.read('a.xml') ?? []).equals(Buffer.alloc(1_000_000, 'a'))).toBe(true);
  expect(() => archive.read('b.xml')).toThrow(tooLarge);
  expect(() => archive.read('c.xml')).toThrow(tooLarge);
  expect(archive.read('d.xml')).toBeUndefined();
  expect(openArchive(bytes, bounds).read('c.xml')).toHaveLength(600_000);
});

test('a part that is larger than it says is bounded all the same', () => {
  const bytes = Buffer.from(archiveOf({ 'a.xml': Buffer.alloc(2_000_000, 'a') }));
  bytes.writeUInt32LE(10, bytes.indexOf('PK\x01\x02') + 24);
  expect(() => openArchive(bytes, bounds).read('a.xml')).toThrow(tooLarge);
});

test('an archive of too many parts is refused', () => {
  const parts = Object.fromEntries(Array.from({ length: 5 }, (_, i) => [`${i}.xml`, 'x']));
  expect(() => openArchive(archiveOf(parts), bounds)).toThrow(/5 parts; at most 4/);
});
