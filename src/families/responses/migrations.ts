import type { Migrations } from '../../storage/database.ts';

/** `input` is a JSON list of items; `events` the event log, one JSON text per line. */
export const migrations: Migrations = {
  '0003_responses': {
    async up(db) {
      await db.schema
        .createTable('responses')
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('user_identity', 'text', (c) => c.notNull())
        .addColumn('status', 'text', (c) => c.notNull())
        .addColumn('agent_name', 'text')
        .addColumn('agent_version', 'text')
        .addColumn('conversation_id', 'text')
        .addColumn('context_position', 'integer')
        .addColumn('previous_response_id', 'text')
        .addColumn('input', 'text', (c) => c.notNull())
        .addColumn('events', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createIndex('responses_unfinished')
        .on('responses')
        .column('status')
        .where('status', 'in', ['queued', 'in_progress'])
        .execute();
    },
  },
};
