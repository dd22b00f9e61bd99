import type { Database } from '../../storage/database.ts';
import type { StoreRow, StoreTables, UnusedCollection } from './store-rows.ts';

export type CollectionRows = ReturnType<typeof collectionRows>;

/** Which store has which collection of the index: forks of a project share them until one of them changes. */
export function collectionRows(database: Database) {
  const db = database.withTables<StoreTables>();
  const holders = (on: Database, { id, home }: Pick<StoreRow, 'id' | 'home'>) =>
    on
      .withTables<StoreTables>()
      .selectFrom('vector_stores')
      .select('project')
      .where('id', '=', id)
      .where('home', '=', home);

  return {
    async isShared(store: StoreRow): Promise<boolean> {
      const other = await holders(database, store).where('project', '!=', store.project).executeTakeFirst();
      return other !== undefined;
    },

    async note(collection: UnusedCollection, on: Database = database): Promise<void> {
      await on
        .withTables<StoreTables>()
        .insertInto('unused_collections')
        .values(collection)
        .onConflict((conflict) => conflict.doNothing())
        .execute();
    },

    async forget(
      { home, id }: Pick<UnusedCollection, 'home' | 'id'>,
      on: Database = database,
    ): Promise<void> {
      await on
        .withTables<StoreTables>()
        .deleteFrom('unused_collections')
        .where('home', '=', home)
        .where('id', '=', id)
        .execute();
    },

    /** Gives a store the collection that was made for it. False where the store, or the reason, has gone meanwhile. */
    move(
      store: StoreRow,
      home: string,
      now: number,
      stands: (on: Database) => Promise<boolean>,
    ): Promise<boolean> {
      return database.transaction().execute(async (on) => {
        if (!(await stands(on))) return false;
        const { numUpdatedRows } = await on
          .withTables<StoreTables>()
          .updateTable('vector_stores')
          .set({ home })
          .where('project', '=', store.project)
          .where('id', '=', store.id)
          .where('home', '=', store.home)
          .executeTakeFirst();
        if (numUpdatedRows === 0n) return false;
        await this.forget({ home, id: store.id }, on);
        const left = await holders(on, store).executeTakeFirst();
        if (left === undefined) await this.note({ home: store.home, id: store.id, since: now }, on);
        return true;
      });
    },

    /** Of a project that goes: collections that no other has. */
    async noteAll(project: string, on: Database): Promise<void> {
      const trx = on.withTables<StoreTables>();
      const found = await trx
        .selectFrom('vector_stores as own')
        .select(['own.home', 'own.id'])
        .where('own.project', '=', project)
        .where('own.home', '!=', '')
        .where((where) =>
          where.not(
            where.exists(
              where
                .selectFrom('vector_stores as other')
                .select('other.id')
                .whereRef('other.id', '=', 'own.id')
                .whereRef('other.home', '=', 'own.home')
                .whereRef('other.project', '!=', 'own.project'),
            ),
          ),
        )
        .execute();
      for (const { home, id } of found) await this.note({ home, id, since: 0 }, on);
    },

    unusedSince: (since: number, limit: number): Promise<UnusedCollection[]> =>
      db
        .selectFrom('unused_collections')
        .selectAll()
        .where('since', '<=', since)
        .orderBy('since')
        .limit(limit)
        .execute(),
  };
}
