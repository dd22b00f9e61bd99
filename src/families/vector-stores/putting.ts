import { ApiError } from '../../errors.ts';
import { ownTurn } from '../../kit/in-turns.ts';
import type { Turns } from '../../kit/turns.ts';
import type { ChunkedFile, Collection, SearchIndex } from '../../providers/search/search-index.ts';
import type { StoredFile } from '../files/directory.ts';
import type { Collections } from './collections.ts';
import type { CoreShare } from './core-share.ts';
import { type FileRow, type FileRows, fileName, type StoreKey } from './file-rows.ts';
import { type StoreRows, storeTurn } from './store-rows.ts';

export interface ReadFile {
  row: FileRow;
  file: StoredFile;
  content: Omit<ChunkedFile, 'file'>;
  bytes: number;
}

export interface PuttingParts {
  files: FileRows;
  stores: StoreRows;
  index: SearchIndex;
  collections: Collections;
  /** All that changes the index of a store goes one after another. */
  inTurn: Turns;
  cores: CoreShare;
}

/** Puts a file into the index, unless nobody wants it any more; its chunks are seen once its row is completed. */
export type Putting = (read: ReadFile) => Promise<void>;

const mostTogether = 32;
const mostBytesTogether = 4_194_304;
const mostApart = 1024;

interface Waiting {
  read: ReadFile;
  resolve(): void;
  reject(reason: unknown): void;
}

/** What has been read of a store while its index was busy is put together: files share most of their words. */
export function createPutting({ files, stores, index, collections, inTurn, cores }: PuttingParts): Putting {
  const waiting = new Map<string, Waiting[]>();
  /** Stores for which a core has been asked. */
  const begun = new Set<string>();
  /** Were in a group with which the index failed as a whole: what made it fail must not do so to others again. */
  const apart = new Set<string>();

  const takeSome = (name: string): Waiting[] => {
    const queue = waiting.get(name) ?? [];
    let count = 0;
    let bytes = 0;
    for (const { read } of queue) {
      bytes += read.bytes;
      if (count === mostTogether || (count > 0 && bytes > mostBytesTogether)) break;
      const isApart = apart.has(fileName(read.row));
      if (count === 0 || !isApart) count++;
      if (isApart) break;
    }
    const some = queue.splice(0, count);
    if (queue.length === 0) waiting.delete(name);
    return some;
  };

  /** In small steps, as the database does not wait: between them requests have their turn. */
  const putSome = async (key: StoreKey, some: Waiting[]): Promise<void> => {
    await ownTurn();
    const wanted = await claimed(key.project, some);
    if (wanted.length === 0) return;
    // It may have got another collection since its files were begun.
    const store = await stores.any(key);
    if (store === undefined) {
      for (const one of wanted) one.resolve();
      return;
    }
    const collection = await collections.own(store);
    await ownTurn();
    const done = await indexed(collection, wanted);
    if (done.length > 0) await conclude(key.project, collection, done);
  };

  const claimed = async (project: string, some: Waiting[]): Promise<Waiting[]> => {
    const rows = await files.claim(
      project,
      some.map(({ read }) => read.row.key),
    );
    const rowOf = new Map(rows.map((row) => [row.key, row]));
    const wanted: Waiting[] = [];
    for (const one of some) {
      const row = rowOf.get(one.read.row.key);
      if (row === undefined) one.resolve();
      else wanted.push({ ...one, read: { ...one.read, row } });
    }
    return wanted;
  };

  /** Those that are in the index. */
  const indexed = async (collection: Collection, wanted: Waiting[]): Promise<Waiting[]> => {
    try {
      const outcome = await index.putAll(
        collection,
        wanted.map(({ read: { row, file, content } }) => ({
          file: { id: row.file_id, filename: file.filename, attributes: JSON.parse(row.attributes) },
          ...content,
        })),
      );
      return wanted.filter((one, at) => {
        const error = outcome[at] ?? null;
        if (error !== null) one.reject(error);
        return error === null;
      });
    } catch (error) {
      // What has a code of its own says that nothing was tried.
      if (wanted.length > 1 && !(error instanceof ApiError)) keepApart(wanted);
      for (const one of wanted) one.reject(error);
      return [];
    }
  };

  const keepApart = (failed: Waiting[]): void => {
    for (const { read } of failed) apart.add(fileName(read.row));
    for (const name of apart) {
      if (apart.size <= mostApart) break;
      apart.delete(name);
    }
  };

  const conclude = async (project: string, collection: Collection, done: Waiting[]): Promise<void> => {
    const bytesOf = new Map(done.map(({ read: { row, bytes } }) => [row.key, bytes]));
    const completed = await files.complete(project, bytesOf);
    for (const { read, resolve, reject } of done) {
      apart.delete(fileName(read.row));
      if (completed.has(read.row.key)) resolve();
      else await takeOut(collection, read.row).then(resolve, reject);
    }
  };

  /** Nobody wants it any more. */
  const takeOut = async (collection: Collection, row: FileRow): Promise<void> => {
    await index.removeFile(collection, row.file_id);
    await files.setIndexed(row, 0);
  };

  /** The core first, then the store's turn: who changes the store otherwise need not wait for a core. */
  const begin = (name: string, key: StoreKey): void => {
    if (begun.has(name)) return;
    begun.add(name);
    const put = async (): Promise<void> => {
      begun.delete(name);
      const some = takeSome(name);
      if (waiting.has(name)) begin(name, key);
      await putSome(key, some).catch((error) => {
        for (const one of some) one.reject(error);
      });
    };
    void cores.run('index', () => inTurn(name, put));
  };

  return (read) => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const key = { project: read.row.project, id: read.row.store_id };
    const name = storeTurn(key);
    const queue = waiting.get(name) ?? [];
    queue.push({ read, resolve, reject });
    waiting.set(name, queue);
    begin(name, key);
    return promise;
  };
}
