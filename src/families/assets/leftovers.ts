import type { Leftovers } from '../../kit/leftovers.ts';
import { unixSeconds } from '../../kit/time.ts';
import { blobFiles, removeStrays } from '../../providers/blobs/embedded/blob-files.ts';
import type { StorageAccounts } from '../../providers/blobs/storage-accounts.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Database } from '../../storage/database.ts';
import { createShelf } from './shelf.ts';
import { assetBudget, assetStore } from './store.ts';

export interface AssetLeftoverParts {
  accounts: StorageAccounts;
  /** Where the server's own storage is; null where that is another service, which others may use, too. */
  directory: string | null;
  abandonedSeconds: number;
  log: Pick<ModelLog, 'warn'>;
}

/** Notes what a project that goes has in the server's own storage. */
export const doomContents = (database: Database) => assetStore(database, assetBudget({ assets: 0 })).doomAll;

export function assetLeftovers(
  database: Database,
  { accounts, directory, abandonedSeconds, log }: AssetLeftoverParts,
): Leftovers[] {
  const store = assetStore(database, assetBudget({ assets: 0 }));
  const shelf = createShelf({ store, accounts, abandonedSeconds, log });
  const unknown = async (): Promise<string[]> => {
    const found: string[] = [];
    const { containers } = directory === null ? { containers: [] } : blobFiles(directory);
    for (const name of containers) if (!(await store.isKnown(name))) found.push(name);
    return found;
  };
  return [
    {
      what: 'contents of datasets and models that are to be deleted',
      count: () => store.countDoomed(unixSeconds() - abandonedSeconds),
      remove: shelf.sweep,
    },
    {
      what: 'blobs of datasets and models',
      async count() {
        const strays = directory === null ? [] : blobFiles(directory).strays;
        return strays.length + (await unknown()).length;
      },
      async remove() {
        if (directory === null) return;
        for (const name of await unknown()) await accounts.own.deleteContainer(name);
        await accounts.own.close();
        removeStrays(directory);
      },
    },
  ];
}
