import type { Migrations } from '../../storage/database.ts';

/** `sealed` holds the credentials, readable only with the key of the data directory. */
export const migrations: Migrations = {
  '0005_connections': {
    async up(db) {
      await db.schema
        .createTable('connections')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('target', 'text', (c) => c.notNull())
        .addColumn('is_default', 'integer', (c) => c.notNull())
        .addColumn('metadata', 'text', (c) => c.notNull())
        .addColumn('credential_type', 'text', (c) => c.notNull())
        .addColumn('sealed', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('connections_name', ['project', 'name'])
        .execute();
    },
  },
};
