import { newId } from '../../kit/ids.ts';
import type { Leftovers } from '../../kit/leftovers.ts';
import { unixSeconds } from '../../kit/time.ts';
import { contents } from '../../storage/contents.ts';
import type { Database } from '../../storage/database.ts';
import { uploadBudget, uploadStore } from './store.ts';
import { sweepUploads } from './sweep.ts';

/** `directory` is where parts are kept. */
export function uploadLeftovers(database: Database, directory: string): Leftovers[] {
  const store = uploadStore(database, uploadBudget({ uploads: 0 }));
  const parts = contents(directory);
  return [
    {
      what: 'uploads that are over',
      count: () => store.countExpired(unixSeconds()),
      remove: () => sweepUploads(store, parts, new Set()),
    },
    {
      what: 'parts of uploads',
      count: () => parts.countLeft(newId('part'), store.knownParts),
      async remove() {
        await parts.removeDrafts();
        await parts.removeUnknown(newId('part'), store.knownParts);
      },
    },
  ];
}
