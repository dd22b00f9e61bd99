import { newId } from '../../kit/ids.ts';
import type { ArchivePart, Row } from '../../kit/project-part.ts';
import type { StoreTables } from './store-rows.ts';

/** An archive has no index: what was taken in is taken in again from its file, `in_progress` until then. */
export const vectorStoreArchive: ArchivePart = {
  async still(project, on) {
    const trx = on.withTables<StoreTables>();
    await trx.updateTable('vector_stores').set({ home: '' }).where('project', '=', project).execute();
    await trx
      .updateTable('vector_store_files')
      .set({ status: 'completed', indexed: 0 })
      .where('project', '=', project)
      .where('status', '=', 'in_progress')
      .execute();
  },

  exported: (_table, { asked_by: _, ...row }) => row,
  importer: () => ({
    imported(table, row) {
      if (table === 'vector_stores') return importedStore(row);
      return table === 'vector_store_files' ? importedFile(row) : row;
    },
  }),
};

const importedStore = (row: Row): Row =>
  row.state === 'active' ? { ...row, home: newId('coll') } : { ...row, home: '', state: 'emptied' };

const importedFile = ({ asked_by: _, ...row }: Row): Row => ({
  ...row,
  indexed: 0,
  ...(row.status === 'completed' ? { status: 'in_progress', attempts: 0, usage_bytes: 0 } : {}),
});
