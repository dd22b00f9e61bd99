import type { Migrations } from '../../storage/database.ts';

/** What a container holds is on disk, by the id of each file; a path is only what Python calls it. */
export const migrations: Migrations = {
  '0006_containers': {
    async up(db) {
      await db.schema
        .createTable('containers')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('user_identity', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('last_active_at', 'integer', (c) => c.notNull())
        .addColumn('expires_minutes', 'integer', (c) => c.notNull())
        .addColumn('memory_limit', 'text', (c) => c.notNull())
        .addColumn('started', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('emptied', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await db.schema
        .createIndex('containers_project')
        .on('containers')
        .columns(['project', 'user_identity', 'id'])
        .execute();
      await db.schema
        .createTable('container_files')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('container_id', 'text', (c) => c.notNull())
        .addColumn('path', 'text', (c) => c.notNull())
        .addColumn('bytes', 'integer', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('source', 'text', (c) => c.notNull())
        .addColumn('revision', 'text', (c) => c.notNull())
        .addUniqueConstraint('container_files_path', ['container_id', 'path'])
        .execute();
    },
  },
  '0011_containers_given': {
    async up(db) {
      await db.schema
        .createTable('container_given')
        .addColumn('container_id', 'text', (c) => c.notNull())
        .addColumn('file_id', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('container_given_id', ['container_id', 'file_id'])
        .execute();
    },
  },
};
