import type { ArchivePart, ArchiveSecrets, ProjectTable, Row } from '../../kit/project-part.ts';
import { sealedFor } from './directory.ts';

export const projectTables: readonly ProjectTable[] = [
  { table: 'connections', rows: 'kept', key: ['name'], json: ['metadata'] },
];

/** Where an archive without secrets is read, connections that need any are to be set again, and only those. */
export const archivePart: ArchivePart = {
  exported: (_table, row, secrets) => carried(row, secrets),
  importer: (_project, secrets) => ({ imported: (_table, row) => carried(row, secrets) }),
};

const carried = ({ sealed, ...row }: Row, secrets: ArchiveSecrets | null): Row => ({
  ...row,
  sealed: sealed ? (secrets?.carry(String(sealed), sealedFor) ?? '') : '',
});
