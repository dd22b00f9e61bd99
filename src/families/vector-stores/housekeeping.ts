import { unixSeconds } from '../../kit/time.ts';
import type { Turns } from '../../kit/turns.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { SearchIndex } from '../../providers/search/search-index.ts';
import type { Database } from '../../storage/database.ts';
import { type Collections, collectionOf } from './collections.ts';
import type { FileRow, FileRows, StoreKey } from './file-rows.ts';
import type { Ingestion } from './ingestion.ts';
import { type StoreRow, type StoreRows, storeTurn } from './store-rows.ts';

export interface HousekeepingParts {
  stores: StoreRows;
  files: FileRows;
  index: SearchIndex;
  collections: Collections;
  inTurn: Turns;
  ingestion: Pick<Ingestion, 'notify' | 'recheck'>;
  log: Pick<ModelLog, 'warn'>;
}

/** Keeps the search index to what the rows say. The rows change first; what is left over is removed behind them. */
export interface Housekeeping {
  /** Soon, and not waited for. */
  kick(): void;
  /** Brings the attributes that a file has in the index up to date. */
  syncAttributes(row: FileRow): Promise<void>;
  /** Expires stores, and removes what must not be there. */
  run(): Promise<void>;
  /** Compares the whole index with the rows. */
  reconcile(): Promise<void>;
  close(): Promise<void>;
}

const atOnce = 100;
const keptSeconds = 86_400;

export function createHousekeeping(parts: HousekeepingParts): Housekeeping {
  const { stores, files, index, collections, inTurn, ingestion, log } = parts;
  let closed = false;
  let work: Promise<void> = Promise.resolve();
  let isDue = false;

  const emptyStore = (store: StoreRow): Promise<void> =>
    inTurn(storeTurn(store), async () => {
      await collections.remove(store);
      await stores.emptied(store);
    });

  const clearFile = ({ project, store_id, file_id, key }: FileRow): Promise<void> =>
    inStore({ project, id: store_id }, async (store) => {
      const leftOver = async (on?: Database): Promise<FileRow | undefined> => {
        const row = await files.any(store, file_id, on);
        return row?.key === key && isLeftOver(row) ? row : undefined;
      };
      const row = await leftOver();
      if (row === undefined) return;
      const collection = await collections.own(store, async (on) => (await leftOver(on)) !== undefined);
      await index.removeFile(collection, file_id);
      await files.setIndexed(row, 0);
    });

  const syncAttributes = ({ project, store_id, file_id }: FileRow): Promise<void> =>
    inStore({ project, id: store_id }, async (store) => {
      const row = await files.find(store, file_id);
      if (row?.status !== 'completed' || row.indexed !== 2) return;
      await index.setAttributes(await collections.own(store), file_id, JSON.parse(row.attributes));
      await files.setIndexed(row, 1);
    });

  const inStore = (key: StoreKey, work: (store: StoreRow) => Promise<void>): Promise<void> =>
    inTurn(storeTurn(key), async () => {
      const store = await stores.any(key);
      if (store !== undefined) await work(store);
    });

  const run = async (): Promise<void> => {
    const now = unixSeconds();
    while (!closed && (await stores.expire(now, atOnce)).length === atOnce);
    await ingestion.recheck();
    await each(() => stores.toEmpty(atOnce), emptyStore);
    await each(() => files.toClear(atOnce), clearFile);
    await each(() => files.withOldAttributes(atOnce), syncAttributes);
    await files.forget(now - keptSeconds);
    await collections.sweep(() => closed);
  };

  /** Page by page, as long as there is something; what can't be done now is done later. */
  const each = async <T>(page: () => Promise<T[]>, act: (one: T) => Promise<void>): Promise<void> => {
    for (;;) {
      const rows = await page();
      let isStuck = false;
      for (const row of rows) {
        if (closed) return;
        await act(row).catch((error) => {
          isStuck = true;
          warn(error);
        });
      }
      if (rows.length < atOnce || isStuck) return;
    }
  };

  const warn = (error: unknown): void => {
    if (!closed) log.warn({ err: error }, 'the search index could not be brought up to date');
  };

  const reconcileStore = (key: StoreKey): Promise<void> =>
    inStore(key, async (store) => {
      const held = await index.usage(collectionOf(store));
      const rows = new Map((await files.allOf(store)).map((row) => [row.file_id, row]));
      const strange = [...held.keys()].filter((fileId) => !rows.has(fileId));
      const collection = strange.length > 0 ? await collections.own(store) : null;
      for (const fileId of strange) if (collection !== null) await index.removeFile(collection, fileId);
      let isWorkFound = false;
      for (const row of rows.values()) {
        if (row.status !== 'completed' || row.removed_at !== null || held.has(row.file_id)) continue;
        await files.again(row);
        isWorkFound = true;
      }
      if (isWorkFound) ingestion.notify(store);
    });

  const enqueue = (what: () => Promise<void>): Promise<void> => {
    work = work.then(what).catch(warn);
    return work;
  };

  return {
    syncAttributes,
    run: () => enqueue(run),
    kick() {
      if (isDue || closed) return;
      isDue = true;
      void enqueue(async () => {
        isDue = false;
        await run();
      });
    },
    reconcile: () =>
      enqueue(async () => {
        let after: StoreKey = { project: '', id: '' };
        for (;;) {
          const some = await stores.activeAfter(after, atOnce);
          for (const store of some) {
            if (closed) return;
            await reconcileStore(store).catch(warn);
            after = store;
          }
          if (some.length < atOnce) return;
        }
      }),
    async close() {
      closed = true;
      await work;
    },
  };
}

const isLeftOver = ({ removed_at, status, indexed }: FileRow): boolean =>
  indexed !== 0 && (removed_at !== null || status === 'failed' || status === 'cancelled');
