import { sql } from 'kysely';
import { newId } from '../../kit/ids.ts';
import type { ArchivePart, Row } from '../../kit/project-part.ts';
import { noteBatches } from './batch-rows.ts';
import { isNotCompleted } from './file-rows.ts';
import type { StoreTables } from './store-rows.ts';

/**
 * An archive has no index: what was taken in is taken in again from its file, `in_progress` until then. What belongs to
 * a batch is told in one place, where older servers look for it.
 */
export const vectorStoreArchive: ArchivePart = {
  async still(project, on) {
    const trx = on.withTables<StoreTables>();
    await trx.updateTable('vector_stores').set({ home: '' }).where('project', '=', project).execute();
    await trx
      .updateTable('vector_store_files')
      .set({ status: 'completed', indexed: 0 })
      .where('project', '=', project)
      .where(isNotCompleted)
      .where('status', '=', 'in_progress')
      .execute();
    await noteBatches(on, sql<boolean>`project = ${project}`);
  },

  exported: (table, row) => (table === 'vector_store_files' ? exportedFile(row) : row),
  importer: () => ({
    imported(table, row) {
      if (table === 'vector_stores') return importedStore(row);
      return table === 'vector_store_files' ? importedFile(row) : row;
    },
  }),
};

const importedStore = (row: Row): Row =>
  row.state === 'active' ? { ...row, home: newId('coll') } : { ...row, home: '', state: 'emptied' };

const exportedFile = ({ asked_by: _asker, batch_id: _batch, ...row }: Row): Row => row;

const importedFile = (row: Row): Row => ({
  ...exportedFile(row),
  indexed: 0,
  ...(row.status === 'completed' ? { status: 'in_progress', attempts: 0, usage_bytes: 0 } : {}),
});
