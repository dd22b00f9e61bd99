import type { ProjectTable } from '../../kit/project-part.ts';

/** An upload becomes a file in the project that it was begun in. */
export const projectTables: readonly ProjectTable[] = [
  { table: 'upload_parts', rows: 'left', parent: { table: 'uploads', column: 'upload_id' } },
  { table: 'uploads', rows: 'left' },
];
