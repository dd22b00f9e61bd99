import type { Migrations } from '../../storage/database.ts';

/** `seals` is a JSON list of what is sealed for the project: the first is what it seals with, it opens all of them. */
export const migrations: Migrations = {
  '0024_projects': {
    async up(db) {
      await db.schema
        .createTable('projects')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('origin', 'text', (c) => c.notNull())
        .addColumn('fork_of', 'text')
        .addColumn('seals', 'text', (c) => c.notNull())
        .execute();
    },
  },
};
