import type { Leftovers } from '../../kit/leftovers.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { Database } from '../../storage/database.ts';
import { type FileShelf, fileShelf } from './file-shelf.ts';
import { type ContainerStore, containerBudget, containerStore } from './store.ts';

/** The most containers that are looked at; there are no more that are over at a time. */
const most = 1_000_000;

/** `directory` is where files of containers are kept. */
export function containerLeftovers(database: Database, directory: string): Leftovers[] {
  const store = containerStore(database, containerBudget({ containers: 0 }));
  const shelf = fileShelf(directory);
  return [
    {
      what: 'containers that are over',
      count: async () => (await store.expired(unixSeconds(), most)).length,
      async remove() {
        for (const { id } of await store.expired(unixSeconds(), most)) {
          await store.empty(id);
          await shelf.removeAll(id);
        }
      },
    },
    {
      what: 'files of containers',
      async count() {
        let left = 0;
        for await (const _ of shelf.strays(store.revisions)) left++;
        return left;
      },
      remove: () => removeStrays(store, shelf),
    },
  ];
}

/** Removes what no row names. Nothing else may be at work. */
export async function removeStrays(store: ContainerStore, shelf: FileShelf): Promise<void> {
  for await (const path of shelf.strays(store.revisions)) await shelf.removeStray(path);
}
