import type { Budget } from '../../kit/budget.ts';
import { type Family, family } from '../../kit/operation.ts';
import type { ProjectPart } from '../../kit/project-part.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import { createSandbox, type SandboxOptions } from '../../providers/sandbox/sandbox.ts';
import type { CodeContainers } from '../../providers/tools/code-interpreter/code-containers.ts';
import type { Database } from '../../storage/database.ts';
import type { FileDirectory } from '../files/directory.ts';
import { createContainers } from './containers.ts';
import { operations } from './contract.ts';
import { fileShelf } from './file-shelf.ts';
import { removeStrays } from './leftovers.ts';
import { projectTables } from './project-tables.ts';
import { containersService } from './service.ts';
import { containerStore } from './store.ts';

export { containerLeftovers } from './leftovers.ts';
export { migrations } from './migrations.ts';
export { containerBudget } from './store.ts';

/** `directory` is where files of containers are kept, too. */
export type ContainerOptions = Omit<SandboxOptions, 'log'>;

export interface ContainersFamily {
  family: Family;
  project: ProjectPart;
  containers: CodeContainers;
  /** Removes what an earlier process has left, and what is over, now and from time to time. */
  start(): Promise<void>;
  close(): Promise<void>;
}

const sweepMilliseconds = 60_000;

export function containersFamily(
  database: Database,
  files: FileDirectory,
  { budget, ...options }: ContainerOptions & { budget: Budget },
  log: Pick<ModelLog, 'warn'>,
): ContainersFamily {
  const store = containerStore(database, budget);
  const shelf = fileShelf(options.directory);
  const sandbox = createSandbox({ ...options, log });
  const containers = createContainers({
    store,
    shelf,
    sandbox,
    memoryMegabytes: options.memoryMegabytes,
    files,
    log,
  });
  let timer: NodeJS.Timeout | undefined;
  return {
    family: family('containers', operations, containersService(containers, store, shelf)),
    containers,
    project: {
      tables: projectTables,
      async removing(project, on) {
        const ids = await store.idsIn(project, on);
        return async () => {
          for (const id of ids) await containers.remove(id);
        };
      },
    },
    async start() {
      await containers.sweep();
      await removeStrays(store, shelf).catch((error) => {
        log.warn({ err: error }, 'files of containers that are gone could not be removed');
      });
      timer = setInterval(() => void containers.sweep(), sweepMilliseconds).unref();
    },
    async close() {
      clearInterval(timer);
      await sandbox.close();
    },
  };
}
