import type { Migrations } from '../../storage/database.ts';

/** What is in a part is on disk, by its id. */
export const migrations: Migrations = {
  '0010_uploads': {
    async up(db) {
      await db.schema
        .createTable('uploads')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('filename', 'text', (c) => c.notNull())
        .addColumn('purpose', 'text', (c) => c.notNull())
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .addColumn('media_type', 'text', (c) => c.notNull())
        .addColumn('file_seconds', 'integer')
        .addColumn('status', 'text', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('expires_at', 'integer', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('uploads_status').on('uploads').columns(['status', 'expires_at']).execute();
      await db.schema
        .createTable('upload_parts')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('upload_id', 'text', (c) => c.notNull())
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .execute();
      await db.schema.createIndex('upload_parts_upload').on('upload_parts').column('upload_id').execute();
    },
  },
  '0013_uploads_project': {
    async up(db) {
      await db.schema.createIndex('uploads_project').on('uploads').columns(['project', 'status']).execute();
    },
  },
};
