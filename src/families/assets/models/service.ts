import { invalidPayload, missingParameter } from '../../../errors.ts';
import { mergePatch } from '../../../kit/merge-patch.ts';
import { Answer, type Handlers } from '../../../kit/operation.ts';
import { type AssetName, assetNotFound, type Changeable, changed, checkPath } from '../asset-shapes.ts';
import { exists, type Shelf } from '../shelf.ts';
import type { AssetStore, Place, StoredAsset } from '../store.ts';
import { assetVersions } from '../versions.ts';
import { type ArtifactProfile, artifactProfile, artifactWarnings } from './artifact-profile.ts';
import { type LoraConfig, lasting, type NewModel, type operations } from './contract.ts';

type Particulars = Pick<NewModel, 'weightType' | 'baseModel' | 'source' | 'loraConfig'>;

interface Content extends Changeable, Particulars {
  /** Its folder in the container; empty for the whole. */
  blob: string;
  /** Where it is; null in the server's own storage, where that depends on who asks. */
  blobUri: string | null;
  artifactProfile: ArtifactProfile;
}

const mostFiles = 10_000;
const adapterConfigBytes = 1_048_576;

export function modelsService(store: AssetStore, shelf: Shelf): Handlers<typeof operations> {
  const contentOf = ({ content }: StoredAsset) => content as unknown as Content;
  const placeOf = ({ place }: StoredAsset): Place => {
    if (place === null) throw new Error('a registered model without files');
    return place;
  };
  const { named, wireForm, required, handlers } = assetVersions(store, 'models', (ctx, asset) => {
    const { blob, ...content } = contentOf(asset);
    return {
      ...content,
      blobUri: content.blobUri ?? shelf.ownUrl(ctx, placeOf(asset), blob),
      warnings: artifactWarnings(content.artifactProfile),
    };
  });

  /** What was uploaded, looked at: the new version is there, whole, when this is done. */
  async function register(asset: AssetName, body: NewModel): Promise<void> {
    const found = await shelf.findUpload(asset, body.blobUri);
    if (typeof found === 'string') {
      throw invalidPayload(
        'blobUri',
        'blobUri must be the address of files that were uploaded for this version. Start the upload with startPendingUpload.',
      );
    }
    const { upload, blob } = found;
    const folder = blob === '' ? '' : `${blob}/`;
    const files = (await shelf.list(asset.project, upload.place, mostFiles, folder)).map(({ name }) => name);
    if (files.length === 0) throw invalidPayload('blobUri', 'No file was uploaded to this address yet.');
    const { weightType, baseModel, source, loraConfig } = body;
    const particulars = mergePatch({}, { weightType, baseModel, source, loraConfig }) as Particulars;
    if (weightType === 'LoRA') {
      const read = await adapterConfig(asset.project, upload.place, `${folder}adapter_config.json`);
      const merged = { ...read, ...particulars.loraConfig };
      if (Object.keys(merged).length === 0) {
        throw missingParameter(
          'loraConfig',
          "With weightType 'LoRA' loraConfig is needed, or an adapter_config.json among the files.",
        );
      }
      particulars.loraConfig = merged;
    }
    const blobUri = await shelf.fixedUrl(asset.project, upload.place, blob);
    const content: Content = { ...particulars, blob, blobUri, artifactProfile: artifactProfile(files) };
    if (!(await store.add(asset, changed(content, body), upload))) throw exists(asset);
  }

  async function adapterConfig(project: string, place: Place, file: string): Promise<LoraConfig> {
    const bytes = await shelf.read(project, place, file, adapterConfigBytes);
    if (bytes === null) return {};
    try {
      return fromAdapterConfig(JSON.parse(Buffer.from(bytes).toString()));
    } catch {
      return {};
    }
  }

  return {
    ...handlers,

    async update(ctx, { params, body }) {
      const asset = named(ctx, params);
      const refused = lasting.find((field) => field in body);
      if (refused !== undefined) {
        throw invalidPayload(refused, `'${refused}' can't be changed; register another version.`);
      }
      const after = await store.change(asset, (found) => changed(contentOf(found), body));
      if (after === undefined) throw assetNotFound(asset);
      return wireForm(ctx, after);
    },

    async delete(ctx, { params }) {
      const doomed = await store.remove(named(ctx, params));
      if (doomed !== null) await shelf.remove(doomed);
      return undefined;
    },

    async pendingUpload(ctx, { params, body }) {
      const started = await shelf.start(ctx, named(ctx, params), body);
      return { ...started, pendingUploadType: 'TemporaryBlobReference' as const };
    },

    async pendingCreateVersion(ctx, { params, body }) {
      const asset = named(ctx, params);
      checkPath(asset, body);
      if ((await store.find(asset)) !== undefined) throw exists(asset);
      await register(asset, body);
      const path = [asset.name, 'versions', asset.version].map(encodeURIComponent).join('/');
      const location = `${ctx.projectUrl}/models/${path}?api-version=${ctx.apiVersion}`;
      return new Answer(202, { location, operationResult: location }, { location });
    },

    async getCredentials(ctx, { params, body }) {
      const asset = await required(named(ctx, params));
      const place = placeOf(asset);
      if (!(await shelf.isWithin(ctx.project, place, body.blobUri))) {
        throw invalidPayload(
          'blobUri',
          'blobUri must be the blobUri of this version, or an address below it.',
        );
      }
      const { blob, blobUri } = contentOf(asset);
      const uri = blobUri ?? shelf.ownUrl(ctx, place, blob);
      const blobReference = await shelf.reference(ctx, place, 'read', uri);
      return new Answer(200, { blobReference }, { 'cache-control': 'no-store' });
    },
  };
}

/** What PEFT writes beside an adapter. */
function fromAdapterConfig(config: Record<string, unknown>): LoraConfig {
  const { r, lora_alpha: alpha, lora_dropout: dropout, target_modules: modules } = config;
  return {
    ...(isPositive(r) ? { rank: r } : {}),
    ...(isPositive(alpha) ? { alpha } : {}),
    ...(typeof dropout === 'number' ? { dropout } : {}),
    ...(Array.isArray(modules) && modules.every((one) => typeof one === 'string')
      ? { targetModules: modules.slice(0, 1000) }
      : {}),
  };
}

const isPositive = (value: unknown): value is number => Number.isInteger(value) && (value as number) > 0;
