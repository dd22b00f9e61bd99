import { sql } from 'kysely';
import type { ProjectTable } from '../../kit/project-part.ts';

/** Stores that are removed stay for the index's sake; a fork has nothing of them. */
export const projectTables: readonly ProjectTable[] = [
  {
    table: 'vector_stores',
    rows: 'kept',
    key: ['id'],
    where: sql<boolean>`state != 'removed'`,
    json: ['metadata'],
  },
  {
    table: 'vector_store_files',
    rows: 'kept',
    key: ['store_id', 'file_id'],
    instead: { attempts: sql`0` },
    json: ['attributes'],
  },
  { table: 'vector_store_batches', rows: 'kept', key: ['id'] },
  { table: 'vector_store_batch_files', rows: 'kept', key: ['batch_id', 'file_id'] },
];
