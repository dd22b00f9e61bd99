import { newId } from '../../kit/ids.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { Collection, SearchIndex } from '../../providers/search/search-index.ts';
import type { Database } from '../../storage/database.ts';
import type { CollectionRows } from './collection-rows.ts';
import type { StoreRow } from './store-rows.ts';

/** The collections of stores in the index. */
export interface Collections {
  /**
   * The collection of a store, to be changed: where a fork of the project shares it, the store gets a copy of its own
   * first. To be called in the store's turn, and after its rows tell what is going to be changed: a fork that is made
   * meanwhile then knows of it. Where `stands` says, once the copy is made, that the rows tell so no more, as after a
   * reset of the project, the store keeps the collection that it has, and the copy goes with all that is changed in it.
   */
  own(store: StoreRow, stands?: (on: Database) => Promise<boolean>): Promise<Collection>;
  /** Removes the collection of a store, unless a fork has it, too. */
  remove(store: StoreRow): Promise<void>;
  /** Removes collections that no store has any more. */
  sweep(isClosed: () => boolean): Promise<void>;
}

/** Searches that began with a collection may go on with it for as long. */
const restSeconds = 60;
const atOnce = 100;

export function createCollections(rows: CollectionRows, index: SearchIndex): Collections {
  /** Copies that are being made. */
  const making = new Set<string>();

  return {
    async own(store, stands = async () => true) {
      if (!(await rows.isShared(store))) return collectionOf(store);
      const copy = { home: newId('coll'), id: store.id };
      making.add(copy.home);
      try {
        await rows.note({ ...copy, since: 0 });
        await index.copy(collectionOf(store), collectionOf(copy));
        await rows.move(store, copy.home, unixSeconds(), stands);
      } finally {
        making.delete(copy.home);
      }
      return collectionOf(copy);
    },

    async remove(store) {
      if (store.home === '' || (await rows.isShared(store))) return;
      await index.removeCollection(collectionOf(store));
    },

    async sweep(isClosed) {
      const unused = await rows.unusedSince(unixSeconds() - restSeconds, atOnce + making.size);
      for (const one of unused) {
        if (isClosed()) return;
        if (making.has(one.home)) continue;
        await index.removeCollection(collectionOf(one));
        await rows.forget(one);
      }
    },
  };
}

export const collectionOf = ({ home, id }: Pick<StoreRow, 'home' | 'id'>): Collection => ({
  project: home,
  id,
});
