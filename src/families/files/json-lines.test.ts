import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError } from '../../errors.ts';
import { checkJsonLines, longestLine } from './json-lines.ts';

async function* inPieces(content: Buffer, size: number) {
  for (let at = 0; at < content.length; at += size) yield content.subarray(at, at + size);
}

const fault = async (content: string | Buffer, size = 7): Promise<string | null> => {
  try {
    await checkJsonLines(inPieces(Buffer.from(content), size), 'file');
    return null;
  } catch (error) {
    if (error instanceof ApiError && error.status === 400 && error.target === 'file') return error.message;
    throw error;
  }
};

const record = fc.dictionary(fc.string(), fc.jsonValue());
const end = fc.constantFrom('', '\n', '\r\n', '\n\n \n');
const size = fc.integer({ min: 1, max: 40 });

test('objects line by line are taken, however they come', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(record, { minLength: 1 }), end, size, async (records, tail, piece) => {
      const lines = records.map((each) => JSON.stringify(each)).join('\n');
      expect(await fault(lines + tail, piece)).toBeNull();
    }),
  );
});

test('blank lines alone are none', async () => {
  for (const text of ['\n', '\n\n', ' \r\n\n']) expect(await fault(text)).toContain('line 1 is empty');
});

test('a line that is none is named by its number', async () => {
  const bad = fc.constantFrom('{"a":', '[1]', '1', 'null', 'words', "{'a': 1}", '');
  await fc.assert(
    fc.asyncProperty(fc.array(record), bad, record, size, async (before, line, after, piece) => {
      const lines = [...before.map((each) => JSON.stringify(each)), line, JSON.stringify(after)];
      expect(await fault(lines.join('\n'), piece)).toContain(`line ${before.length + 1} `);
    }),
  );
});

test('bytes that are no UTF-8, and lines without end, are refused', async () => {
  expect(await fault(Buffer.from([...Buffer.from('{"a":"'), 0xff, ...Buffer.from('"}')]))).toContain(
    'not UTF-8',
  );
  expect(await fault('\ufeff{"a":1}')).toBeNull();
  const endless = Buffer.alloc(longestLine + 1, 'x');
  expect(await fault(endless, 1_048_576)).toContain(`line 1 has more than ${longestLine} bytes`);
});
