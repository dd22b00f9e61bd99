import type { Budget } from '../../kit/budget.ts';
import { type Family, family } from '../../kit/operation.ts';
import type { ProjectPart } from '../../kit/project-part.ts';
import type { StorageAccounts } from '../../providers/blobs/storage-accounts.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Database } from '../../storage/database.ts';
import { assetArchive } from './archive.ts';
import { operations as datasetOperations } from './datasets/contract.ts';
import { datasetsService } from './datasets/service.ts';
import { operations as indexOperations } from './indexes/contract.ts';
import { type IndexedPlaces, indexesService } from './indexes/service.ts';
import { operations as modelOperations } from './models/contract.ts';
import { modelsService } from './models/service.ts';
import { projectTables } from './project-tables.ts';
import { createShelf } from './shelf.ts';
import { assetStore } from './store.ts';

export { assetLeftovers, doomContents } from './leftovers.ts';
export { migrations } from './migrations.ts';
export { assetBudget } from './store.ts';

export interface AssetOptions extends IndexedPlaces {
  accounts: StorageAccounts;
  /** After how many seconds an upload that nobody asks for is given up. */
  abandonedSeconds: number;
  budget: Budget;
  log: Pick<ModelLog, 'warn'>;
}

export interface AssetFamilies {
  families: Family[];
  project: ProjectPart;
  /** Deletes what is left over, now and from time to time. */
  start(): void;
  close(): Promise<void>;
}

/** Datasets, indexes and registered models: assets that have versions. */
export function assetFamilies(
  database: Database,
  { accounts, abandonedSeconds, budget, log, ...places }: AssetOptions,
): AssetFamilies {
  const store = assetStore(database, budget);
  const shelf = createShelf({ store, accounts, abandonedSeconds, log });
  return {
    families: [
      family('datasets', datasetOperations, datasetsService(store, shelf)),
      family('indexes', indexOperations, indexesService(store, places)),
      family('registered-models', modelOperations, modelsService(store, shelf)),
    ],
    project: {
      tables: projectTables,
      archive: assetArchive(store, accounts.own, shelf),
      async removing(project, on) {
        await store.doomAll(project, on);
        return shelf.sweep;
      },
    },
    start: () => shelf.startSweeping(),
    close: () => shelf.close(),
  };
}
