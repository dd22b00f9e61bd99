import { availableParallelism } from 'node:os';
import { notFound } from '../../errors.ts';
import type { Budget } from '../../kit/budget.ts';
import { type Family, family } from '../../kit/operation.ts';
import type { ProjectPart } from '../../kit/project-part.ts';
import { unixSeconds } from '../../kit/time.ts';
import { turns } from '../../kit/turns.ts';
import type { Documents } from '../../providers/documents/documents.ts';
import type { ModelGateway } from '../../providers/models/gateway.ts';
import type { ModelLog } from '../../providers/models/upstream.ts';
import type { SearchIndex } from '../../providers/search/search-index.ts';
import type { SearchedStores } from '../../providers/tools/file-search/searched-stores.ts';
import type { Database } from '../../storage/database.ts';
import type { FileDirectory } from '../files/directory.ts';
import { vectorStoreArchive } from './archive.ts';
import { batchRows } from './batch-rows.ts';
import { collectionRows } from './collection-rows.ts';
import { createCollections } from './collections.ts';
import { operations } from './contract.ts';
import { createCoreShare } from './core-share.ts';
import { embedWith } from './embed.ts';
import { fileRows } from './file-rows.ts';
import { createHousekeeping } from './housekeeping.ts';
import { createIngestion } from './ingestion.ts';
import { projectTables } from './project-tables.ts';
import { createPutting } from './putting.ts';
import { rewriteWith } from './rewrite-queries.ts';
import { searchedStores } from './search-stores.ts';
import { vectorStoresService } from './service.ts';
import { storeRows } from './store-rows.ts';

export { vectorStoreLeftovers } from './leftovers.ts';
export { migrations } from './migrations.ts';
export { projectTables } from './project-tables.ts';
export { vectorStoreBudget } from './store-rows.ts';

export interface VectorStoreParts {
  /** What is attached. */
  directory: FileDirectory;
  documents: Documents;
  index: SearchIndex;
  /** The deployment that embeds; null for none. */
  embeddings: string | null;
  /** The deployment that rewrites queries where that is asked for; null for none. */
  rewriteModel: string | null;
  /** Files that are taken in at once. */
  concurrency: number;
  /** Files that one store holds. */
  files: number;
  /** How long one attempt to take a file in may last. */
  attemptSeconds: number;
  /** That taking files in may keep busy; one is left to others unless told otherwise. */
  spareCores?: number;
  /** Of stores in a project. */
  budget: Budget;
}

export interface VectorStoresFamily {
  family: Family;
  project: ProjectPart;
  searched: SearchedStores;
  /** Takes up what an earlier process has left, and keeps house from now on. */
  start(): Promise<void>;
  /** What is being taken in goes on with the next process. */
  close(): Promise<void>;
}

const sweepMilliseconds = 60_000;

export function vectorStoresFamily(
  database: Database,
  models: ModelGateway,
  {
    directory,
    documents,
    index,
    embeddings,
    rewriteModel,
    concurrency,
    files: mostFiles,
    attemptSeconds,
    spareCores = Math.max(1, availableParallelism() - 1),
    budget,
  }: VectorStoreParts,
  log: Pick<ModelLog, 'warn'>,
): VectorStoresFamily {
  const stores = storeRows(database);
  const files = fileRows(database);
  const collectionsKept = collectionRows(database);
  const collections = createCollections(collectionsKept, index);
  const embed = embedWith(models);
  const inTurn = turns();
  const cores = createCoreShare(spareCores);
  const ingestion = createIngestion(
    {
      files,
      stores,
      directory,
      documents,
      embed,
      isBuiltin: (name) => models.find(name)?.deployment.provider === 'builtin',
      put: createPutting({ files, stores, index, collections, inTurn, cores }),
      cores,
    },
    { concurrency, attemptSeconds, log, onLeftOver: () => housekeeping.kick() },
  );
  const housekeeping = createHousekeeping({ stores, files, index, collections, inTurn, ingestion, log });
  const searched = searchedStores({
    stores,
    files,
    index,
    embed,
    hasDeployment: (name) => models.find(name) !== undefined,
  });
  directory.onRemoved(async (project, id) => {
    await files.detachEverywhere(project, id, unixSeconds());
    housekeeping.kick();
  });
  const handlers = vectorStoresService({
    database,
    stores,
    files,
    batches: batchRows(database),
    directory,
    index,
    ingestion,
    housekeeping,
    searched,
    rewriteQueries: rewriteWith(models, rewriteModel, log),
    embeddings,
    mostFiles,
    budget,
    async storeOf(ctx, id) {
      const row = await stores.find(ctx.project, id);
      if (row === undefined) throw notFound('vector store', id.slice(0, 128), 'vector_store_id');
      return row;
    },
  });
  let timer: NodeJS.Timeout | undefined;
  return {
    family: family('vector-stores', operations, handlers),
    searched,
    project: {
      tables: projectTables,
      archive: vectorStoreArchive,
      async removing(project, on) {
        await collectionsKept.noteAll(project, on);
        return () => housekeeping.run();
      },
      changed: () => void ingestion.start(),
    },
    async start() {
      if (embeddings !== null && models.find(embeddings) === undefined) {
        log.warn(
          { deployment: embeddings },
          'there is no such deployment to embed the files of vector stores',
        );
      }
      if (rewriteModel !== null && models.find(rewriteModel)?.provider.generate === undefined) {
        log.warn({ deployment: rewriteModel }, 'there is no such deployment to rewrite search queries');
      }
      await ingestion.start();
      // Requests need not wait for it: what is shown goes by the rows.
      void housekeeping.run();
      void housekeeping.reconcile();
      timer = setInterval(() => void housekeeping.run(), sweepMilliseconds).unref();
    },
    async close() {
      clearInterval(timer);
      await ingestion.close();
      await housekeeping.close();
    },
  };
}
