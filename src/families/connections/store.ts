import type { ConnectionType, CredentialType } from '../../kit/connection.ts';
import type { Database } from '../../storage/database.ts';

type Tables = {
  connections: {
    project: string;
    name: string;
    type: ConnectionType;
    target: string;
    /** 0 or 1. */
    is_default: number;
    metadata: string;
    credential_type: CredentialType;
    sealed: string;
  };
};

export interface StoredConnection {
  name: string;
  type: ConnectionType;
  target: string;
  isDefault: boolean;
  metadata: Record<string, string>;
  credentialType: CredentialType;
  /** The credentials, sealed. */
  sealed: string;
}

export type ConnectionStore = ReturnType<typeof connectionStore>;

export function connectionStore(database: Database) {
  const db = database.withTables<Tables>();

  return {
    async list(project: string): Promise<StoredConnection[]> {
      const rows = await db.selectFrom('connections').selectAll().where('project', '=', project).execute();
      return rows.map(toConnection);
    },

    async find(project: string, name: string): Promise<StoredConnection | undefined> {
      const row = await db
        .selectFrom('connections')
        .selectAll()
        .where('project', '=', project)
        .where('name', '=', name)
        .executeTakeFirst();
      return row && toConnection(row);
    },

    /**
     * Makes or replaces it; as a default it takes over from the one before. `full` when it would be one more than
     * `most` in the project.
     */
    set: (
      project: string,
      connection: StoredConnection,
      most: number,
    ): Promise<'made' | 'replaced' | 'full'> =>
      database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        const names = await trx
          .selectFrom('connections')
          .select('name')
          .where('project', '=', project)
          .execute();
        const isThere = names.some(({ name }) => name === connection.name);
        if (!isThere && names.length >= most) return 'full';
        if (connection.isDefault) {
          await trx
            .updateTable('connections')
            .set({ is_default: 0 })
            .where('project', '=', project)
            .where('type', '=', connection.type)
            .execute();
        }
        const row = toRow(project, connection);
        await trx
          .insertInto('connections')
          .values(row)
          .onConflict((name) => name.columns(['project', 'name']).doUpdateSet(row))
          .execute();
        return isThere ? 'replaced' : 'made';
      }),

    /** Every secret of every project, sealed anew, all at once. */
    reseal: (anew: (sealed: string, project: string, name: string) => string): Promise<number> =>
      database.transaction().execute(async (on) => {
        const trx = on.withTables<Tables>();
        const rows = await trx.selectFrom('connections').select(['project', 'name', 'sealed']).execute();
        for (const { project, name, sealed } of rows) {
          await trx
            .updateTable('connections')
            .set({ sealed: anew(sealed, project, name) })
            .where('project', '=', project)
            .where('name', '=', name)
            .execute();
        }
        return rows.length;
      }),

    /** Whether there was one to delete. */
    async delete(project: string, name: string): Promise<boolean> {
      const { numDeletedRows } = await db
        .deleteFrom('connections')
        .where('project', '=', project)
        .where('name', '=', name)
        .executeTakeFirst();
      return numDeletedRows > 0n;
    },
  };
}

const toRow = (project: string, connection: StoredConnection): Tables['connections'] => ({
  project,
  name: connection.name,
  type: connection.type,
  target: connection.target,
  is_default: connection.isDefault ? 1 : 0,
  metadata: JSON.stringify(connection.metadata),
  credential_type: connection.credentialType,
  sealed: connection.sealed,
});

const toConnection = (row: Tables['connections']): StoredConnection => ({
  name: row.name,
  type: row.type,
  target: row.target,
  isDefault: row.is_default === 1,
  metadata: JSON.parse(row.metadata),
  credentialType: row.credential_type,
  sealed: row.sealed,
});
