import type { Migrations } from '../../storage/database.ts';

/** What chunks say is in the search index; here stands what belongs there. */
export const migrations: Migrations = {
  '0008_vector_stores': {
    async up(db) {
      await db.schema
        .createTable('vector_stores')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('name', 'text', (c) => c.notNull())
        .addColumn('description', 'text')
        .addColumn('metadata', 'text', (c) => c.notNull())
        .addColumn('embeddings', 'text', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('last_active_at', 'integer', (c) => c.notNull())
        .addColumn('expires_days', 'integer')
        .addColumn('state', 'text', (c) => c.notNull())
        .execute();
      await db.schema
        .createIndex('vector_stores_project')
        .on('vector_stores')
        .columns(['project', 'id'])
        .execute();
      await db.schema
        .createIndex('vector_stores_state')
        .on('vector_stores')
        .columns(['state', 'expires_days'])
        .execute();
      await db.schema
        .createTable('vector_store_files')
        .addColumn('store_id', 'text', (c) => c.notNull())
        .addColumn('file_id', 'text', (c) => c.notNull())
        .addColumn('key', 'text', (c) => c.notNull().unique())
        .addColumn('project', 'text', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('status', 'text', (c) => c.notNull())
        .addColumn('error_code', 'text')
        .addColumn('error_message', 'text')
        .addColumn('attempts', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('usage_bytes', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('attributes', 'text', (c) => c.notNull())
        .addColumn('max_tokens', 'integer', (c) => c.notNull())
        .addColumn('overlap_tokens', 'integer', (c) => c.notNull())
        .addColumn('indexed', 'integer', (c) => c.notNull().defaultTo(0))
        .addColumn('removed_at', 'integer')
        .addPrimaryKeyConstraint('vector_store_files_id', ['store_id', 'file_id'])
        .execute();
      await db.schema
        .createIndex('vector_store_files_status')
        .on('vector_store_files')
        .columns(['store_id', 'status', 'key'])
        .execute();
      await db.schema
        .createIndex('vector_store_files_work')
        .on('vector_store_files')
        .columns(['status', 'indexed', 'store_id'])
        .execute();
      await db.schema
        .createIndex('vector_store_files_usage')
        .on('vector_store_files')
        .columns(['store_id', 'status', 'removed_at', 'usage_bytes'])
        .execute();
      await db.schema
        .createIndex('vector_store_files_removed')
        .on('vector_store_files')
        .columns(['removed_at', 'indexed'])
        .execute();
      await db.schema
        .createIndex('vector_store_files_file')
        .on('vector_store_files')
        .columns(['file_id'])
        .execute();
      await db.schema
        .createTable('vector_store_batches')
        .addColumn('id', 'text', (c) => c.primaryKey())
        .addColumn('store_id', 'text', (c) => c.notNull())
        .addColumn('created_at', 'integer', (c) => c.notNull())
        .addColumn('cancelled', 'integer', (c) => c.notNull().defaultTo(0))
        .execute();
      await db.schema
        .createIndex('vector_store_batches_store')
        .on('vector_store_batches')
        .columns(['store_id'])
        .execute();
      await db.schema
        .createTable('vector_store_batch_files')
        .addColumn('batch_id', 'text', (c) => c.notNull())
        .addColumn('file_id', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('vector_store_batch_files_id', ['batch_id', 'file_id'])
        .execute();
    },
  },
};
