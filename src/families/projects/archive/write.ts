import { createHash } from 'node:crypto';
import type { ArchiveSecrets, ProjectPart, Row } from '../../../kit/project-part.ts';
import { tarEnd, tarHeader, tarPadding } from '../../../kit/tar.ts';
import { unixSeconds } from '../../../kit/time.ts';
import type { Database } from '../../../storage/database.ts';
import {
  contentName,
  formatVersion,
  type Head,
  headName,
  type Manifest,
  manifestName,
  plainVersion,
  rowsName,
} from './format.ts';
import { rowsOf } from './rows.ts';

export interface ArchiveSource {
  database: Database;
  parts: readonly ProjectPart[];
  /** What the archive calls the project. */
  project: string;
  /** The project whose rows are read; nobody changes them meanwhile. */
  still: string;
  /** How secrets go along; null for an archive without any. */
  secrets: {
    sealing: NonNullable<Head['secrets']>;
    leaving: ArchiveSecrets;
    mac(text: string): string;
  } | null;
}

/** About what an entry of rows takes, as long as no row alone is longer. */
const partCharacters = 1_048_576;

/** All of a project, as bytes of one archive. */
export async function* writeArchive({
  database,
  parts,
  project,
  still,
  secrets,
}: ArchiveSource): AsyncGenerator<Uint8Array> {
  const entries: Manifest['entries'] = [];
  const kept = parts.flatMap((part) =>
    part.tables.filter(({ rows }) => rows === 'kept').map((table) => ({ part, table })),
  );

  async function* entry(name: string, bytes: number, content: AsyncIterable<Uint8Array>) {
    yield tarHeader({ name, bytes });
    const hash = createHash('sha256');
    let written = 0;
    for await (const chunk of content) {
      hash.update(chunk);
      written += chunk.length;
      yield chunk;
    }
    if (written !== bytes) throw new Error(`'${name}' had ${written} bytes in place of ${bytes}.`);
    yield tarPadding(bytes);
    entries.push({ name, bytes, sha256: hash.digest('hex') });
  }
  const text = (name: string, content: string) => {
    const bytes = Buffer.from(content);
    return entry(name, bytes.length, once(bytes));
  };

  const head: Head = {
    format: 'bloomery-project',
    version: secrets === null ? plainVersion : formatVersion,
    project,
    created_at: unixSeconds(),
    ...(secrets === null ? {} : { secrets: secrets.sealing }),
  };
  yield* text(headName, JSON.stringify(head));
  for (const { part, table } of kept) {
    let lines: string[] = [];
    let characters = 0;
    let count = 0;
    const exported = (row: Row): Row =>
      part.archive?.exported?.(table.table, row, secrets?.leaving ?? null) ?? row;
    for await (const rows of rowsOf(database, table, still)) {
      for (const { project: _, ...row } of rows.map(exported)) {
        const line = `${JSON.stringify(row)}\n`;
        if (lines.length > 0 && characters + line.length > partCharacters) {
          yield* text(rowsName(table.table, ++count), lines.join(''));
          lines = [];
          characters = 0;
        }
        lines.push(line);
        characters += line.length;
      }
    }
    if (lines.length > 0) yield* text(rowsName(table.table, ++count), lines.join(''));
  }
  for (const { archive } of parts) {
    if (archive?.contents === undefined) continue;
    for await (const { name, bytes, read } of archive.contents(still)) {
      yield* entry(contentName(archive.folder ?? '', name), bytes, read());
    }
  }
  const mac = secrets?.mac(JSON.stringify(entries));
  const manifest: Manifest = { entries, ...(mac === undefined ? {} : { mac }) };
  yield* text(manifestName, JSON.stringify(manifest));
  yield tarEnd();
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}
