import { sql } from 'kysely';
import type { ProjectTable } from '../../kit/project-part.ts';

const nobody = sql`null`;

/** Whoever holds a conversation holds it in its own project only. */
export const projectTables: readonly ProjectTable[] = [
  {
    table: 'conversations',
    rows: 'kept',
    key: ['id'],
    json: ['metadata'],
    instead: { lease_owner: nobody, lease_expires_at: nobody },
  },
  {
    table: 'conversation_items',
    rows: 'kept',
    key: ['conversation_id', 'seq'],
    json: ['item'],
    counts: { seq: 'conversation_items' },
    countedWithin: 'project',
  },
];
