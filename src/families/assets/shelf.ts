import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { conflict, invalidPayload } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { recurring } from '../../kit/recurring.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { BlobPlace, BlobRights, StoredBlob } from '../../providers/blobs/blobs.ts';
import type { StorageAccounts } from '../../providers/blobs/storage-accounts.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { Database } from '../../storage/database.ts';
import { type AssetName, assetId, type BlobReference } from './asset-shapes.ts';
import type { AssetStore, DoomedContainer, Place, StoredUpload } from './store.ts';

export interface ShelfOptions {
  store: AssetStore;
  accounts: StorageAccounts;
  /** After how many seconds an upload that nobody asks for is given up. */
  abandonedSeconds: number;
  log: Pick<ModelLog, 'warn'>;
}

/** Where the content of assets lies: containers of their own, filled by clients before the asset is made. */
export type Shelf = ReturnType<typeof createShelf>;

const sweepMilliseconds = 3_600_000;
const closeMilliseconds = 2000;
const atOnce = 100;

export function createShelf({ store, accounts, abandonedSeconds, log }: ShelfOptions) {
  let closed = false;
  /** Containers that an import is filling, and no row names yet. */
  const importing = new Set<string>();
  const blobsAt = async (project: string, { storage }: Pick<Place, 'storage'>) =>
    (await accounts.of(project, storage, 'connectionName')).blobs;
  const originOf = ({ projectUrl }: Context): string => new URL(projectUrl).origin;

  async function reference(
    ctx: Context,
    place: Place,
    rights: BlobRights,
    uri?: string,
  ): Promise<BlobReference> {
    const blobs = await blobsAt(ctx.project, place);
    return {
      blobUri: uri ?? blobs.url(originOf(ctx), place.container),
      storageAccountArmId: blobs.accountId,
      credential: { type: 'SAS', sasUri: await blobs.signedUrl(originOf(ctx), place.container, rights) },
    };
  }

  /** Deletes the content of what was deleted; what fails is tried again later. */
  async function remove({ project, container, storage }: DoomedContainer): Promise<void> {
    try {
      await (await blobsAt(project, { storage })).deleteContainer(container);
      await store.forget(container);
    } catch (error) {
      log.warn(
        { err: error, container },
        'the content of a deleted asset could not be deleted; it is tried again',
      );
    }
  }

  /** Gives up abandoned uploads, and deletes what is left to delete. */
  async function sweep(): Promise<void> {
    while ((await store.abandon(unixSeconds() - abandonedSeconds, atOnce)) === atOnce);
    let behind = '';
    for (;;) {
      const doomed = await store.doomed(behind, atOnce);
      // Asked at once: an import that ends meanwhile has rows that name them.
      for (const one of doomed.filter(({ container }) => !importing.has(container))) {
        if (closed) return;
        await remove(one);
      }
      const last = doomed.at(-1);
      if (last === undefined) return;
      behind = last.container;
    }
  }

  const sweeping = recurring(sweepMilliseconds, sweep, (error) =>
    log.warn({ err: error }, 'the content of deleted assets could not be looked for'),
  );

  return {
    reference,

    /** Containers for one import. Until its rows are written they are noted as ones to delete: a kill leaves none. */
    startImport(project: string) {
      const made: string[] = [];
      const end = (): void => {
        for (const container of made) importing.delete(container);
      };
      return {
        async container(): Promise<string> {
          const container = `bloomery-${randomUUID()}`;
          made.push(container);
          importing.add(container);
          await store.doom(project, { storage: null, container });
          await accounts.own.createContainer(container);
          return container;
        },
        async written(on: Database): Promise<void> {
          for (const container of made) await store.forget(container, on);
          end();
        },
        async discard(): Promise<void> {
          end();
          for (const container of made) await remove({ project, storage: null, container });
        },
      };
    },

    /** A new upload for a version that isn't there yet, or the one that was started before. */
    async start(
      ctx: Context,
      asset: AssetName,
      {
        pendingUploadId,
        connectionName,
      }: { pendingUploadId?: string | null; connectionName?: string | null },
    ) {
      if ((await store.find(asset)) !== undefined) throw exists(asset);
      const { storage } = await accounts.of(ctx.project, connectionName ?? null, 'connectionName');
      const upload = await store.startUpload(asset, {
        id: pendingUploadId ?? null,
        newId: randomUUID(),
        place: { storage, container: `bloomery-${randomUUID()}` },
        now: unixSeconds(),
      });
      if (upload === 'full') {
        throw conflict(
          'Too many uploads were started and not finished. Finish them, or wait until they are given up.',
        );
      }
      if (upload.place.storage !== storage && connectionName != null) {
        throw conflict(
          'The upload of this version was started with another connection. Give it a pendingUploadId of its own.',
          'connectionName',
        );
      }
      const blobs = await blobsAt(ctx.project, upload.place);
      await blobs.createContainer(upload.place.container);
      return {
        pendingUploadId: upload.id,
        version: asset.version,
        blobReference: await reference(ctx, upload.place, 'fill'),
      };
    },

    /** The upload for a version whose container an address leads to, or whether there are any others. */
    async findUpload(
      asset: AssetName,
      uri: string,
    ): Promise<{ upload: StoredUpload; blob: string } | 'elsewhere' | 'none'> {
      const uploads = await store.uploads(asset);
      for (const upload of uploads) {
        const found = (await blobsAt(asset.project, upload.place)).locate(uri);
        if (found?.container === upload.place.container) return { upload, blob: found.blob };
      }
      return uploads.length === 0 ? 'none' : 'elsewhere';
    },

    list: async (project: string, place: Place, most: number, from?: string): Promise<StoredBlob[]> =>
      (await blobsAt(project, place)).list(place.container, most, from),

    size: async (project: string, place: Place, blob: string): Promise<number | null> =>
      (await blobsAt(project, place)).size(place.container, blob),

    read: async (project: string, place: Place, blob: string, most: number): Promise<Uint8Array | null> =>
      (await blobsAt(project, place)).read(place.container, blob, most),

    /**
     * The address of the content; null for one in the server's own storage, which changes with the address that the
     * server is called by.
     */
    fixedUrl: async (project: string, place: Place, blob: string): Promise<string | null> =>
      place.storage === null ? null : (await blobsAt(project, place)).url('', place.container, blob),

    /** The address of content in the server's own storage, as the caller reaches it. */
    ownUrl: (ctx: Context, { container }: Place, blob: string): string =>
      accounts.own.url(originOf(ctx), container, blob),

    /** Where in the account behind a connection an address leads; null for elsewhere, and for the server's own. */
    async locate(project: string, connection: string, uri: string): Promise<(Place & BlobPlace) | null> {
      const { blobs, storage } = await accounts.of(project, connection, 'connectionName');
      const found = blobs.locate(uri);
      return found === null || storage === null ? null : { ...found, storage };
    },

    /** Whether an address leads to this blob. */
    async leadsTo(project: string, place: Place, blob: string, uri: string): Promise<boolean> {
      const found = (await blobsAt(project, place)).locate(uri);
      return found?.container === place.container && found.blob === blob;
    },

    async isWithin(project: string, place: Place, uri: string): Promise<boolean> {
      return (await blobsAt(project, place)).locate(uri)?.container === place.container;
    },

    /** Throws about `connectionName` unless it is a connection to storage. */
    async checkConnection(project: string, connection: string): Promise<void> {
      await accounts.check(project, connection, 'connectionName');
    },

    /** Refuses an address in the server's own storage, of which only uploads are handed out. */
    refuseOwn(uri: string, target: string): void {
      if (accounts.own.locate(uri) === null) return;
      throw invalidPayload(
        target,
        `'${target}' is an address in this server's storage, but not of an upload for this version. Start one with startPendingUpload.`,
      );
    },

    remove,
    sweep,

    /** Gives up abandoned uploads and deletes what is left over, now and from time to time. */
    startSweeping: (): void => sweeping.start(),

    async close(): Promise<void> {
      closed = true;
      // An account that does not answer is no reason to stay.
      await Promise.race([sweeping.close(), pause(closeMilliseconds, undefined, { ref: false })]);
    },
  };
}

export const exists = (asset: AssetName) =>
  conflict(`${assetId(asset)} exists already. Choose another version, or delete it first.`, 'version');
