import type { Migrations } from '../../storage/database.ts';

/** `made` sorts versions by when they were made. `container` is where the content lies that goes with the asset. */
export const migrations: Migrations = {
  '0007_assets': {
    async up(db) {
      await db.schema
        .createTable('assets')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('version', 'text', (c) => c.notNull())
        .addColumn('made', 'text', (c) => c.notNull())
        .addColumn('latest', 'integer', (c) => c.notNull())
        .addColumn('storage', 'text')
        .addColumn('container', 'text')
        .addColumn('content', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('assets_version', ['project', 'kind', 'name', 'version'])
        .execute();
      await db.schema
        .createIndex('assets_made')
        .on('assets')
        .columns(['project', 'kind', 'name', 'made'])
        .execute();
      await db.schema
        .createIndex('assets_latest')
        .on('assets')
        .columns(['project', 'kind', 'latest', 'name'])
        .execute();
      await db.schema
        .createTable('asset_uploads')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('version', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('made', 'text', (c) => c.notNull())
        .addColumn('used_at', 'integer', (c) => c.notNull())
        .addColumn('storage', 'text')
        .addColumn('container', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('asset_uploads_id', ['project', 'kind', 'name', 'version', 'id'])
        .execute();
      await db.schema
        .createTable('doomed_containers')
        .addColumn('container', 'text', (c) => c.primaryKey())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('storage', 'text')
        .execute();
    },
  },
  '0023_assets_container': {
    async up(db) {
      await db.schema.createIndex('assets_container').on('assets').column('container').execute();
    },
  },
};
