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
        .addColumn('log_kept', 'integer', (c) => c.notNull())
        .addColumn('background', 'integer', (c) => c.notNull())
        .addColumn('blueprint', 'text')
        .addColumn('progress', 'text')
        .addColumn('trace', 'text')
        // The only index over all rows: each further one costs a write as much as the row itself.
        .addPrimaryKeyConstraint('responses_pk', ['project', 'id'])
        .execute();
      await db.schema
        .createIndex('responses_unfinished')
        .on('responses')
        .column('status')
        .where('status', 'in', ['queued', 'in_progress'])
        .execute();
      // Events of background responses under way; when one has ended they move to its row.
      await db.schema
        .createTable('response_events')
        .addColumn('response_id', 'text', (c) => c.notNull())
        .addColumn('sequence_number', 'integer', (c) => c.notNull())
        .addColumn('line', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('response_events_pk', ['response_id', 'sequence_number'])
        .execute();
      await db.schema
        .createTable('used_approvals')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('approval_request_id', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('used_approvals_pk', ['project', 'approval_request_id'])
        .execute();
    },
  },
};
