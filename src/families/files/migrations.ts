import type { Migrations } from '../../storage/database.ts';

/** What is in a file is on disk, by its id. */
export const migrations: Migrations = {
  '0009_files': {
    async up(db) {
      await db.schema
        .createTable('files')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('filename', 'text', (c) => c.notNull())
        .addColumn('bytes', 'bigint', (c) => c.notNull())
        .addColumn('purpose', 'text', (c) => c.notNull())
        .addColumn('media_type', 'text', (c) => c.notNull())
        .addColumn('sha256', 'text', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('expires_at', 'integer')
        .execute();
      await db.schema.createIndex('files_project').on('files').columns(['project', 'id']).execute();
      await db.schema
        .createIndex('files_purpose')
        .on('files')
        .columns(['project', 'purpose', 'id'])
        .execute();
      await db.schema.createIndex('files_expiry').on('files').columns(['expires_at', 'id']).execute();
    },
  },
  // What a project has is added up whenever it gets a file.
  '0012_files_bytes': {
    async up(db) {
      await db.schema.createIndex('files_bytes').on('files').columns(['project', 'bytes']).execute();
    },
  },
};
