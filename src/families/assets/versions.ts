import { readAzurePage } from '../../kit/azure-page.ts';
import type { Context } from '../../kit/context.ts';
import { type AssetKind, type AssetName, assetId, assetNotFound, type Changeable } from './asset-shapes.ts';
import type { AssetStore, StoredAsset } from './store.ts';

type Query = { skipToken?: string };

/** What reads the same of all kinds of assets. `show` gives what is particular to the kind. */
export function assetVersions<T extends object>(
  store: AssetStore,
  kind: AssetKind,
  show: (ctx: Context, asset: StoredAsset) => T,
) {
  const named = (ctx: Context, params: { name: string; version: string }): AssetName => ({
    project: ctx.project,
    kind,
    ...params,
  });
  const wireForm = (ctx: Context, asset: StoredAsset) => {
    const { description, tags } = asset.content as Changeable;
    return {
      ...show(ctx, asset),
      id: assetId(asset),
      name: asset.name,
      version: asset.version,
      ...(description === undefined ? {} : { description }),
      ...(tags === undefined ? {} : { tags }),
    };
  };
  const elements = (ctx: Context, found: StoredAsset[], key: 'name' | 'made') =>
    found.map((asset) => ({ key: asset[key], value: wireForm(ctx, asset) }));

  return {
    named,
    wireForm,

    async required(asset: AssetName): Promise<StoredAsset> {
      const found = await store.find(asset);
      if (found === undefined) throw assetNotFound(asset);
      return found;
    },

    handlers: {
      list: (ctx: Context, { query }: { query: Query }) =>
        readAzurePage(ctx, `/${kind}`, query, async (behind, most) =>
          elements(ctx, await store.listLatest(ctx.project, kind, behind, most), 'name'),
        ),

      listVersions: (ctx: Context, { params: { name }, query }: { params: { name: string }; query: Query }) =>
        readAzurePage(ctx, `/${kind}/${encodeURIComponent(name)}/versions`, query, async (behind, most) =>
          elements(ctx, await store.listVersions({ project: ctx.project, kind, name }, behind, most), 'made'),
        ),

      async get(ctx: Context, { params }: { params: { name: string; version: string } }) {
        const asset = named(ctx, params);
        const found = await store.find(asset);
        if (found === undefined) throw assetNotFound(asset);
        return wireForm(ctx, found);
      },
    },
  };
}
