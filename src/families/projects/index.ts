import { type Family, family } from '../../kit/operation.ts';
import type { Database } from '../../storage/database.ts';
import { type ArchivesParts, createArchives } from './archive/archives.ts';
import { operations } from './contract.ts';
import { type ProjectDirectory, type ProjectDirectoryOptions, projectDirectory } from './directory.ts';
import { createProjects, type ProjectsParts } from './projects.ts';
import { projectsService } from './service.ts';
import { projectStore } from './store.ts';

export { interrupted, type ProjectDirectory } from './directory.ts';
export { projectLeftovers } from './leftovers.ts';
export { migrations } from './migrations.ts';
export { projectSealer, storedProjectSealer } from './seals.ts';

/** The projects of a server, known before anything that is in them. */
export const openProjects = (
  database: Database,
  options: ProjectDirectoryOptions,
): Promise<ProjectDirectory> => projectDirectory(projectStore(database), options);

export interface ProjectsFamily {
  family: Family;
  /** Removes what an earlier process has left. */
  start(): Promise<void>;
  close(): Promise<void>;
}

export function projectsFamily(
  parts: Omit<ProjectsParts, 'store'> & Pick<ArchivesParts, 'folder' | 'limits' | 'sealer' | 'passphrases'>,
): ProjectsFamily {
  const store = projectStore(parts.database);
  const projects = createProjects({ ...parts, store });
  const archives = createArchives({ ...parts, store, projects });
  return {
    family: family('projects', operations, projectsService(parts.directory, projects, archives)),
    start: archives.start,
    close: projects.settled,
  };
}
