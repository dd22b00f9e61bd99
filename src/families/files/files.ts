import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { apiError, invalidPayload } from '../../errors.ts';
import { newId } from '../../kit/ids.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Contents, Draft } from '../../storage/contents.ts';
import type { Database } from '../../storage/database.ts';
import type { AnyPurpose, File } from './contract.ts';
import type { FileDirectory, StoredFile } from './directory.ts';
import { checkJsonLines } from './json-lines.ts';
import { createLateSync } from './late-sync.ts';
import { type FileRow, type FileStore, toFile } from './store.ts';

/** What is said of a file when it is made. */
export interface NewFile {
  project: string;
  filename: string;
  purpose: AnyPurpose;
  mediaType: string;
  /** Seconds from now; null for what is usual for its purpose. */
  expiresAfter: number | null;
}

type Checked = Pick<NewFile, 'filename' | 'purpose'> & { bytes: number };

/** Files with what is in them. */
export interface Files extends FileDirectory {
  /** Throws what a purpose does not allow. */
  check(file: Checked, targets?: { filename: string; bytes: string }): void;
  /** The same of what is in it. */
  checkContent(file: Pick<NewFile, 'purpose'>, draft: Draft, target: string): Promise<void>;
  /** Writes what a file is to have in it, and its SHA-256. */
  write: Contents['write'];
  /**
   * Makes a file of a content that was written with its SHA-256. `alongside` belongs to the same transaction; where it
   * throws, there is no file.
   */
  add(file: NewFile, draft: Draft, alongside?: (on: Database) => Promise<void>): Promise<File>;
  remove(project: string, id: string): Promise<void>;
  /** Removes files whose time is over. */
  sweep(): Promise<void>;
  /** Looks at what an earlier process has not brought to the disk, and removes files that a power cut has cost. */
  recover(): Promise<void>;
  /** Waits until what was uploaded is on the disk, but not for long. */
  close(): Promise<void>;
}

export interface FilesParts {
  database: Database;
  store: FileStore;
  contents: Contents;
  log: Pick<ModelLog, 'warn'>;
}

const batchSeconds = 30 * 86_400;
const batchBytes = 209_715_200;
const swept = 100;
const pieceBytes = 1_048_576;

export function createFiles({ database, store, contents, log }: FilesParts): Files {
  const listeners: Parameters<FileDirectory['onRemoved']>[0][] = [];
  const late = createLateSync(database, contents, log);
  const toStored = (row: FileRow): StoredFile => ({
    id: row.id,
    filename: row.filename,
    bytes: row.bytes,
    purpose: row.purpose,
    createdAt: row.created_at,
    path: contents.path(row.content),
  });

  const remove: Files['remove'] = async (project, id) => {
    for (const listener of listeners) await listener(project, id);
    const content = await store.delete(project, id);
    if (content !== null) await contents.remove(content);
  };

  const recoverOne = async (content: string): Promise<void> => {
    const rows = await store.withContent(content);
    const [first] = rows;
    if (first !== undefined && !(await isWhole(contents.path(content), first))) {
      log.warn({ file: first.id }, 'a power cut has cost a file that was just uploaded');
      for (const { project, id } of rows) await remove(project, id);
    }
    await late.sync([content]);
  };

  return {
    remove,

    async find(project, id) {
      const row = await store.find(project, id, unixSeconds());
      return row && toStored(row);
    },

    async findAll(project, ids) {
      const rows = await store.findAll(project, [...new Set(ids)], unixSeconds());
      return new Map(rows.map((row) => [row.id, toStored(row)]));
    },

    firstMissing: (project, ids) => store.firstMissing(project, ids, unixSeconds()),

    onRemoved(listener) {
      listeners.push(listener);
    },

    write: contents.write,

    check({ filename, purpose, bytes }, targets = { filename: 'file', bytes: 'file' }) {
      if (bytes === 0 && purpose !== 'user_data') {
        throw invalidPayload(targets.bytes, `The file is empty; files for '${purpose}' must not be.`);
      }
      if ((purpose === 'batch' || purpose === 'fine-tune') && !/\.jsonl$/i.test(filename)) {
        throw invalidPayload(
          targets.filename,
          `Files for '${purpose}' are JSON Lines, with a name that ends in .jsonl.`,
        );
      }
      if (purpose === 'batch' && bytes > batchBytes) {
        throw apiError('payload_too_large', `Files for 'batch' have ${batchBytes} bytes at most.`, {
          target: targets.bytes,
        });
      }
    },

    async checkContent({ purpose }, draft, target) {
      if (purpose === 'fine-tune') await checkJsonLines(draft.read(), target);
    },

    async add({ project, filename, purpose, mediaType, expiresAfter }, draft, alongside) {
      const now = unixSeconds();
      const seconds = expiresAfter ?? (purpose === 'batch' ? batchSeconds : null);
      const id = newId('file');
      const row: FileRow = {
        id,
        content: id,
        project,
        filename,
        bytes: draft.bytes,
        purpose,
        media_type: mediaType,
        sha256: draft.digests.sha256 ?? '',
        created_at: now,
        expires_at: seconds === null ? null : now + seconds,
      };
      await late.room(row.bytes);
      try {
        await draft.place(row.content);
        await database.transaction().execute(async (on) => {
          await store.add(row, on);
          await late.note(row.content, on);
          await alongside?.(on);
        });
      } catch (error) {
        late.giveBack(row.bytes);
        await contents.remove(row.content);
        throw error;
      }
      late.begin(row.content, row.bytes);
      return toFile(row);
    },

    async sweep() {
      const now = unixSeconds();
      let after = { id: '', project: '' };
      for (;;) {
        const expired = await store.expired(now, after, swept);
        for (const { id, project } of expired) {
          await remove(project, id).catch((error) => {
            log.warn({ err: error, file: id }, 'an expired file could not be removed');
          });
          after = { id, project };
        }
        if (expired.length < swept) return;
      }
    },

    async recover() {
      for (const content of await late.left()) {
        await recoverOne(content).catch((error) => {
          // Neither the file nor the server suffers from a disk that does not read: the next start looks again.
          log.warn({ err: error, content }, 'a file that was just uploaded could not be looked at');
        });
      }
    },

    close: late.close,
  };
}

async function isWhole(path: string, { bytes, sha256 }: FileRow): Promise<boolean> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return null;
    throw error;
  });
  if (found?.size !== bytes) return false;
  const hash = createHash('sha256');
  for await (const piece of createReadStream(path, { highWaterMark: pieceBytes })) hash.update(piece);
  return hash.digest('hex') === sha256;
}
