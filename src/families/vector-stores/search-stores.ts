import { apiError, conflict, notFound, unsupportedParameter } from '../../errors.ts';
import { unixSeconds } from '../../kit/time.ts';
import type { ModelCaller } from '../../providers/models/caller.ts';
import type { SearchHit, SearchIndex } from '../../providers/search/search-index.ts';
import type {
  FoundText,
  SearchedStores,
  StoreSearch,
} from '../../providers/tools/file-search/searched-stores.ts';
import { collectionOf } from './collections.ts';
import type { Embed } from './embed.ts';
import { type FileRows, shownKey } from './file-rows.ts';
import { isExpired, type StoreRow, type StoreRows } from './store-rows.ts';

export interface StoreSearchParts {
  stores: StoreRows;
  files: FileRows;
  index: SearchIndex;
  embed: Embed;
  hasDeployment(name: string): boolean;
}

/** Uses of a store are noted so often at most, in seconds. */
const noteSeconds = 60;
/** So often at most it is searched for more, in place of hits that may not be shown. */
const mostRounds = 4;

export function searchedStores(parts: StoreSearchParts): SearchedStores {
  const { stores, embed } = parts;

  const require = async (
    project: string,
    ids: readonly string[],
    place: (at: number) => string,
  ): Promise<StoreRow[]> => {
    const rows = new Map((await stores.findAll(project, ids)).map((row) => [row.id, row]));
    const now = unixSeconds();
    return ids.map((id, at) => {
      const row = rows.get(id);
      if (row === undefined) throw notFound('vector store', id.slice(0, 128), place(at));
      if (isExpired(row, now)) throw expired(id, place(at));
      return row;
    });
  };

  const vectorsFor = (
    caller: ModelCaller,
    embeddings: string,
    { queries, weights }: StoreSearch,
    signal: AbortSignal,
  ) => {
    if (embeddings === '' || weights.embedding === 0) return null;
    if (!parts.hasDeployment(embeddings)) throw embeddingsGone(embeddings);
    return embed(caller, embeddings, queries, signal);
  };

  return {
    require: async (...given) => void (await require(...given)),
    async search(caller, ids, request, signal) {
      const { project } = caller;
      const found = await require(project, [...new Set(ids)], () => 'vector_store_id');
      const groups = Map.groupBy(found, ({ embeddings }) => embeddings);
      const hits: SearchHit[] = [];
      for (const [embeddings, group] of groups) {
        refuseEmptySearch(embeddings, request);
        const vectors = await vectorsFor(caller, embeddings, request, signal);
        const queries = request.queries.map((text, at) => ({ text, vector: vectors?.[at] ?? null }));
        hits.push(...(await shownHits(parts, project, group, { ...request, queries }, signal)));
      }
      const now = unixSeconds();
      for (const row of found) {
        if (row.last_active_at + noteSeconds <= now) await stores.touch(row, now);
      }
      return best(hits, request.limit);
    },
  };
}

/** Hits of files that are whole and attached; the index may be a step ahead or behind. */
async function shownHits(
  { index, files }: StoreSearchParts,
  project: string,
  stores: StoreRow[],
  query: Parameters<SearchIndex['search']>[1],
  signal: AbortSignal,
): Promise<SearchHit[]> {
  const collections = stores.map(collectionOf);
  const storeIds = stores.map(({ id }) => id);
  let { limit } = query;
  for (let round = 1; ; round++) {
    const hits = await index.search(collections, { ...query, limit }, signal);
    const shown = await files.shown(project, storeIds, [...new Set(hits.map(({ file }) => file.id))]);
    const kept = hits.filter(({ collection, file }) => shown.has(shownKey(collection, file.id)));
    if (kept.length >= query.limit || hits.length < limit || round === mostRounds) return kept;
    limit *= 2;
  }
}

/** The same chunk of the same file counts once, in however many stores it is. */
function best(hits: readonly SearchHit[], limit: number): FoundText[] {
  const seen = new Set<string>();
  const sorted = [...hits].sort((a, b) => b.score - a.score);
  const once = sorted.filter(({ file, text }) => {
    const key = `${file.id} ${text}`;
    return seen.has(key) ? false : seen.add(key);
  });
  return once.slice(0, limit).map(({ file, text, score }) => ({
    fileId: file.id,
    filename: file.filename,
    attributes: file.attributes,
    text,
    score,
  }));
}

/** Without embeddings only the words are left to find anything by. */
function refuseEmptySearch(embeddings: string, { weights }: StoreSearch): void {
  if (embeddings !== '' || weights.text > 0) return;
  throw unsupportedParameter(
    'ranking_options',
    'This vector store has no embeddings, so it is searched by words only; give the text some weight.',
  );
}

const embeddingsGone = (deployment: string) =>
  conflict(
    `The vector store was made with the embeddings of '${deployment}', which is no deployment any more. Configure it again, or give the embeddings no weight (ranking_options.hybrid_search).`,
  );

export const expired = (id: string, target: string) =>
  apiError(
    'invalid_parameter',
    `The vector store '${id}' has expired; what it had indexed is gone. Create a new one with its files.`,
    { target },
  );
