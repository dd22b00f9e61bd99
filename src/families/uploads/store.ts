import { type Budget, requireRoom } from '../../kit/budget.ts';
import type { Database } from '../../storage/database.ts';
import type { Purpose } from '../files/contract.ts';
import type { Upload } from './contract.ts';

export interface UploadRow {
  id: string;
  project: string;
  filename: string;
  purpose: Purpose;
  bytes: number;
  media_type: string;
  /** How long the file will be kept; null for what is usual for its purpose. */
  file_seconds: number | null;
  status: Upload['status'];
  created_at: number;
  expires_at: number;
}

export interface PartRow {
  id: string;
  upload_id: string;
  bytes: number;
  created_at: number;
}

type Tables = { uploads: UploadRow; upload_parts: PartRow };

export const uploadBudget = (limits: { uploads: number }): Budget => ({
  name: 'uploads',
  most: limits.uploads,
  noun: 'uploads that have not ended',
  whose: 'project',
  table: 'uploads',
  per: ['project'],
  only: ['status', '=', 'pending'],
});

export type UploadStore = ReturnType<typeof uploadStore>;

export function uploadStore(database: Database, budget: Budget) {
  const db = database.withTables<Tables>();
  return {
    async add(row: UploadRow): Promise<void> {
      await database.transaction().execute(async (on) => {
        await requireRoom(budget, on, [row.project]);
        await on.withTables<Tables>().insertInto('uploads').values(row).execute();
      });
    },

    find: (project: string, id: string): Promise<UploadRow | undefined> =>
      db
        .selectFrom('uploads')
        .selectAll()
        .where('id', '=', id)
        .where('project', '=', project)
        .executeTakeFirst(),

    /** Adds a part, unless `refuse` throws for what the upload has come to meanwhile. */
    async addPart(
      part: PartRow,
      refuse: (upload: UploadRow | undefined, parts: { count: number; bytes: number }) => void,
    ): Promise<void> {
      await database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        const upload = await trx
          .selectFrom('uploads')
          .selectAll()
          .where('id', '=', part.upload_id)
          .executeTakeFirst();
        const sums = await trx
          .selectFrom('upload_parts')
          .select((select) => [
            select.fn.countAll<number>().as('count'),
            select.fn.sum<number | null>('bytes').as('bytes'),
          ])
          .where('upload_id', '=', part.upload_id)
          .executeTakeFirst();
        refuse(upload, { count: Number(sums?.count ?? 0), bytes: Number(sums?.bytes ?? 0) });
        await trx.insertInto('upload_parts').values(part).execute();
      });
    },

    parts: (uploadId: string): Promise<PartRow[]> =>
      db.selectFrom('upload_parts').selectAll().where('upload_id', '=', uploadId).execute(),

    /**
     * Ends a pending upload within a transaction; answers its former parts, or null where it is not pending any more.
     * Its name goes with it: it would outlive the file.
     */
    async end(id: string, status: Upload['status'], on: Database): Promise<string[] | null> {
      const trx = on.withTables<Tables>();
      const { numUpdatedRows } = await trx
        .updateTable('uploads')
        .set({ status, filename: '' })
        .where('id', '=', id)
        .where('status', '=', 'pending')
        .executeTakeFirst();
      if (numUpdatedRows === 0n) return null;
      const parts = await trx
        .deleteFrom('upload_parts')
        .where('upload_id', '=', id)
        .returning('id')
        .execute();
      return parts.map((part) => part.id);
    },

    endAlone(id: string, status: Upload['status']): Promise<string[] | null> {
      return database.transaction().execute((on) => this.end(id, status, on));
    },

    expired: (now: number, limit: number): Promise<UploadRow[]> =>
      db
        .selectFrom('uploads')
        .selectAll()
        .where('status', '=', 'pending')
        .where('expires_at', '<=', now)
        .orderBy('expires_at')
        .limit(limit)
        .execute(),

    async partsIn(project: string, on: Database): Promise<string[]> {
      const rows = await on
        .withTables<Tables>()
        .selectFrom('upload_parts as part')
        .innerJoin('uploads as upload', 'upload.id', 'part.upload_id')
        .select('part.id')
        .where('upload.project', '=', project)
        .execute();
      return rows.map(({ id }) => id);
    },

    async countExpired(now: number): Promise<number> {
      const { uploads } = await db
        .selectFrom('uploads')
        .select((select) => select.fn.countAll<number>().as('uploads'))
        .where('status', '=', 'pending')
        .where('expires_at', '<=', now)
        .executeTakeFirstOrThrow();
      return Number(uploads);
    },

    /** Forgets uploads that ended long ago. */
    async forget(expiredBefore: number): Promise<void> {
      await db
        .deleteFrom('uploads')
        .where('status', '!=', 'pending')
        .where('expires_at', '<', expiredBefore)
        .execute();
    },

    /** Those of the ids that are there, in any upload. */
    async knownParts(ids: string[]): Promise<Set<string>> {
      if (ids.length === 0) return new Set();
      const rows = await db.selectFrom('upload_parts').select('id').where('id', 'in', ids).execute();
      return new Set(rows.map(({ id }) => id));
    },
  };
}
