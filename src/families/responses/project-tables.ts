import { sql } from 'kysely';
import type { ProjectTable } from '../../kit/project-part.ts';

/** What is under way goes on in its own project only. */
export const projectTables: readonly ProjectTable[] = [
  {
    table: 'responses',
    rows: 'kept',
    key: ['id'],
    json: ['input', 'blueprint', 'progress', 'trace'],
    where: sql<boolean>`status not in ('queued', 'in_progress')`,
    counts: { context_position: 'conversation_items' },
  },
  { table: 'response_events', rows: 'left', parent: { table: 'responses', column: 'response_id' } },
  { table: 'used_approvals', rows: 'kept', key: ['approval_request_id'] },
];
