import { conflict, invalidPayload, missingParameter } from '../../../errors.ts';
import type { Context } from '../../../kit/context.ts';
import { Answer, type Handlers } from '../../../kit/operation.ts';
import { type AssetName, type Changeable, changed, checkPath } from '../asset-shapes.ts';
import { exists, type Shelf } from '../shelf.ts';
import type { AssetStore, StoredAsset, StoredUpload } from '../store.ts';
import { assetVersions } from '../versions.ts';
import { withoutSignature } from '../without-signature.ts';
import type { operations, SetDataset } from './contract.ts';

type Type = 'uri_file' | 'uri_folder';

interface Content extends Changeable {
  type: Type;
  /** Of data that was uploaded: its place in the container. */
  blob?: string;
  /** Where it is; of what lies in the server's own storage that depends on who asks. */
  dataUri?: string;
  connectionName?: string;
}

export function datasetsService(store: AssetStore, shelf: Shelf): Handlers<typeof operations> {
  const contentOf = ({ content }: StoredAsset) => content as unknown as Content;
  const uriOf = (ctx: Context, asset: StoredAsset): string => {
    const { blob = '', dataUri = '' } = contentOf(asset);
    return dataUri === '' && asset.place !== null ? shelf.ownUrl(ctx, asset.place, blob) : dataUri;
  };
  const { named, wireForm, required, handlers } = assetVersions(store, 'datasets', (ctx, asset) => {
    const { type, connectionName } = contentOf(asset);
    return {
      type,
      dataUri: uriOf(ctx, asset),
      isReference: asset.place === null,
      ...(connectionName === undefined ? {} : { connectionName }),
    };
  });

  /** What cannot be changed may be sent again as it is. */
  async function refuseChange(ctx: Context, asset: StoredAsset, body: SetDataset): Promise<void> {
    const { type, blob = '', dataUri, connectionName } = contentOf(asset);
    if (body.type != null && body.type !== type) throw unchangeable('type', asset);
    if (body.connectionName != null && body.connectionName !== connectionName) {
      throw unchangeable('connectionName', asset);
    }
    if (body.dataUri == null) return;
    const isSame =
      asset.place === null
        ? withoutSignature(body.dataUri) === dataUri
        : await shelf.leadsTo(ctx.project, asset.place, blob, body.dataUri);
    if (!isSame) throw unchangeable('dataUri', asset);
  }

  async function checkUpload(
    asset: AssetName,
    type: Type,
    upload: StoredUpload,
    blob: string,
  ): Promise<void> {
    const { project } = asset;
    if (type === 'uri_file' && blob === '') {
      throw invalidPayload('dataUri', "With type 'uri_file' dataUri must name the blob that was uploaded.");
    }
    const isThere =
      type === 'uri_file'
        ? (await shelf.size(project, upload.place, blob)) !== null
        : (await shelf.list(project, upload.place, 1, blob === '' ? '' : `${blob}/`)).length > 0;
    if (!isThere) throw invalidPayload('dataUri', 'Nothing was uploaded to this address yet.');
  }

  async function make(asset: AssetName, body: SetDataset): Promise<boolean> {
    const { type, dataUri, connectionName } = body;
    if (type == null) throw missingParameter('type');
    if (dataUri == null) throw missingParameter('dataUri');
    const content = changed<Content>({ type, ...(connectionName == null ? {} : { connectionName }) }, body);
    const found = await shelf.findUpload(asset, dataUri);
    if (typeof found !== 'string') {
      await checkUpload(asset, type, found.upload, found.blob);
      const { upload, blob } = found;
      const uri = await shelf.fixedUrl(asset.project, upload.place, blob);
      return store.add(asset, { ...content, blob, ...(uri === null ? {} : { dataUri: uri }) }, upload);
    }
    shelf.refuseOwn(dataUri, 'dataUri');
    if (connectionName == null) {
      throw missingParameter(
        'connectionName',
        "Data that was not uploaded with startPendingUpload needs 'connectionName', the connection to its storage.",
      );
    }
    await shelf.checkConnection(asset.project, connectionName);
    return store.add(asset, { ...content, dataUri: withoutSignature(dataUri) }, null);
  }

  return {
    ...handlers,

    async createOrUpdate(ctx, { params, body }) {
      const asset = named(ctx, params);
      checkPath(asset, body);
      const there = await store.find(asset);
      if (there === undefined) {
        if (!(await make(asset, body))) throw exists(asset);
        return new Answer(201, wireForm(ctx, await required(asset)));
      }
      await refuseChange(ctx, there, body);
      const after = await store.change(asset, (found) => changed(contentOf(found), body));
      return after === undefined ? wireForm(ctx, await required(asset)) : wireForm(ctx, after);
    },

    async delete(ctx, { params }) {
      const doomed = await store.remove(named(ctx, params));
      if (doomed !== null) await shelf.remove(doomed);
      return undefined;
    },

    async pendingUpload(ctx, { params, body }) {
      const started = await shelf.start(ctx, named(ctx, params), body);
      return { ...started, pendingUploadType: 'BlobReference' as const };
    },

    async getCredentials(ctx, { params }) {
      const asset = await required(named(ctx, params));
      const uri = uriOf(ctx, asset);
      const place =
        asset.place ?? (await shelf.locate(ctx.project, contentOf(asset).connectionName ?? '', uri));
      if (place === null) {
        throw conflict(
          'The data is not in the account of its connection, so that this server can give no credentials for it.',
        );
      }
      const blobReference = await shelf.reference(ctx, place, 'read', uri);
      return new Answer(200, { blobReference }, { 'cache-control': 'no-store' });
    },
  };
}

const unchangeable = (target: string, { name, version }: StoredAsset) =>
  conflict(
    `'${target}' of version '${version}' of dataset '${name}' is set for good. Make another version.`,
    target,
  );
