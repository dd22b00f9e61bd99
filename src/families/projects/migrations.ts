import { sql } from 'kysely';
import { unixSeconds } from '../../kit/time.ts';
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
      // Until now projects were what the configuration named: those that it does not name just now have rows, too.
      // What was sealed for them is bound to their names.
      const tables = await db.introspection.getTables();
      for (const { name, columns } of tables) {
        if (name === 'projects' || !columns.some((column) => column.name === 'project')) continue;
        await sql`insert or ignore into projects (name, created_at, origin, seals) select distinct project, ${unixSeconds()}, 'configuration', json_array(project) from ${sql.table(name)}`.execute(
          db,
        );
      }
    },
  },
};
