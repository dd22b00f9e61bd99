import type { ProjectTable } from '../../kit/project-part.ts';

export const projectTables: readonly ProjectTable[] = [
  { table: 'assets', rows: 'kept', key: ['kind', 'name', 'version'], json: ['content'] },
  { table: 'asset_uploads', rows: 'left' },
  { table: 'doomed_containers', rows: 'outlives' },
];
