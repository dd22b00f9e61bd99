import { conflict, invalidPayload, notFound } from '../../errors.ts';
import type { Context } from '../../kit/context.ts';
import { cursorPage, idPosition } from '../../kit/cursor-page.ts';
import { newId } from '../../kit/ids.ts';
import type { Handlers } from '../../kit/operation.ts';
import { usualResults } from '../../kit/ranking-options.ts';
import { unixSeconds } from '../../kit/time.ts';
import { callerOf } from '../../providers/models/caller.ts';
import { parseFilter } from '../../providers/search/parse-filter.ts';
import { rankingOf } from '../../providers/search/requested-ranking.ts';
import { attachFiles, chunkingOf, requireFiles } from './attach.ts';
import type { operations, VectorStore } from './contract.ts';
import { filesService } from './file-service.ts';
import { isExpired, noCounts, type StoreRow, toStore } from './store-rows.ts';
import type { VectorStoresContext } from './vector-stores-context.ts';

export function vectorStoresService(on: VectorStoresContext): Handlers<typeof operations> {
  const { stores, ingestion, housekeeping, searched } = on;

  const toWire = async (ctx: Context, rows: StoreRow[]): Promise<VectorStore[]> => {
    const now = unixSeconds();
    const usage = await stores.usage(
      ctx.project,
      rows.map(({ id }) => id),
    );
    return rows.map((row) => toStore(row, usage.get(row.id) ?? { counts: noCounts(), bytes: 0 }, now));
  };
  const one = async (ctx: Context, row: StoreRow): Promise<VectorStore> => {
    const [wire] = await toWire(ctx, [row]);
    if (wire === undefined) throw notFound('vector store', row.id, 'vector_store_id');
    return wire;
  };

  return {
    ...filesService(on),

    async create(ctx, { body }) {
      const { file_ids: fileIds, chunking_strategy, ...given } = body ?? {};
      const now = unixSeconds();
      const chunking = chunkingOf(chunking_strategy, 'chunking_strategy');
      const wanted = [...new Set(fileIds ?? [])].map((fileId) => ({ fileId, chunking, attributes: '{}' }));
      await requireFiles(on.directory, ctx.project, wanted, (at) => {
        return `file_ids[${fileIds?.indexOf(wanted[at]?.fileId ?? '')}]`;
      });
      const row: StoreRow = {
        id: newId('vs'),
        project: ctx.project,
        home: ctx.project,
        name: given.name ?? '',
        description: given.description ?? null,
        metadata: JSON.stringify(given.metadata ?? {}),
        embeddings: on.embeddings ?? '',
        created_at: now,
        last_active_at: now,
        expires_days: given.expires_after?.days ?? null,
        state: 'active',
      };
      const attach = {
        ...{ files: wanted, asBatch: false, askedBy: ctx.principal.id },
        ...{ mostFiles: on.mostFiles, now, target: 'file_ids' },
      };
      await attachFiles(on.database, row, attach, on.budget);
      if (wanted.length > 0) ingestion.notify(row);
      return one(ctx, row);
    },

    async list(ctx, { query }) {
      const page = await cursorPage(
        query,
        { position: idPosition('vs'), rows: (window) => stores.list(ctx.project, window) },
        (row) => row,
        ({ id }) => id,
      );
      return { ...page, data: await toWire(ctx, page.data) };
    },

    retrieve: async (ctx, { params }) => one(ctx, await on.storeOf(ctx, params.vector_store_id)),

    async update(ctx, { params, body }) {
      const row = await on.storeOf(ctx, params.vector_store_id);
      if (body.expires_after !== undefined && isExpired(row, unixSeconds())) {
        throw conflict(`The vector store '${row.id}' has expired; it stays so.`, 'expires_after');
      }
      await stores.update(row, {
        ...(body.name === undefined ? {} : { name: body.name ?? '' }),
        ...(body.metadata === undefined ? {} : { metadata: JSON.stringify(body.metadata ?? {}) }),
        ...(body.expires_after === undefined ? {} : { expires_days: body.expires_after?.days ?? null }),
      });
      return one(ctx, await on.storeOf(ctx, row.id));
    },

    async delete(ctx, { params }) {
      const { id } = await on.storeOf(ctx, params.vector_store_id);
      await stores.remove({ project: ctx.project, id });
      housekeeping.kick();
      return { id, object: 'vector_store.deleted', deleted: true };
    },

    async search(ctx, { params, body }) {
      const { id } = await on.storeOf(ctx, params.vector_store_id);
      const given = queriesOf(body.query);
      const filter = body.filters ? parseFilter(body.filters, 'filters') : null;
      const ranking = rankingOf(body.ranking_options, 'ranking_options');
      const limit = body.max_num_results ?? usualResults;
      const queries = body.rewrite_query ? await on.rewriteQueries(given, ctx.signal, callerOf(ctx)) : given;
      const found = await searched.search(
        callerOf(ctx),
        [id],
        { queries, limit, filter, ...ranking },
        ctx.signal,
      );
      return {
        object: 'vector_store.search_results.page',
        search_query: queries,
        data: found.map(({ fileId, filename, score, attributes, text }) => ({
          file_id: fileId,
          filename,
          score,
          attributes,
          content: [{ type: 'text', text }],
        })),
        has_more: false,
        next_page: null,
      };
    },
  };
}

/** As they were given, but for the white space around them. */
function queriesOf(query: string | string[]): string[] {
  const texts = typeof query === 'string' ? [query] : query;
  return texts.map((text, at) => {
    const target = typeof query === 'string' ? 'query' : `query[${at}]`;
    if (text.trim() === '') throw invalidPayload(target, `'${target}' has nothing to look for.`);
    return text.trim();
  });
}
