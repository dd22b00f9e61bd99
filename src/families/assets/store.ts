import { type Kysely, sql } from 'kysely';
import { type Budget, requireRoom } from '../../kit/budget.ts';
import { newId } from '../../kit/ids.ts';
import type { Database } from '../../storage/database.ts';
import type { AssetKind, AssetName } from './asset-shapes.ts';

interface AssetRow {
  project: string;
  kind: AssetKind;
  name: string;
  version: string;
  made: string;
  /** 1 for the version of its name that was made last. */
  latest: number;
  storage: string | null;
  container: string | null;
  content: string;
}

interface UploadRow extends Omit<AssetRow, 'latest' | 'content' | 'container'> {
  id: string;
  /** Unix seconds. */
  used_at: number;
  container: string;
}

type Tables = {
  assets: AssetRow;
  asset_uploads: UploadRow;
  doomed_containers: { container: string; project: string; storage: string | null };
};

export interface Place {
  /** Name of the connection to the account; null for the server's own. */
  storage: string | null;
  container: string;
}

export interface StoredAsset extends AssetName {
  made: string;
  /** Where its content lies, if that goes with it. */
  place: Place | null;
  content: Record<string, unknown>;
}

export interface StoredUpload extends AssetName {
  id: string;
  place: Place;
}

export interface DoomedContainer extends Place {
  project: string;
}

export const assetBudget = (limits: { assets: number }): Budget => ({
  name: 'assets',
  most: limits.assets,
  noun: 'versions of datasets, indexes and models',
  whose: 'project',
  table: 'assets',
  per: ['project'],
});

export type AssetStore = ReturnType<typeof assetStore>;

/** Of one project. */
const mostUploads = 1000;

export function assetStore(database: Database, budget: Budget) {
  const db = database.withTables<Tables>();
  const inTransaction = <T>(work: (trx: Kysely<Tables>) => Promise<T>): Promise<T> =>
    database.transaction().execute((on) => work(on.withTables<Tables>()));
  const versions = (on: Kysely<Tables>, asset: Omit<AssetName, 'version'>) =>
    on
      .selectFrom('assets')
      .selectAll()
      .where('project', '=', asset.project)
      .where('kind', '=', asset.kind)
      .where('name', '=', asset.name);
  const setLatest = (on: Kysely<Tables>, asset: Omit<AssetName, 'version'>, latest: number) =>
    on
      .updateTable('assets')
      .set({ latest })
      .where('project', '=', asset.project)
      .where('kind', '=', asset.kind)
      .where('name', '=', asset.name);
  const uploads = (on: Kysely<Tables>, asset: AssetName) =>
    on
      .selectFrom('asset_uploads')
      .selectAll()
      .where('project', '=', asset.project)
      .where('kind', '=', asset.kind)
      .where('name', '=', asset.name)
      .where('version', '=', asset.version);
  const dropUpload = (on: Kysely<Tables>, upload: StoredUpload) =>
    on
      .deleteFrom('asset_uploads')
      .where('project', '=', upload.project)
      .where('kind', '=', upload.kind)
      .where('name', '=', upload.name)
      .where('version', '=', upload.version)
      .where('id', '=', upload.id)
      .executeTakeFirst();
  const doom = (on: Kysely<Tables>, project: string, place: Place) =>
    on
      .insertInto('doomed_containers')
      .values({ project, ...place })
      .onConflict((conflict) => conflict.doNothing())
      .execute();

  return {
    async find(asset: AssetName): Promise<StoredAsset | undefined> {
      const row = await versions(db, asset).where('version', '=', asset.version).executeTakeFirst();
      return row && toAsset(row);
    },

    /** The latest version of each name, by name. */
    async listLatest(project: string, kind: AssetKind, behind: string | null, most: number) {
      let query = db
        .selectFrom('assets')
        .selectAll()
        .where('project', '=', project)
        .where('kind', '=', kind)
        .where('latest', '=', 1)
        .orderBy('name')
        .limit(most);
      if (behind !== null) query = query.where('name', '>', behind);
      return (await query.execute()).map(toAsset);
    },

    /** The versions of a name, the newest first; `behind` is when the last one seen was made. */
    async listVersions(asset: Omit<AssetName, 'version'>, behind: string | null, most: number) {
      let query = versions(db, asset).orderBy('made', 'desc').limit(most);
      if (behind !== null) query = query.where('made', '<', behind);
      return (await query.execute()).map(toAsset);
    },

    /** Whether it was made; false when the version is there already. What was uploaded for it becomes its own. */
    add: (asset: AssetName, content: object, upload: StoredUpload | null): Promise<boolean> =>
      inTransaction(async (trx) => {
        const there = await versions(trx, asset).where('version', '=', asset.version).executeTakeFirst();
        if (there !== undefined) return false;
        await requireRoom(budget, trx, [asset.project]);
        if (upload !== null && (await dropUpload(trx, upload)).numDeletedRows === 0n) return false;
        await setLatest(trx, asset, 0).where('latest', '=', 1).execute();
        const { project, kind, name, version } = asset;
        await trx
          .insertInto('assets')
          .values({
            project,
            kind,
            name,
            version,
            made: newId('asset'),
            latest: 1,
            storage: upload?.place.storage ?? null,
            container: upload?.place.container ?? null,
            content: JSON.stringify(content),
          })
          .execute();
        return true;
      }),

    /** Changes the content by `change`; undefined when there is no such version. */
    change: <T extends object>(
      asset: AssetName,
      change: (found: StoredAsset) => T,
    ): Promise<StoredAsset | undefined> =>
      inTransaction(async (trx) => {
        const row = await versions(trx, asset).where('version', '=', asset.version).executeTakeFirst();
        if (row === undefined) return undefined;
        const content = JSON.stringify(change(toAsset(row)));
        await setLatest(trx, asset, row.latest)
          .set({ content })
          .where('version', '=', asset.version)
          .execute();
        return toAsset({ ...row, content });
      }),

    /** The content that is to be deleted then; null for none. */
    remove: (asset: AssetName): Promise<DoomedContainer | null> =>
      inTransaction(async (trx) => {
        const row = await versions(trx, asset).where('version', '=', asset.version).executeTakeFirst();
        if (row === undefined) return null;
        const { project, kind, name, version, latest } = row;
        await trx
          .deleteFrom('assets')
          .where('project', '=', project)
          .where('kind', '=', kind)
          .where('name', '=', name)
          .where('version', '=', version)
          .execute();
        const next = latest
          ? await versions(trx, asset).orderBy('made', 'desc').limit(1).executeTakeFirst()
          : undefined;
        if (next !== undefined) {
          await setLatest(trx, asset, 1).where('version', '=', next.version).execute();
        }
        const { place } = toAsset(row);
        if (place === null) return null;
        const { container } = place;
        // A fork of the project goes on with it.
        const other = await trx
          .selectFrom('assets')
          .select('container')
          .where('container', '=', container)
          .executeTakeFirst();
        if (other !== undefined) return null;
        await doom(trx, project, place);
        return { project, ...place };
      }),

    /**
     * The upload of this id, or the newest without one; else a new one, unless there are too many. `container` and
     * `storage` are for a new one.
     */
    startUpload: (
      asset: AssetName,
      given: { id: string | null; newId: string; place: Place; now: number },
    ): Promise<StoredUpload | 'full'> =>
      inTransaction(async (trx) => {
        let query = uploads(trx, asset).orderBy('made', 'desc').limit(1);
        if (given.id !== null) query = query.where('id', '=', given.id);
        const there = await query.executeTakeFirst();
        if (there !== undefined) {
          await trx
            .updateTable('asset_uploads')
            .set({ used_at: given.now })
            .where('container', '=', there.container)
            .execute();
          return toUpload(there);
        }
        const { count } = await trx
          .selectFrom('asset_uploads')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .where('project', '=', asset.project)
          .executeTakeFirstOrThrow();
        if (Number(count) >= mostUploads) return 'full';
        const { project, kind, name, version } = asset;
        const row: UploadRow = {
          project,
          kind,
          name,
          version,
          id: given.id ?? given.newId,
          made: newId('upload'),
          used_at: given.now,
          ...given.place,
        };
        await trx.insertInto('asset_uploads').values(row).execute();
        return toUpload(row);
      }),

    uploads: async (asset: AssetName): Promise<StoredUpload[]> =>
      (await uploads(db, asset).orderBy('made', 'desc').limit(mostUploads).execute()).map(toUpload),

    /** Gives up uploads that nobody has asked for since `before`, in Unix seconds; answers how many. */
    abandon: (before: number, most: number): Promise<number> =>
      inTransaction(async (trx) => {
        const rows = await trx
          .selectFrom('asset_uploads')
          .selectAll()
          .where('used_at', '<', before)
          .limit(most)
          .execute();
        for (const upload of rows.map(toUpload)) {
          await dropUpload(trx, upload);
          await doom(trx, upload.project, upload.place);
        }
        return rows.length;
      }),

    ownContainers: async (project: string): Promise<string[]> => {
      const rows = await db
        .selectFrom('assets')
        .select('container')
        .$narrowType<{ container: string }>()
        .where('project', '=', project)
        .where('storage', 'is', null)
        .where('container', 'is not', null)
        .execute();
      return rows.map(({ container }) => container);
    },

    /**
     * Of a project that goes: what lies in the server's own storage and no other has is to be deleted. What lies
     * elsewhere stays, since the connections that lead there go, too.
     */
    async doomAll(project: string, on: Database): Promise<void> {
      const trx = on.withTables<Tables>();
      await trx
        .deleteFrom('doomed_containers')
        .where('project', '=', project)
        .where('storage', 'is not', null)
        .execute();
      for (const table of ['assets', 'asset_uploads']) {
        await sql`insert into doomed_containers (container, project, storage) select container, project, storage from ${sql.table(
          table,
        )} as own where project = ${project} and storage is null and container is not null and not exists (select 1 from assets other where other.container = own.container and other.project != ${project}) on conflict do nothing`.execute(
          on,
        );
      }
    },

    /** Containers that are to be deleted, and those of uploads that nobody has asked for since `before`. */
    async countDoomed(before: number): Promise<number> {
      const { doomed } = await db
        .selectFrom('doomed_containers')
        .select(({ fn }) => fn.countAll<number>().as('doomed'))
        .executeTakeFirstOrThrow();
      const { abandoned } = await db
        .selectFrom('asset_uploads')
        .select(({ fn }) => fn.countAll<number>().as('abandoned'))
        .where('used_at', '<', before)
        .executeTakeFirstOrThrow();
      return Number(doomed) + Number(abandoned);
    },

    /** Whether a container of the server's own storage belongs to anything. */
    async isKnown(container: string): Promise<boolean> {
      for (const table of ['assets', 'asset_uploads', 'doomed_containers'] as const) {
        const row = await db
          .selectFrom(table)
          .select('container')
          .where('container', '=', container)
          .where('storage', 'is', null)
          .executeTakeFirst();
        if (row !== undefined) return true;
      }
      return false;
    },

    /** Containers that are to be deleted, by name. */
    doomed: (behind: string, most: number): Promise<DoomedContainer[]> =>
      db
        .selectFrom('doomed_containers')
        .selectAll()
        .where('container', '>', behind)
        .orderBy('container')
        .limit(most)
        .execute(),

    /** A container that is deleted unless something names it in time. */
    async doom(project: string, place: Place): Promise<void> {
      await doom(db, project, place);
    },

    async forget(container: string, on: Database = database): Promise<void> {
      await on
        .withTables<Tables>()
        .deleteFrom('doomed_containers')
        .where('container', '=', container)
        .execute();
    },
  };
}

const toAsset = ({ storage, container, content, latest: _, ...row }: AssetRow): StoredAsset => ({
  ...row,
  place: container === null ? null : { storage, container },
  content: JSON.parse(content),
});

const toUpload = ({ storage, container, made: _, used_at: __, ...row }: UploadRow): StoredUpload => ({
  ...row,
  place: { storage, container },
});
