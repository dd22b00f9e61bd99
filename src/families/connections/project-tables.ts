import type { ArchivePart, ProjectTable } from '../../kit/project-part.ts';

export const projectTables: readonly ProjectTable[] = [
  { table: 'connections', rows: 'kept', key: ['name'], json: ['metadata'] },
];

/** An archive has no secrets: where it is read, connections that need any are to be set again, and only those. */
export const archivePart: ArchivePart = {
  exported: (_table, row) => ({ ...row, sealed: '' }),
};
