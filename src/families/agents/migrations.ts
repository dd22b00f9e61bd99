import type { Migrations } from '../../storage/database.ts';

/** `seq` orders listings; JSON is kept as the text that was sent. */
export const migrations: Migrations = {
  '0001_agents': {
    async up(db) {
      await db.schema
        .createTable('agents')
        .addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('state', 'text', (c) => c.notNull())
        .addColumn('endpoint', 'text', (c) => c.notNull())
        .addColumn('card', 'text')
        .addColumn('latest_version', 'integer', (c) => c.notNull())
        .addColumn('next_version', 'integer', (c) => c.notNull())
        .addUniqueConstraint('agents_project_name', ['project', 'name'])
        .execute();
      await db.schema
        .createTable('agent_versions')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('agent_name', 'text', (c) => c.notNull())
        .addColumn('version', 'integer', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('draft', 'integer', (c) => c.notNull())
        .addColumn('description', 'text')
        .addColumn('metadata', 'text', (c) => c.notNull())
        .addColumn('definition', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('agent_versions_pk', ['project', 'agent_name', 'version'])
        .execute();
      // Cursors outlive the agents they name: this remembers where a deleted one stood.
      await db.schema
        .createTable('deleted_agents')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('seq', 'integer', (c) => c.notNull())
        .addPrimaryKeyConstraint('deleted_agents_pk', ['project', 'name'])
        .execute();
    },
  },
  '0031_definition_secrets': {
    async up(db) {
      await db.schema.alterTable('agent_versions').addColumn('secrets', 'text').execute();
    },
  },
};
