import { sql } from 'kysely';
import type { Migrations } from '../../storage/database.ts';
import { rebuildTable } from '../../storage/rebuild-table.ts';

/** What is in a file is on disk, by the id of its `content`: that of the file which it was first of. */
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
  '0021_files_by_project': {
    async up(db) {
      await rebuildTable(db, {
        name: 'files',
        columns: (table) =>
          table
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('id', 'text', (c) => c.notNull())
            .addColumn('content', 'text', (c) => c.notNull())
            .addColumn('filename', 'text', (c) => c.notNull())
            .addColumn('bytes', 'bigint', (c) => c.notNull())
            .addColumn('purpose', 'text', (c) => c.notNull())
            .addColumn('media_type', 'text', (c) => c.notNull())
            .addColumn('sha256', 'text', (c) => c.notNull())
            .addColumn('created_at', 'integer', (c) => c.notNull())
            .addColumn('expires_at', 'integer')
            .addPrimaryKeyConstraint('files_pk', ['project', 'id']),
        rows: (old) =>
          sql`select project, id, id, filename, bytes, purpose, media_type, sha256, created_at, expires_at from ${old}`,
      });
      // Which projects have a file: what is in it stays as long as one of them has.
      await db.schema.createIndex('files_content').on('files').column('content').execute();
      // What a project has is added up whenever it gets a file.
      await db.schema.createIndex('files_bytes').on('files').columns(['project', 'bytes']).execute();
      await db.schema
        .createIndex('files_purpose')
        .on('files')
        .columns(['project', 'purpose', 'id'])
        .execute();
      await db.schema.createIndex('files_expiry').on('files').columns(['expires_at', 'id']).execute();
    },
  },
  '0042_contents_to_sync': {
    async up(db) {
      await db.schema
        .createTable('contents_to_sync')
        .addColumn('content', 'text', (c) => c.primaryKey())
        .execute();
    },
  },
};
