import type { ProjectTable } from '../../kit/project-part.ts';

export const projectTables: readonly ProjectTable[] = [
  { table: 'chat_completions', rows: 'kept', key: ['id'], json: ['metadata', 'completion', 'messages'] },
  { table: 'chat_completion_metadata', rows: 'kept', key: ['key', 'value', 'completion_id'] },
];
