import { sql } from 'kysely';
import type { Migrations } from '../../storage/database.ts';
import { rebuildTable } from '../../storage/rebuild-table.ts';

/**
 * What chunks say is in the search index; here stands what belongs there. The collection of a store has the store's id
 * and its `home`: forks of a project share collections until one of them changes.
 */
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
  '0022_vector_stores_by_project': {
    async up(db) {
      await rebuildTable(db, {
        name: 'vector_store_batch_files',
        columns: (table) =>
          table
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('batch_id', 'text', (c) => c.notNull())
            .addColumn('file_id', 'text', (c) => c.notNull())
            .addPrimaryKeyConstraint('vector_store_batch_files_id', ['project', 'batch_id', 'file_id']),
        rows: (old) =>
          sql`select s.project, m.batch_id, m.file_id from ${old} m join vector_store_batches b on b.id = m.batch_id join vector_stores s on s.id = b.store_id`,
      });
      await rebuildTable(db, {
        name: 'vector_store_batches',
        columns: (table) =>
          table
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('id', 'text', (c) => c.notNull())
            .addColumn('store_id', 'text', (c) => c.notNull())
            .addColumn('created_at', 'integer', (c) => c.notNull())
            .addColumn('cancelled', 'integer', (c) => c.notNull().defaultTo(0))
            .addPrimaryKeyConstraint('vector_store_batches_pk', ['project', 'id']),
        rows: (old) =>
          sql`select s.project, b.id, b.store_id, b.created_at, b.cancelled from ${old} b join vector_stores s on s.id = b.store_id`,
      });
      await rebuildTable(db, {
        name: 'vector_store_files',
        columns: (table) =>
          table
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('store_id', 'text', (c) => c.notNull())
            .addColumn('file_id', 'text', (c) => c.notNull())
            .addColumn('key', 'text', (c) => c.notNull())
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
            .addPrimaryKeyConstraint('vector_store_files_id', ['project', 'store_id', 'file_id'])
            .addUniqueConstraint('vector_store_files_key', ['project', 'key']),
        rows: (old) =>
          sql`select project, store_id, file_id, key, created_at, status, error_code, error_message, attempts, usage_bytes, attributes, max_tokens, overlap_tokens, indexed, removed_at from ${old}`,
      });
      await rebuildTable(db, {
        name: 'vector_stores',
        columns: (table) =>
          table
            .addColumn('project', 'text', (c) => c.notNull())
            .addColumn('id', 'text', (c) => c.notNull())
            .addColumn('home', 'text', (c) => c.notNull())
            .addColumn('name', 'text', (c) => c.notNull())
            .addColumn('description', 'text')
            .addColumn('metadata', 'text', (c) => c.notNull())
            .addColumn('embeddings', 'text', (c) => c.notNull())
            .addColumn('created_at', 'integer', (c) => c.notNull())
            .addColumn('last_active_at', 'integer', (c) => c.notNull())
            .addColumn('expires_days', 'integer')
            .addColumn('state', 'text', (c) => c.notNull())
            .addPrimaryKeyConstraint('vector_stores_pk', ['project', 'id']),
        rows: (old) =>
          sql`select project, id, case state when 'emptied' then '' else project end, name, description, metadata, embeddings, created_at, last_active_at, expires_days, state from ${old}`,
      });
      await db.schema.createIndex('vector_stores_home').on('vector_stores').columns(['id', 'home']).execute();
      await db.schema
        .createIndex('vector_stores_state')
        .on('vector_stores')
        .columns(['state', 'expires_days'])
        .execute();
      const indexOfFiles = (name: string, columns: string[]) =>
        db.schema.createIndex(name).on('vector_store_files').columns(columns).execute();
      await indexOfFiles('vector_store_files_status', ['project', 'store_id', 'status', 'key']);
      await indexOfFiles('vector_store_files_work', ['status', 'indexed', 'project', 'store_id']);
      const usage = ['project', 'store_id', 'status', 'removed_at', 'usage_bytes'];
      await indexOfFiles('vector_store_files_usage', usage);
      await indexOfFiles('vector_store_files_removed', ['removed_at', 'indexed']);
      await indexOfFiles('vector_store_files_file', ['project', 'file_id']);
      await db.schema
        .createIndex('vector_store_batches_store')
        .on('vector_store_batches')
        .columns(['project', 'store_id'])
        .execute();
      // Collections that no store has any more, and copies until a store has them.
      await db.schema
        .createTable('unused_collections')
        .addColumn('home', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('since', 'integer', (c) => c.notNull())
        .addPrimaryKeyConstraint('unused_collections_pk', ['home', 'id'])
        .execute();
    },
  },
  '0041_askers_of_files': {
    async up(db) {
      await db.schema.alterTable('vector_store_files').addColumn('asked_by', 'text').execute();
    },
  },
  '0043_batches_of_files': {
    async up(db) {
      await db.schema.alterTable('vector_store_files').addColumn('batch_id', 'text').execute();
      for (const name of ['status', 'usage', 'work', 'removed']) {
        await db.schema.dropIndex(`vector_store_files_${name}`).execute();
      }
      const index = (name: string, columns: string[]) =>
        db.schema.createIndex(`vector_store_files_${name}`).on('vector_store_files').columns(columns);
      // What is counted is in the index. What most files never are is in an index of its own.
      await index('status', ['project', 'store_id', 'status', 'key', 'removed_at', 'usage_bytes']).execute();
      await index('batch', ['project', 'batch_id', 'status', 'removed_at'])
        .where('batch_id', 'is not', null)
        .execute();
      await index('work', ['status', 'indexed', 'project', 'store_id'])
        .where(sql.ref('status'), '!=', sql.lit('completed'))
        .execute();
      await index('changed', ['project', 'store_id']).where(sql.ref('indexed'), '=', sql.lit(2)).execute();
      await index('removed', ['removed_at', 'indexed']).where('removed_at', 'is not', null).execute();
    },
  },
};
