import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import Type from 'typebox';
import { invalidPayload } from '../../../errors.ts';
import type {
  ArchiveImporter,
  ArchiveSecrets,
  ProjectPart,
  ProjectTable,
  Row,
} from '../../../kit/project-part.ts';
import { type ReadTarEntry, readTar, TarError } from '../../../kit/tar.ts';
import { validator } from '../../../kit/validation.ts';
import type { Database } from '../../../storage/database.ts';
import type { UnderPassphrase } from '../../../trust/passphrase.ts';
import { addNumbers, counting, giveNumbers } from '../numbers.ts';
import { contentOf, formatVersion, Head, headName, Manifest, manifestName, tableOf } from './format.ts';
import { type RowWriterOptions, rowWriter } from './rows.ts';

/** Of an entry that is read as a whole: a page of rows, or one very long row. */
const mostText = 268_435_456;
const chunkBytes = 1_048_576;
/** What one transaction writes, about. */
const pageRows = 500;
const pageCharacters = 4_194_304;

const checkFormat = validator(Type.Pick(Head, ['format', 'version']), 'body');
const checkHead = validator(Head, 'body');
const checkManifest = validator(Manifest, 'body');

/** An archive on disk, whole and unharmed. */
export interface CheckedArchive {
  head: Head;
  path: string;
  /** What opens its secrets; null where it has none. */
  under: UnderPassphrase | null;
}

const entriesOf = (path: string): AsyncGenerator<ReadTarEntry> =>
  readTar(createReadStream(path, { highWaterMark: chunkBytes }));

/** Reads all of an archive before anything comes of it. Throws for one that is not as its maker left it. */
export async function checkArchive(
  path: string,
  unlock: (head: Head) => Promise<UnderPassphrase | null>,
): Promise<CheckedArchive> {
  const found = new Map<string, { bytes: number; sha256: string }>();
  let head: Head | undefined;
  let manifest: Manifest | undefined;
  try {
    for await (const entry of entriesOf(path)) {
      const { name, bytes, content } = entry;
      if (manifest !== undefined || found.has(name)) throw damaged(`'${name}' is where it should not be`);
      if (name === manifestName) {
        manifest = jsonOf(await textOf(entry), checkManifest);
        continue;
      }
      const isText = head === undefined || tableOf(name) !== undefined;
      if (!isText && contentOf(name) === undefined) throw damaged(`'${name}' has no meaning in it`);
      const hash = createHash('sha256');
      const parts: Uint8Array[] = [];
      for await (const chunk of content) {
        hash.update(chunk);
        if (head === undefined && parts.length < 100) parts.push(chunk);
      }
      if (head === undefined) head = headOf(name, Buffer.concat(parts).toString('utf8'));
      found.set(name, { bytes, sha256: hash.digest('hex') });
    }
  } catch (error) {
    if (error instanceof TarError) throw invalidPayload('file', error.message);
    throw error;
  }
  if (head === undefined || manifest === undefined) throw damaged('it breaks off');
  for (const { name, bytes, sha256 } of manifest.entries) {
    const there = found.get(name);
    if (there?.bytes !== bytes || there.sha256 !== sha256) throw damaged(`'${name}' is not as it was`);
  }
  if (manifest.entries.length !== found.size) throw damaged('there is more in it than there was');
  const under = await unlock(head);
  if (under !== null && !under.isMac(JSON.stringify(manifest.entries), manifest.mac ?? '')) {
    throw damaged('it was changed by somebody without the passphrase');
  }
  return { head, path, under };
}

/** Takes in what lies outside of the database; answers what the rows need of that. */
export async function takeContents(
  { path }: CheckedArchive,
  parts: readonly ProjectPart[],
  project: string,
  secrets: ArchiveSecrets | null,
): Promise<Map<ProjectPart, ArchiveImporter>> {
  const importers = new Map<ProjectPart, ArchiveImporter>();
  const byFolder = new Map<string, ArchiveImporter>();
  for (const part of parts) {
    const importer = part.archive?.importer?.(project, secrets);
    if (importer === undefined) continue;
    importers.set(part, importer);
    if (part.archive?.folder !== undefined) byFolder.set(part.archive.folder, importer);
  }
  try {
    for await (const { name, bytes, content } of entriesOf(path)) {
      const found = name === headName || tableOf(name) !== undefined ? undefined : contentOf(name);
      if (found === undefined) continue;
      const take = byFolder.get(found.folder)?.take;
      if (name !== manifestName && take === undefined) throw damaged(`'${name}' has no meaning in it`);
      await take?.({ name: found.name, bytes }, content);
    }
    return importers;
  } catch (error) {
    await discardAll(importers);
    throw error;
  }
}

export async function discardAll(importers: Map<ProjectPart, ArchiveImporter>): Promise<void> {
  for (const importer of importers.values()) await importer.discard?.();
}

/** Gives numbers of this server for those of the rows: an archive's numbers tell no more than an order. */
export async function takeNumbers(
  { path }: CheckedArchive,
  tables: readonly ProjectTable[],
  to: string,
  database: Database,
): Promise<void> {
  const counted = counting(tables);
  for await (const { table, rows } of pagesOf(path, (name) => counted.some((one) => one.table === name))) {
    const numbers = rows.map(({ seq }) => seq).filter((seq) => typeof seq === 'number');
    await addNumbers(table, to, numbers, database);
  }
  await database.transaction().execute(async (on) => {
    for (const table of counted) await giveNumbers(table, to, on);
  });
}

/** Writes the rows, page by page: others read and write in between. */
export async function writeRows(
  { path, head }: CheckedArchive,
  parts: readonly ProjectPart[],
  importers: Map<ProjectPart, ArchiveImporter>,
  options: Omit<RowWriterOptions, 'from'>,
  database: Database,
): Promise<void> {
  const writer = rowWriter({ ...options, from: head.project });
  const jsonIn = new Map(options.tables.map(({ table, json = [] }) => [table, json]));
  const partOf = new Map(parts.flatMap((part) => part.tables.map(({ table }) => [table, part] as const)));
  for await (const { name, table, rows } of pagesOf(path)) {
    for (const row of rows) checkJson(row, jsonIn.get(table) ?? [], name);
    const part = partOf.get(table);
    const imported = part === undefined ? undefined : importers.get(part)?.imported;
    await database.transaction().execute(async (on) => {
      for (const row of rows) {
        await writer.write(table, imported === undefined ? row : imported(table, row), on);
      }
    });
    await setImmediate();
  }
  await database.transaction().execute(async (on) => {
    for (const importer of importers.values()) await importer.written?.(on);
  });
}

/** The rows of an archive, in its order, as many at a time as one transaction may write. */
async function* pagesOf(
  path: string,
  isWanted: (table: string) => boolean = () => true,
): AsyncGenerator<{ name: string; table: string; rows: Row[] }> {
  for await (const entry of entriesOf(path)) {
    const table = tableOf(entry.name);
    if (table === undefined || !isWanted(table)) continue;
    let rows: Row[] = [];
    let characters = 0;
    for (const line of (await textOf(entry)).split('\n')) {
      if (line === '') continue;
      rows.push(jsonOf<Row>(line, checkRow));
      characters += line.length;
      if (rows.length < pageRows && characters < pageCharacters) continue;
      yield { name: entry.name, table, rows };
      rows = [];
      characters = 0;
    }
    if (rows.length > 0) yield { name: entry.name, table, rows };
  }
}

function checkJson(row: Row, columns: readonly string[], entry: string): void {
  for (const column of columns) {
    const text = row[column] ?? null;
    if (text === null) continue;
    try {
      const value: unknown = JSON.parse(String(text));
      if (typeof value === 'object' && value !== null) continue;
    } catch {}
    throw damaged(`'${column}' of a row in '${entry}' is not as it should be`);
  }
}

function checkRow(value: unknown): void {
  if (typeof value !== 'object' || value === null) throw damaged('a row is no object');
}

function headOf(name: string, text: string): Head {
  if (name !== headName) throw invalidPayload('file', 'This is no archive of a project.');
  // Newer ones may have other fields.
  const { version } = jsonOf<Pick<Head, 'format' | 'version'>>(text, checkFormat);
  if (version > formatVersion) {
    throw invalidPayload(
      'file',
      `The archive has format ${version}, made by a newer version of Bloomery; this one reads up to ${formatVersion}. Update this server.`,
    );
  }
  return jsonOf(text, checkHead);
}

async function textOf({ name, bytes, content }: ReadTarEntry): Promise<string> {
  if (bytes > mostText) throw damaged(`'${name}' is too large`);
  const parts: Uint8Array[] = [];
  for await (const chunk of content) parts.push(chunk);
  return Buffer.concat(parts).toString('utf8');
}

function jsonOf<T>(text: string, check: (value: unknown) => void): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
    check(value);
  } catch {
    throw damaged('a text in it is not as it should be');
  }
  return value as T;
}

const damaged = (why: string) => invalidPayload('file', `The archive is damaged: ${why}.`);
