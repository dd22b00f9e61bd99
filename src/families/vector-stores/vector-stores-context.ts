import type { Budget } from '../../kit/budget.ts';
import type { Context } from '../../kit/context.ts';
import type { SearchIndex } from '../../providers/search/search-index.ts';
import type { SearchedStores } from '../../providers/tools/file-search/searched-stores.ts';
import type { Database } from '../../storage/database.ts';
import type { FileDirectory } from '../files/directory.ts';
import type { BatchRows } from './batch-rows.ts';
import type { FileRows } from './file-rows.ts';
import type { Housekeeping } from './housekeeping.ts';
import type { Ingestion } from './ingestion.ts';
import type { RewriteQueries } from './rewrite-queries.ts';
import type { StoreRow, StoreRows } from './store-rows.ts';

/** What the handlers of vector stores work with. */
export interface VectorStoresContext {
  database: Database;
  stores: StoreRows;
  files: FileRows;
  batches: BatchRows;
  directory: FileDirectory;
  index: SearchIndex;
  ingestion: Ingestion;
  housekeeping: Housekeeping;
  searched: SearchedStores;
  rewriteQueries: RewriteQueries;
  /** The deployment that embeds what is in new stores; null for none. */
  embeddings: string | null;
  mostFiles: number;
  /** Of stores. */
  budget: Budget;
  /** Throws `not_found`. */
  storeOf(ctx: Context, id: string): Promise<StoreRow>;
}
