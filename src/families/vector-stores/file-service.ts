import { conflict, invalidPayload, missingParameter, notFound } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { type CursorSource, cursorPage } from '../../kit/cursor-page.ts';
import { Answer, type Handlers } from '../../kit/operation.ts';
import { unixSeconds } from '../../kit/time.ts';
import { type AttachOptions, attachFiles, attributesText, requireFiles, wantedFile } from './attach.ts';
import type { BatchRow } from './batch-rows.ts';
import { collectionOf } from './collections.ts';
import type { Attachment, FileBatch, FileCounts, operations } from './contract.ts';
import { type FileList, type FileRow, toFile } from './file-rows.ts';
import { expired } from './search-stores.ts';
import { addCount, isExpired, noCounts, type StoreRow } from './store-rows.ts';
import type { VectorStoresContext } from './vector-stores-context.ts';

type FileHandlers = Omit<
  Handlers<typeof operations>,
  'create' | 'list' | 'retrieve' | 'update' | 'delete' | 'search'
>;

/** The official clients ask again after this; without it after five seconds. */
const pollAfter = { 'openai-poll-after-ms': '200' };

export function filesService(on: VectorStoresContext): FileHandlers {
  const { files, batches, ingestion, housekeeping } = on;

  const openStoreOf = async (ctx: Context, id: string): Promise<StoreRow> => {
    const store = await on.storeOf(ctx, id);
    if (isExpired(store, unixSeconds())) throw expired(store.id, 'vector_store_id');
    return store;
  };
  const fileOf = async (store: StoreRow, fileId: string): Promise<FileRow> => {
    const row = await files.find(store, fileId);
    if (row === undefined) throw notFound('file in the vector store', fileId.slice(0, 128), 'file_id');
    return row;
  };
  const batchOf = async (store: StoreRow, id: string): Promise<BatchRow> => {
    const batch = await batches.find(store, id);
    if (batch === undefined) throw notFound('file batch in the vector store', id.slice(0, 128), 'batch_id');
    return batch;
  };

  const attach = async (
    ctx: Context,
    store: StoreRow,
    { files: wanted, target, asBatch }: Pick<AttachOptions, 'files' | 'target' | 'asBatch'>,
  ) => {
    const options = {
      ...{ files: wanted, asBatch, target, askedBy: ctx.principal.id },
      ...{ mostFiles: on.mostFiles, now: unixSeconds() },
    };
    const attached = await attachFiles(on.database, store, options);
    ingestion.notify(store);
    if (attached.isReplacing) housekeeping.kick();
    return attached;
  };

  const page = (list: FileList, query: Parameters<typeof cursorPage>[0]) => {
    const source: CursorSource<FileRow, string> = {
      position: async (id) => (await files.any(list.store, id))?.key,
      rows: (window) => files.list(list, window),
    };
    return cursorPage(query, source, toFile, ({ id }) => id);
  };

  const countsOf = async (batch: BatchRow): Promise<FileCounts> => {
    const counts = noCounts();
    for (const [status, count] of await batches.counts(batch)) addCount(counts, status, count);
    return counts;
  };
  const batchAnswer = async (batch: BatchRow): Promise<Answer> => {
    const body = toBatch(batch, await countsOf(batch));
    return new Answer(200, body, pollAfter);
  };

  return {
    async createFile(ctx, { params, body }) {
      const store = await openStoreOf(ctx, params.vector_store_id);
      const wanted = [wantedFile(body, '')];
      await requireFiles(on.directory, ctx.project, wanted, () => 'file_id');
      await attach(ctx, store, { files: wanted, target: 'file_id', asBatch: false });
      return toFile(await fileOf(store, body.file_id));
    },

    async listFiles(ctx, { params, query }) {
      const store = await on.storeOf(ctx, params.vector_store_id);
      return page({ store, batchId: null, status: query.filter }, query);
    },

    async retrieveFile(ctx, { params }) {
      const row = await fileOf(await on.storeOf(ctx, params.vector_store_id), params.file_id);
      return new Answer(200, toFile(row), pollAfter);
    },

    async updateFile(ctx, { params, body }) {
      const store = await openStoreOf(ctx, params.vector_store_id);
      const row = await fileOf(store, params.file_id);
      await files.setAttributes(row, attributesText(body.attributes));
      await housekeeping.syncAttributes(row);
      return toFile(await fileOf(store, params.file_id));
    },

    async deleteFile(ctx, { params }) {
      const row = await fileOf(await on.storeOf(ctx, params.vector_store_id), params.file_id);
      await files.detach(row, unixSeconds());
      housekeeping.kick();
      return { id: row.file_id, object: 'vector_store.file.deleted', deleted: true };
    },

    async fileContent(ctx, { params }) {
      const store = await openStoreOf(ctx, params.vector_store_id);
      const row = await fileOf(store, params.file_id);
      if (row.status !== 'completed') {
        throw conflict(
          `The file '${row.file_id}' is '${row.status}'; only of completed files there is content.`,
          'file_id',
        );
      }
      const texts = await on.index.chunks(collectionOf(store), row.file_id);
      return {
        object: 'vector_store.file_content.page',
        data: texts.map((text) => ({ type: 'text', text })),
        has_more: false,
        next_page: null,
      };
    },

    async createBatch(ctx, { params, body }) {
      const store = await openStoreOf(ctx, params.vector_store_id);
      const { wanted, place } = batchFiles(body);
      await requireFiles(on.directory, ctx.project, wanted, place);
      const target = body.files ? 'files' : 'file_ids';
      const { batch } = await attach(ctx, store, { files: wanted, target, asBatch: true });
      return batchAnswer(batch as BatchRow);
    },

    async retrieveBatch(ctx, { params }) {
      const store = await on.storeOf(ctx, params.vector_store_id);
      return batchAnswer(await batchOf(store, params.batch_id));
    },

    async cancelBatch(ctx, { params }) {
      const store = await on.storeOf(ctx, params.vector_store_id);
      const batch = await batchOf(store, params.batch_id);
      // What has ended stays as it has ended.
      if ((await countsOf(batch)).in_progress > 0) {
        await batches.cancel(batch);
        housekeeping.kick();
      }
      return batchAnswer(await batchOf(store, batch.id));
    },

    async listBatchFiles(ctx, { params, query }) {
      const store = await on.storeOf(ctx, params.vector_store_id);
      const { id } = await batchOf(store, params.batch_id);
      return page({ store, batchId: id, status: query.filter }, query);
    },
  };
}

type BatchBody = {
  file_ids?: string[] | null;
  files?: Attachment[] | null;
} & Pick<Attachment, 'attributes' | 'chunking_strategy'>;

function batchFiles({ file_ids: ids, files, ...common }: BatchBody) {
  if (ids && files) throw invalidPayload('files', "Give either 'file_ids' or 'files', not both.");
  if (ids) {
    const once = [...new Set(ids)];
    return {
      wanted: once.map((file_id) => wantedFile({ ...common, file_id }, '')),
      place: (at: number) => `file_ids[${ids.indexOf(once[at] ?? '')}]`,
    };
  }
  if (!files) throw missingParameter('file_ids', "One of 'file_ids' and 'files' is required.");
  const seen = new Set<string>();
  for (const [at, { file_id }] of files.entries()) {
    if (seen.has(file_id))
      throw invalidPayload(`files[${at}].file_id`, `The file '${file_id}' is named twice.`);
    seen.add(file_id);
  }
  return {
    wanted: files.map((file, at) => wantedFile(file, `files[${at}].`)),
    place: (at: number) => `files[${at}].file_id`,
  };
}

function toBatch(batch: BatchRow, counts: FileCounts): FileBatch {
  return {
    id: batch.id,
    object: 'vector_store.files_batch',
    vector_store_id: batch.store_id,
    status: batchStatus(batch, counts),
    file_counts: counts,
    created_at: batch.created_at,
  };
}

function batchStatus({ cancelled }: BatchRow, counts: FileCounts): FileBatch['status'] {
  if (cancelled === 1) return 'cancelled';
  if (counts.in_progress > 0) return 'in_progress';
  return counts.total > 0 && counts.failed === counts.total ? 'failed' : 'completed';
}
