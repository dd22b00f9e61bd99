import { newId } from '../../kit/ids.ts';
import { type Family, family } from '../../kit/operation.ts';
import type { ProjectPart } from '../../kit/project-part.ts';
import { recurring } from '../../kit/recurring.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import { contents } from '../../storage/contents.ts';
import type { Database } from '../../storage/database.ts';
import { fileArchive } from './archive.ts';
import { operations } from './contract.ts';
import { createFiles, type Files } from './files.ts';
import { projectTables } from './project-tables.ts';
import { filesService } from './service.ts';
import { type FileBudgets, fileStore } from './store.ts';

export type { Files } from './files.ts';
export { fileLeftovers } from './leftovers.ts';
export { migrations } from './migrations.ts';
export { modelFiles } from './model-files.ts';
export { fileBudgets } from './store.ts';

export interface FilesFamily {
  family: Family;
  project: ProjectPart;
  files: Files;
  /** Removes what an earlier process has left, and what is over, now and from time to time. */
  start(): Promise<void>;
  /** Waits until what was uploaded is on the disk, but not for long. */
  close(): Promise<void>;
}

export interface FilesOptions {
  /** Where contents are kept. */
  directory: string;
  limits: { fileBytes: number };
  budgets: FileBudgets;
}

const sweepMilliseconds = 60_000;

export function filesFamily(
  database: Database,
  { directory, limits, budgets }: FilesOptions,
  log: Pick<ModelLog, 'warn'>,
): FilesFamily {
  const store = fileStore(database, budgets);
  const kept = contents(directory);
  const files = createFiles({ database, store, contents: kept, log });
  const housekeeping = recurring(sweepMilliseconds, files.sweep, (error) =>
    log.warn({ err: error }, 'files that are over could not be removed'),
  );
  return {
    family: family('files', operations, filesService({ files, store, contents: kept, limits })),
    files,
    project: {
      tables: projectTables,
      archive: fileArchive(store, kept),
      async removing(project, on) {
        const ids = await store.onlyIn(project, on);
        return async () => {
          for (const id of ids) await kept.remove(id);
        };
      },
    },
    async start() {
      await kept.removeDrafts();
      await files.recover();
      const before = newId('file');
      housekeeping.start(() => kept.removeUnknown(before, store.known));
    },
    async close() {
      await housekeeping.close();
      await files.close();
    },
  };
}
