import type { Migrations } from '../../storage/database.ts';

/**
 * `completion` is the completion as answered, without its metadata; `messages` those of its request, as sent. The
 * pairs of `metadata` stand once more in a table of their own, whose key leads from a pair to its completions.
 */
export const migrations: Migrations = {
  '0004_chat_completions': {
    async up(db) {
      await db.schema
        .createTable('chat_completions')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('user_identity', 'text', (c) => c.notNull())
        .addColumn('model', 'text', (c) => c.notNull())
        .addColumn('metadata', 'text', (c) => c.notNull())
        .addColumn('completion', 'text', (c) => c.notNull())
        .addColumn('messages', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('chat_completions_id', ['project', 'id'])
        .execute();
      await db.schema
        .createTable('chat_completion_metadata')
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('key', 'text', (c) => c.notNull())
        .addColumn('value', 'text', (c) => c.notNull())
        .addColumn('completion_id', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('chat_completion_metadata_pair', [
          'project',
          'key',
          'value',
          'completion_id',
        ])
        .execute();
    },
  },
};
