import type { Leftovers } from '../../kit/leftovers.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { IndexContents } from '../../providers/search/index-contents.ts';
import type { Collection } from '../../providers/search/search-index.ts';
import type { Database } from '../../storage/database.ts';
import { type FileRows, fileRows } from './file-rows.ts';
import { isExpired, type StoreRows, storeRows } from './store-rows.ts';

const atOnce = 100;

export interface VectorStoreLeftovers {
  leftovers: Leftovers[];
  detachEverywhere(project: string, fileId: string): Promise<void>;
}

/** `index` is null where nothing was ever indexed. Nothing else may be at work. */
export function vectorStoreLeftovers(database: Database, index: IndexContents | null): VectorStoreLeftovers {
  const stores = storeRows(database);
  const files = fileRows(database);
  const inIndex = {
    what: 'chunks and vectors in the search index',
    async count() {
      let left = index?.countOrphans() ?? 0;
      for await (const stray of strays(index, stores, files)) left += stray.files;
      return left;
    },
    async remove() {
      for await (const { collection, fileId } of strays(index, stores, files)) {
        if (fileId === null) index?.removeCollection(collection);
        else index?.removeFile(collection, fileId);
      }
      index?.removeOrphans();
    },
  };
  return {
    detachEverywhere: (project, fileId) => files.detachEverywhere(project, fileId, unixSeconds()),
    leftovers: [
      inIndex,
      {
        what: 'vector stores and files of them that are over',
        count: async () => (await stores.countToEmpty(unixSeconds())) + (await files.countToClear()),
        async remove() {
          while ((await stores.expire(unixSeconds(), atOnce)).length === atOnce);
          // The rows say that the index may have something as long as it may.
          await inIndex.remove();
          await each(() => stores.toEmpty(atOnce), stores.emptied);
          await each(
            () => files.toClear(atOnce),
            (row) => files.setIndexed(row, 0),
          );
        },
      },
    ],
  };
}

interface Stray {
  collection: Collection;
  /** Null for a collection that must not be there at all. */
  fileId: string | null;
  /** How many files that are, and one for the collection itself. */
  files: number;
}

/** What the index holds and no row names. */
async function* strays(
  index: IndexContents | null,
  stores: StoreRows,
  files: FileRows,
): AsyncGenerator<Stray> {
  for (const collection of index?.collections() ?? []) {
    const held = index?.filesOf(collection) ?? [];
    // Forks of a project share a collection.
    const holders = await stores.withCollection(collection.project, collection.id);
    const alive = holders.filter((store) => !isExpired(store, unixSeconds()));
    if (alive.length === 0) {
      yield { collection, fileId: null, files: held.length + 1 };
      continue;
    }
    const rows = (await Promise.all(alive.map(files.allOf))).flat();
    const living = new Set(rows.filter(isLiving).map(({ file_id: id }) => id));
    for (const fileId of held) if (!living.has(fileId)) yield { collection, fileId, files: 1 };
  }
}

const isLiving = ({ status, removed_at }: { status: string; removed_at: number | null }): boolean =>
  removed_at === null && (status === 'completed' || status === 'in_progress');

async function each<T>(page: () => Promise<T[]>, act: (one: T) => Promise<void>): Promise<void> {
  for (;;) {
    const rows = await page();
    for (const row of rows) await act(row);
    if (rows.length < atOnce) return;
  }
}
