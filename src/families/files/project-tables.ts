import type { ProjectTable } from '../../kit/project-part.ts';

export const projectTables: readonly ProjectTable[] = [{ table: 'files', rows: 'kept', key: ['id'] }];
