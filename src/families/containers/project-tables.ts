import type { ProjectTable } from '../../kit/project-part.ts';

/** Containers have a process, and files that it changes: each is of one project only. */
export const projectTables: readonly ProjectTable[] = [
  { table: 'container_files', rows: 'left', parent: { table: 'containers', column: 'container_id' } },
  { table: 'container_given', rows: 'left', parent: { table: 'containers', column: 'container_id' } },
  { table: 'containers', rows: 'left' },
];
