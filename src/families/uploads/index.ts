import type { Budget } from '../../kit/budget.ts';
import { newId } from '../../kit/ids.ts';
import { type Family, family } from '../../kit/operation.ts';
import type { ProjectPart } from '../../kit/project-part.ts';
import { recurring } from '../../kit/recurring.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import { contents } from '../../storage/contents.ts';
import type { Database } from '../../storage/database.ts';
import type { Files } from '../files/files.ts';
import { operations } from './contract.ts';
import { projectTables } from './project-tables.ts';
import { uploadsService } from './service.ts';
import { uploadStore } from './store.ts';
import { sweepUploads } from './sweep.ts';

export { uploadLeftovers } from './leftovers.ts';
export { migrations } from './migrations.ts';
export { uploadBudget } from './store.ts';

export interface UploadsFamily {
  family: Family;
  project: ProjectPart;
  /** Removes what an earlier process has left, and what is over, now and from time to time. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export interface UploadsOptions {
  /** Where parts are kept until there is a file. */
  directory: string;
  limits: { uploadBytes: number; uploadPartBytes: number };
  budget: Budget;
}

const sweepMilliseconds = 60_000;

export function uploadsFamily(
  database: Database,
  files: Files,
  { directory, limits, budget }: UploadsOptions,
  log: Pick<ModelLog, 'warn'>,
): UploadsFamily {
  const store = uploadStore(database, budget);
  const parts = contents(directory);
  const completing = new Set<string>();
  const sweep = () => sweepUploads(store, parts, completing);
  const housekeeping = recurring(sweepMilliseconds, sweep, (error) =>
    log.warn({ err: error }, 'uploads that are over could not be removed'),
  );
  return {
    family: family(
      'uploads',
      operations,
      uploadsService({ store, contents: parts, files, limits, completing }),
    ),
    project: {
      tables: projectTables,
      async removing(project, on) {
        const ids = await store.partsIn(project, on);
        return async () => {
          for (const id of ids) await parts.remove(id);
        };
      },
    },
    async start() {
      await parts.removeDrafts();
      const before = newId('part');
      housekeeping.start(() => parts.removeUnknown(before, store.knownParts));
    },
    close: housekeeping.close,
  };
}
