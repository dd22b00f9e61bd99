import type { ProjectTable } from '../kit/project-part.ts';

/** Of tables that belong to no family. */
export const serverTables: readonly ProjectTable[] = [
  { table: 'kept_answers', rows: 'left' },
  { table: 'kept_answer_resources', rows: 'left' },
];
