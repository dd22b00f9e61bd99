import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { mostExchanges } from './format.ts';
import { RecordingError, readRecording } from './recording.ts';
import { RecordingFile } from './recording-file.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-recordings-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const heading = '{"bloomery_recording":1,"base":"/v1","recordedAt":"2026-01-01T00:00:00Z"}';
const line = (number: number) =>
  JSON.stringify({
    ...{ number, at: number, took: 1 },
    request: { method: 'GET', path: '/v1/x' },
    answer: { status: 200, headers: [], chunks: [[0, 'ok']], end: 'whole' },
  });

function read(...lines: string[]) {
  const file = join(directory, 'a.jsonl');
  writeFileSync(file, lines.join('\n'));
  return readRecording(file);
}

test('exchanges come in the order of their requests, whatever that of their ends', async () => {
  const { exchanges, isTorn } = await read(heading, line(2), line(1), '');
  expect([exchanges.map(({ number }) => number), isTorn]).toEqual([[1, 2], false]);
});

test('a torn last line is left out', async () => {
  const { exchanges, isTorn } = await read(heading, line(1), line(2).slice(0, 40));
  expect([exchanges.length, isTorn]).toEqual([1, true]);
});

test('fields of a later recorder of the same format are no fault', async () => {
  const more = JSON.stringify({ ...JSON.parse(line(1)), note: 'new' });
  expect((await read(heading, more)).exchanges).toHaveLength(1);
});

test.each([
  [
    [heading.replace(':1', ':2')],
    /format 2, made by a newer Bloomery; this one reads formats up to 1\. Update/,
  ],
  [['{"a":1}'], /is no recording: its first line/],
  [[''], /is no recording/],
  [['{"bloomery_recording":1}'], /first line of .* 'base'/],
  [[heading, '{"number":', line(2)], /^Line 2 of .*: it is not JSON/],
  [[heading, line(1), '{"number":2}'], /^Line 3 of .* is no exchange of this format: .*'at'/],
  [[heading, line(1).replace('200', '20')], /answer\.status must be >= 200/],
])('what cannot be read is refused in words: %j', async (lines, message) => {
  await expect(read(...lines)).rejects.toThrow(message);
  await expect(read(...lines)).rejects.toBeInstanceOf(RecordingError);
});

test('a recording that is full takes no more', () => {
  const file = new RecordingFile(join(directory, 'full.jsonl'), '/v1');
  for (let i = 0; i < mostExchanges; i++) file.begin();
  expect(() => file.begin()).toThrow(/The recording is full.*Begin another/);
  file.close();
});

test('a recording never has more bytes than can be read', async () => {
  const name = join(directory, 'bytes.jsonl');
  const most = 1000;
  const file = new RecordingFile(name, '/v1', most);
  const exchange = JSON.parse(line(1));
  file.write({ ...exchange, number: file.begin().number });
  const { number } = file.begin();
  const large = { ...exchange, number, answer: { ...exchange.answer, chunks: [[0, 'x'.repeat(most)]] } };
  expect(() => file.write(large)).toThrow(/The recording is full/);
  expect(() => file.begin()).toThrow(/The recording is full/);
  file.close();
  expect(statSync(name).size).toBeLessThanOrEqual(most);
  expect((await readRecording(name)).exchanges).toHaveLength(1);
});

test('a file that is not there', async () => {
  await expect(readRecording(join(directory, 'none.jsonl'))).rejects.toThrow(
    /There is no recording .*bloomery record/,
  );
});
