import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, afterEach, expect, test } from 'vitest';
import { unpackTexts } from '../texts/packed-texts.ts';
import { loadTokenizer } from '../texts/tokenizer.ts';
import { createDocuments, type DocumentReaders, type DocumentsOptions } from './create-documents.ts';
import { DocumentError, type DocumentSource } from './documents.ts';
import { chunksOf } from './inside/chunks.ts';
import {
  docxOf,
  docxParagraph,
  endlessPage,
  pdfLines,
  pdfOfPages,
  pptxOf,
  pptxShape,
  xlsxOf,
} from './testing/sample-documents.ts';

const folder = mkdtempSync(join(tmpdir(), 'documents-'));
const opened: DocumentReaders[] = [];
let files = 0;

afterEach(async () => {
  await Promise.all(opened.splice(0).map((documents) => documents.close()));
});
afterAll(() => rmSync(folder, { recursive: true }));

function open(options: DocumentsOptions = {}): DocumentReaders {
  const documents = createDocuments(options);
  opened.push(documents);
  return documents;
}

function stored(filename: string, content: string | Uint8Array): DocumentSource {
  const path = join(folder, String(files++));
  writeFileSync(path, content);
  return { path, filename };
}

const never = new AbortController().signal;
const errorOf = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => 'no error',
    (error: unknown) => error,
  );
const invalid = (message: RegExp): unknown =>
  expect.objectContaining({
    name: 'DocumentError',
    code: 'invalid_file',
    message: expect.stringMatching(message),
  });

const slowPage = stored('slow.html', endlessPage());
/** Inflates to 300 MB, in two steps. */
const pdfBomb = stored('bomb.pdf', pdfOfPages([Buffer.alloc(300_000_000, ' ')], { deflated: 2 }));

test('nothing is started before there is a document, and documents follow each other in one process', async () => {
  const documents = open();
  expect(documents.processes()).toEqual([]);
  expect(await documents.text(stored('a.txt', 'First.\r\n'), never)).toBe('First.\n');
  const [pid] = documents.processes();
  expect(await documents.text(stored('a.pdf', pdfOfPages([pdfLines('Second')])), never)).toBe('Second');
  expect(await documents.text(stored('a.docx', docxOf(docxParagraph('Third'))), never)).toBe('Third');
  expect(documents.processes()).toEqual([pid]);
});

test('long texts arrive as they are, in one piece and in chunks', async () => {
  const documents = open();
  const text = Array.from({ length: 30_000 }, (_, i) => `Line ${i}: äöü 你好 😀.`).join('\n');
  const source = stored('a.txt', text);
  expect(await documents.text(source, never)).toBe(text);
  const chunks = unpackTexts(await documents.chunks(source, { maxTokens: 200, overlapTokens: 0 }, never));
  expect(chunks.length).toBeGreaterThan(1000);
  expect(chunks.join('')).toBe(text);
});

test.each([
  ['ASCII', 'Some words and 1234 numbers.\n'],
  ['other characters', 'Some wörds, 你好 and 😀.\n'],
])(
  'chunks of %s that repeat each other, with blanks that are in none, arrive as they are',
  async (_, line) => {
    const chunking = { maxTokens: 200, overlapTokens: 100 };
    const text = [line.repeat(6000), '\n'.repeat(200_000), line.repeat(3000)].join('');
    const chunks = await open().chunks(stored('a.txt', text), chunking, never);
    const spans = [...chunksOf(text, chunking, await loadTokenizer())];
    expect(spans.some(({ start }, at) => start > (spans[at - 1]?.end ?? 0))).toBe(true);
    expect(unpackTexts(chunks)).toEqual(spans.map(({ start, end }) => text.slice(start, end)));
    expect(chunks.bytes.length).toBeLessThan(Buffer.byteLength(text));
  },
);

test('at most so many documents are read at a time, the others wait their turn, and too many are refused', async () => {
  const documents = open({ processes: 2, waiting: 3 });
  const outcomes = await Promise.all(
    Array.from({ length: 7 }, (_, i) =>
      documents.text(stored('a.txt', `Document ${i}`), never).catch((error: DocumentError) => error.code),
    ),
  );
  expect(documents.processes()).toHaveLength(2);
  expect(outcomes.slice(0, 5)).toEqual([
    'Document 0',
    'Document 1',
    'Document 2',
    'Document 3',
    'Document 4',
  ]);
  expect(outcomes.slice(5)).toEqual(['server_error', 'server_error']);
});

test('a document that takes too long is invalid, and others are read meanwhile and after it', async () => {
  const documents = open({ bounds: { seconds: 3 }, processes: 2 });
  const slow = errorOf(documents.text(slowPage, never));
  expect(await documents.text(stored('a.txt', 'Meanwhile'), never)).toBe('Meanwhile');
  expect(await slow).toEqual(invalid(/longer to read than 3 seconds/));
  expect(await documents.text(stored('a.txt', 'After'), never)).toBe('After');
}, 120_000);

test('a document that needs too much memory is invalid, be it in buffers or on the heap', async () => {
  const documents = open({ bounds: { memoryMegabytes: 200 }, processes: 1 });
  const [before] = [process.memoryUsage().rss];
  expect(await errorOf(documents.text(pdfBomb, never))).toEqual(invalid(/more memory.* 200 MB/));
  expect(process.memoryUsage().rss - before).toBeLessThan(200_000_000);
  const strings = Array.from({ length: 1_500_000 }, (_, i) => `<si><t>${i} and more</t></si>`).join('');
  const book = stored('a.xlsx', xlsxOf({ S: '<row><c t="s"><v>7</v></c></row>' }, { strings }));
  expect(await errorOf(documents.text(book, never))).toEqual(invalid(/more memory.* 200 MB/));
  expect(await documents.text(stored('a.txt', 'After'), never)).toBe('After');
}, 120_000);

test('a file beyond the bound is refused without reading it, and one that is gone says so', async () => {
  const documents = open({ bounds: { sourceBytes: 1_048_576 } });
  expect(await errorOf(documents.text(slowPage, never))).toEqual(invalid(/larger than 1 MB/));
  const gone = { path: join(folder, 'gone'), filename: 'a.txt' };
  expect(await errorOf(documents.text(gone, never))).toMatchObject({
    name: 'DocumentError',
    code: 'server_error',
  });
  expect(await documents.text(stored('a.txt', 'After'), never)).toBe('After');
});

test('a process that is killed takes its document with it and nothing else', async () => {
  const documents = open({ processes: 1 });
  await documents.text(stored('a.txt', 'Before'), never);
  const [pid = 0] = documents.processes();
  const lost = errorOf(documents.text(slowPage, never));
  const waiting = documents.text(stored('a.txt', 'Waiting'), never);
  setTimeout(() => process.kill(pid, 'SIGKILL'), 200);
  expect(await lost).toMatchObject({ name: 'DocumentError', code: 'server_error' });
  expect(await waiting).toBe('Waiting');
  expect(documents.processes()).not.toContain(pid);
});

test('aborting ends the work at once, be it begun or waiting', async () => {
  const documents = open({ processes: 1 });
  const working = new AbortController();
  const waiting = new AbortController();
  const outcomes = [
    errorOf(documents.text(slowPage, working.signal)),
    errorOf(documents.text(stored('a.txt', 'x'), waiting.signal)),
    documents.text(stored('a.txt', 'Last'), never),
  ];
  waiting.abort('no longer wanted');
  expect(await outcomes[1]).toBe('no longer wanted');
  setTimeout(() => working.abort('enough'), 300);
  expect(await outcomes[0]).toBe('enough');
  expect(await outcomes[2]).toBe('Last');
  expect(await errorOf(documents.text(slowPage, working.signal))).toBe('enough');
});

test('a process without work is put away', async () => {
  const documents = open({ idleSeconds: 0.05 });
  await documents.text(stored('a.txt', 'x'), never);
  const [pid = 0] = documents.processes();
  await expect.poll(() => documents.processes(), { timeout: 10_000 }).toEqual([]);
  await expect
    .poll(() => errorOf(Promise.resolve().then(() => process.kill(pid, 0))))
    .toMatchObject({ code: 'ESRCH' });
  expect(await documents.text(stored('a.txt', 'Again'), never)).toBe('Again');
});

test('closing ends what is read and what waits', async () => {
  const documents = open({ processes: 1 });
  const outcomes = [slowPage, slowPage].map((source) => errorOf(documents.text(source, never)));
  await documents.close();
  for (const outcome of outcomes) expect(await outcome).toMatchObject({ code: 'server_error' });
  expect(await errorOf(documents.text(slowPage, never))).toMatchObject({ code: 'server_error' });
  expect(documents.processes()).toEqual([]);
});

test('whatever becomes of a document on its way, it settles and harms no other', async () => {
  const documents = open({ bounds: { memoryMegabytes: 300 }, processes: 2 });
  const samples: [string, Uint8Array][] = [
    ['a.pdf', pdfOfPages([pdfLines('Some text', 'and more'), pdfLines('Another page')])],
    ['a.pdf', pdfOfPages([pdfLines('Not deflated')], { deflated: 0 })],
    ['a.docx', docxOf(docxParagraph('Word text', '<w:pStyle w:val="Heading1"/>'))],
    ['a.pptx', pptxOf([{ shapes: pptxShape('Slide', 'title'), notes: pptxShape('Note') }])],
    ['a.xlsx', xlsxOf({ S: '<row><c t="s"><v>0</v></c></row>' }, { strings: '<si><t>Cell</t></si>' })],
    ['a.html', Buffer.from('<html><body><ul><li>One<li><table><tr><td>x</td></tr></table></ul>&amp;&#55;')],
  ];
  const changes = fc.array(
    fc.record({
      at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      bytes: fc.uint8Array({ maxLength: 8 }),
      remove: fc.integer({ min: 0, max: 40 }),
    }),
    { minLength: 1, maxLength: 6 },
  );
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...samples),
      changes,
      fc.boolean(),
      async ([filename, bytes], edits, cut) => {
        let mutated = Buffer.from(bytes);
        for (const { at, bytes: put, remove } of edits) {
          const place = Math.floor(at * mutated.length);
          mutated = Buffer.concat([mutated.subarray(0, place), put, mutated.subarray(place + remove)]);
        }
        const source = stored(filename, mutated);
        const outcome = cut
          ? documents.chunks(source, { maxTokens: 100, overlapTokens: 50 }, never)
          : documents.text(source, never);
        const [settled, other] = await Promise.all([
          outcome.catch((error: unknown) => error),
          documents.text(stored('b.txt', 'unharmed'), never),
        ]);
        expect(other).toBe('unharmed');
        if (settled instanceof Error) {
          expect(settled).toBeInstanceOf(DocumentError);
          expect((settled as DocumentError).code).toMatch(/^(invalid|unsupported)_file$/);
        }
      },
    ),
    { numRuns: 300, interruptAfterTimeLimit: 20_000 },
  );
});
