import { newId } from '../../kit/ids.ts';
import type { Leftovers } from '../../kit/leftovers.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import { contents } from '../../storage/contents.ts';
import type { Database } from '../../storage/database.ts';
import type { FileDirectory } from './directory.ts';
import { createFiles } from './files.ts';
import { fileBudgets, fileStore } from './store.ts';

/** `directory` is where contents are kept; `onRemoved` is told of each file before it is removed. */
export function fileLeftovers(
  database: Database,
  directory: string,
  log: Pick<ModelLog, 'warn'>,
  onRemoved: Parameters<FileDirectory['onRemoved']>[0],
): Leftovers[] {
  const store = fileStore(database, fileBudgets({ projectFiles: 0, projectFilesBytes: 0 }));
  const kept = contents(directory);
  const files = createFiles({ database, store, contents: kept, log });
  files.onRemoved(onRemoved);
  return [
    {
      what: 'files that are over',
      count: () => store.countExpired(unixSeconds()),
      remove: files.sweep,
    },
    {
      what: 'contents of files',
      count: () => kept.countLeft(newId('file'), store.known),
      async remove() {
        await kept.removeDrafts();
        await kept.removeUnknown(newId('file'), store.known);
      },
    },
  ];
}
