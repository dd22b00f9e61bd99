import type { ModelCaller } from '../../models/caller.ts';
import type { Ranking } from '../../search/requested-ranking.ts';
import type { Attributes, Filter } from '../../search/search-index.ts';
/** What file search asks of whoever keeps vector stores. */
export interface SearchedStores {
  /** Throws about the first store that is not there or has expired; `place` says where the nth is named. */
  require(project: string, ids: readonly string[], place: (at: number) => string): Promise<void>;
  /** Best first, in the caller's project and for its limits. Throws as `require` does: a store may have gone since. */
  search(
    caller: ModelCaller,
    ids: readonly string[],
    request: StoreSearch,
    signal: AbortSignal,
  ): Promise<FoundText[]>;
}

export interface StoreSearch extends Ranking {
  queries: readonly string[];
  limit: number;
  filter: Filter | null;
}

export interface FoundText {
  fileId: string;
  filename: string;
  attributes: Attributes;
  text: string;
  /** From 0 to 1. */
  score: number;
}
