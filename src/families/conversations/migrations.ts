import { sql } from 'kysely';
import type { Migrations } from '../../storage/database.ts';
import { rebuildTable } from '../../storage/rebuild-table.ts';

/** `seq` orders the items of a conversation. A deleted item leaves its row without content: cursors may name it. */
export const migrations: Migrations = {
  '0002_conversations': {
    async up(db) {
      await db.schema
        .createTable('conversations')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('user_identity', 'text', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('metadata', 'text', (c) => c.notNull())
        .addColumn('agent_name', 'text')
        .addColumn('agent_version', 'text')
        .addColumn('lease_owner', 'text')
        .addColumn('lease_expires_at', 'integer')
        .execute();
      await db.schema
        .createIndex('conversations_project')
        .on('conversations')
        .columns(['project', 'id'])
        .execute();
      await db.schema
        .createTable('conversation_items')
        .addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
        .addColumn('conversation_id', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('type', 'text', (c) => c.notNull())
        .addColumn('item', 'text')
        .addUniqueConstraint('conversation_items_id', ['conversation_id', 'id'])
        .execute();
      await db.schema
        .createIndex('conversation_items_order')
        .on('conversation_items')
        .columns(['conversation_id', 'seq'])
        .execute();
    },
  },
  '0020_conversations_by_project': {
    async up(db) {
      await rebuildTable(db, {
        name: 'conversation_items',
        columns: (table) =>
          table
            .addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('conversation_id', 'text', (c) => c.notNull())
            .addColumn('id', 'text', (c) => c.notNull())
            .addColumn('type', 'text', (c) => c.notNull())
            .addColumn('item', 'text')
            .addUniqueConstraint('conversation_items_id', ['project', 'conversation_id', 'id']),
        rows: (old) =>
          sql`select i.seq, c.project, i.conversation_id, i.id, i.type, i.item from ${old} i join conversations c on c.id = i.conversation_id`,
      });
      await db.schema
        .createIndex('conversation_items_order')
        .on('conversation_items')
        .columns(['project', 'conversation_id', 'seq'])
        .execute();
      await rebuildTable(db, {
        name: 'conversations',
        columns: (table) =>
          table
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('id', 'text', (c) => c.notNull())
            .addColumn('user_identity', 'text', (c) => c.notNull())
            .addColumn('created_at', 'integer', (c) => c.notNull())
            .addColumn('metadata', 'text', (c) => c.notNull())
            .addColumn('agent_name', 'text')
            .addColumn('agent_version', 'text')
            .addColumn('lease_owner', 'text')
            .addColumn('lease_expires_at', 'integer')
            .addPrimaryKeyConstraint('conversations_pk', ['project', 'id']),
        rows: (old) =>
          sql`select project, id, user_identity, created_at, metadata, agent_name, agent_version, lease_owner, lease_expires_at from ${old}`,
      });
    },
  },
  /** Of those that there are, nothing tells where they were made: each goes on with the agent that answered last. */
  '0030_conversations_of_endpoints': {
    async up(db) {
      await db.schema.alterTable('conversations').addColumn('endpoint_agent', 'text').execute();
      await sql`update conversations set endpoint_agent = agent_name`.execute(db);
    },
  },
  /** `seq` counts within its conversation, so that a fork has the same numbers as its origin. */
  '0040_items_counted_by_conversation': {
    async up(db) {
      await rebuildTable(db, {
        name: 'conversation_items',
        columns: (table) =>
          table
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('conversation_id', 'text', (c) => c.notNull())
            .addColumn('seq', 'integer', (c) => c.notNull())
            .addColumn('id', 'text', (c) => c.notNull())
            .addColumn('type', 'text', (c) => c.notNull())
            .addColumn('item', 'text')
            .addPrimaryKeyConstraint('conversation_items_pk', ['project', 'conversation_id', 'seq']),
        rows: (old) =>
          sql`select project, conversation_id, seq, id, type, item from ${old} order by project, conversation_id, seq`,
      });
      await db.schema
        .createIndex('conversation_items_id')
        .on('conversation_items')
        .columns(['project', 'conversation_id', 'id'])
        .unique()
        .execute();
    },
  },
};
