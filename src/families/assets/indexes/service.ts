import { isDeepStrictEqual } from 'node:util';
import { ApiError, conflict, invalidPayload } from '../../../errors.ts';
import { mergePatch } from '../../../kit/merge-patch.ts';
import { Answer, type Handlers } from '../../../kit/operation.ts';
import { validator } from '../../../kit/validation.ts';
import type { ToolConnections } from '../../../providers/tools/connections.ts';
import type { SearchedStores } from '../../../providers/tools/file-search/searched-stores.ts';
import { requiredConnection } from '../../../providers/tools/required-connection.ts';
import { type Changeable, changed, checkPath } from '../asset-shapes.ts';
import { exists } from '../shelf.ts';
import type { AssetStore, StoredAsset } from '../store.ts';
import { assetVersions } from '../versions.ts';
import { connectionTypeOf, definingFields, type IndexType, NewIndex, type operations } from './contract.ts';

interface Content extends Changeable {
  type: IndexType;
  connectionName?: string;
  vectorStoreId?: string;
}

/** What an index may lead to. */
export interface IndexedPlaces {
  connections: ToolConnections;
  /** Null where there are no vector stores. */
  vectorStores: Pick<SearchedStores, 'require'> | null;
}

const checkNew = validator(NewIndex, 'body');

export function indexesService(
  store: AssetStore,
  { connections, vectorStores }: IndexedPlaces,
): Handlers<typeof operations> {
  const contentOf = ({ content }: StoredAsset) => content as unknown as Content;
  const { named, wireForm, required, handlers } = assetVersions(store, 'indexes', (_ctx, asset) =>
    contentOf(asset),
  );

  async function checkConnection(project: string, { type, connectionName }: Content): Promise<void> {
    const wanted = connectionTypeOf[type];
    if (wanted === null || connectionName === undefined) return;
    const connection = await requiredConnection(connections, project, connectionName, 'connectionName');
    if (connection.type === wanted) return;
    throw invalidPayload(
      'connectionName',
      `Connection '${connection.name}' is of type ${connection.type}; an index of type ${type} needs one of type ${wanted}.`,
    );
  }

  async function checkVectorStore(project: string, id: string): Promise<void> {
    try {
      await vectorStores?.require(project, [id], () => 'vectorStoreId');
      if (vectorStores !== null) return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 404) throw error;
    }
    throw invalidPayload(
      'vectorStoreId',
      `No vector store '${id.slice(0, 128)}' exists in project '${project}'. Create it first, with POST /openai/v1/vector_stores.`,
    );
  }

  return {
    ...handlers,

    async createOrUpdate(ctx, { params, body }) {
      const asset = named(ctx, params);
      checkPath(asset, body);
      const definition = pick(mergePatch({}, body) as Record<string, unknown>);
      const after = await store.change(asset, (found) => {
        refuseChange(found, definition);
        return changed(contentOf(found), body);
      });
      if (after !== undefined) return wireForm(ctx, after);
      checkNew(definition);
      const content = changed(definition as unknown as Content, body);
      await checkConnection(ctx.project, content);
      if (content.vectorStoreId !== undefined) await checkVectorStore(ctx.project, content.vectorStoreId);
      if (!(await store.add(asset, content, null))) throw exists(asset);
      return new Answer(201, wireForm(ctx, await required(asset)));
    },

    async delete(ctx, { params }) {
      await store.remove(named(ctx, params));
      return undefined;
    },
  };
}

const pick = (body: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries(definingFields.filter((key) => body[key] !== undefined).map((key) => [key, body[key]]));

/** What cannot be changed may be sent again as it is. */
function refuseChange({ name, version, content }: StoredAsset, definition: Record<string, unknown>): void {
  for (const [key, value] of Object.entries(definition)) {
    if (isDeepStrictEqual(mergePatch({}, content[key]), value)) continue;
    throw conflict(
      `'${key}' of version '${version}' of index '${name}' is set for good. Make another version.`,
      key,
    );
  }
}
