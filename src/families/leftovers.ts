/** What deletions may have left of all families, for a directory that no server uses. */
import { join } from 'node:path';
import type { Leftovers } from '../kit/leftovers.ts';
import type { StorageAccounts } from '../providers/blobs/storage-accounts.ts';
import type { ModelLog } from '../providers/models/upstream.ts';
import type { IndexContents } from '../providers/search/index-contents.ts';
import type { Database } from '../storage/database.ts';
import { type Belonging, countOrphans, removeOrphans } from '../storage/orphan-rows.ts';
import { assetLeftovers, doomContents } from './assets/index.ts';
import { containerLeftovers } from './containers/index.ts';
import { fileLeftovers } from './files/index.ts';
import { projectTables } from './project-tables.ts';
import { projectLeftovers } from './projects/index.ts';
import { uploadLeftovers } from './uploads/index.ts';
import { vectorStoreLeftovers } from './vector-stores/index.ts';

export interface LeftoverParts {
  database: Database;
  /** The data directory. */
  directory: string;
  /** Null where nothing was ever indexed. */
  index: IndexContents | null;
  /** `directory` is null for an account elsewhere. */
  blobs: { accounts: StorageAccounts; directory: string | null; abandonedHours: number };
  /** Projects of the configuration. */
  configured: readonly string[];
  log: Pick<ModelLog, 'warn'>;
}

/** In the order in which they are to be removed. */
export function createLeftovers({
  database,
  directory,
  index,
  blobs,
  configured,
  log,
}: LeftoverParts): Leftovers[] {
  const { leftovers: vectorStores, detachEverywhere } = vectorStoreLeftovers(database, index);
  return [
    // Theirs is what the others then find that nothing names.
    ...projectLeftovers(database, { tables: projectTables, configured, removing: doomContents(database) }),
    ...fileLeftovers(database, join(directory, 'files'), log, detachEverywhere),
    ...uploadLeftovers(database, join(directory, 'uploads')),
    ...vectorStores,
    ...containerLeftovers(database, join(directory, 'containers')),
    ...assetLeftovers(database, {
      accounts: blobs.accounts,
      directory: blobs.directory,
      abandonedSeconds: blobs.abandonedHours * 3600,
      log,
    }),
    rowsOf(database),
  ];
}

/** Rows that are deleted with another one. */
const belongings: readonly Belonging[] = [
  { table: 'agent_versions', owner: 'agents', by: { project: 'project', agent_name: 'name' } },
  { table: 'conversation_items', owner: 'conversations', by: { project: 'project', conversation_id: 'id' } },
  { table: 'response_events', owner: 'responses', by: { response_id: 'id' } },
  {
    table: 'chat_completion_metadata',
    owner: 'chat_completions',
    by: { project: 'project', completion_id: 'id' },
  },
  { table: 'upload_parts', owner: 'uploads', by: { upload_id: 'id' } },
  { table: 'container_files', owner: 'containers', by: { container_id: 'id' } },
  { table: 'container_given', owner: 'containers', by: { container_id: 'id' } },
  { table: 'vector_store_files', owner: 'vector_stores', by: { project: 'project', store_id: 'id' } },
  { table: 'vector_store_batches', owner: 'vector_stores', by: { project: 'project', store_id: 'id' } },
  {
    table: 'vector_store_batch_files',
    owner: 'vector_store_batches',
    by: { project: 'project', batch_id: 'id' },
  },
];

const rowsOf = (database: Database): Leftovers => ({
  what: 'rows of what is deleted',
  async count() {
    let left = 0;
    for (const belonging of belongings) left += await countOrphans(database, belonging);
    return left;
  },
  async remove() {
    for (const belonging of belongings) await removeOrphans(database, belonging);
  },
});
