import Type, { type Static } from 'typebox';
import { CursorPage, cursorQuery } from '../../kit/cursor-page.ts';
import { op } from '../../kit/operation.ts';
import { mostResults, RankingOptions } from '../../kit/ranking-options.ts';
import { AnyObject, Maybe, Metadata, OneOf, UnixSeconds } from '../../kit/schema.ts';
import { UnionBy } from '../../kit/union.ts';
import type { Attributes as AttributesByName } from '../../providers/search/search-index.ts';

export const mostFilesAtCreation = 500;
export const mostFilesInBatch = 2000;
export const mostQueries = 32;
export const longestQuery = 16_384;

export const fileStatuses = ['in_progress', 'completed', 'failed', 'cancelled'] as const;
export type FileStatus = (typeof fileStatuses)[number];
export const errorCodes = ['server_error', 'unsupported_file', 'invalid_file'] as const;

export const Attributes = Type.Unsafe<AttributesByName>({
  type: 'object',
  maxProperties: 16,
  propertyNames: { minLength: 1, maxLength: 64 },
  additionalProperties: { type: ['string', 'number', 'boolean'], maxLength: 512 },
  description: 'Up to 16 texts (up to 512 characters), numbers or booleans; keys up to 64 characters.',
});

const StaticChunking = Type.Object({
  type: Type.Literal('static'),
  static: Type.Object({
    max_chunk_size_tokens: Type.Integer({ minimum: 100, maximum: 4096 }),
    chunk_overlap_tokens: Type.Integer({ minimum: 0, description: 'Half of the chunk at most.' }),
  }),
});
const ChunkingStrategy = UnionBy('type', {
  auto: Type.Object({ type: Type.Literal('auto') }),
  static: StaticChunking,
});
export type ChunkingStrategy = Static<typeof ChunkingStrategy>;

const ExpiresAfter = Type.Object({
  anchor: Type.Literal('last_active_at'),
  days: Type.Integer({ minimum: 1, maximum: 365 }),
});

const FileCounts = Type.Object({
  in_progress: Type.Integer(),
  completed: Type.Integer(),
  failed: Type.Integer(),
  cancelled: Type.Integer(),
  total: Type.Integer(),
});
export type FileCounts = Static<typeof FileCounts>;

const Id = Type.String({ minLength: 1, maxLength: 256 });

export const VectorStore = Type.Object({
  id: Type.String(),
  object: Type.Literal('vector_store'),
  created_at: UnixSeconds,
  name: Type.String(),
  description: Type.Union([Type.String(), Type.Null()]),
  usage_bytes: Type.Integer(),
  file_counts: FileCounts,
  status: OneOf('in_progress', 'completed', 'expired'),
  expires_after: Type.Optional(ExpiresAfter),
  expires_at: Type.Union([UnixSeconds, Type.Null()]),
  last_active_at: UnixSeconds,
  metadata: Metadata,
});
export type VectorStore = Static<typeof VectorStore>;

export const VectorStoreFile = Type.Object({
  id: Type.String({ description: 'The id of the file itself.' }),
  object: Type.Literal('vector_store.file'),
  created_at: UnixSeconds,
  vector_store_id: Type.String(),
  usage_bytes: Type.Integer(),
  status: OneOf(...fileStatuses),
  last_error: Type.Union([Type.Object({ code: OneOf(...errorCodes), message: Type.String() }), Type.Null()]),
  chunking_strategy: StaticChunking,
  attributes: Attributes,
});
export type VectorStoreFile = Static<typeof VectorStoreFile>;

export const FileBatch = Type.Object({
  id: Type.String(),
  object: Type.Literal('vector_store.files_batch'),
  vector_store_id: Type.String(),
  status: OneOf(...fileStatuses),
  file_counts: FileCounts,
  created_at: UnixSeconds,
});
export type FileBatch = Static<typeof FileBatch>;

const Text = Type.Object({ type: Type.Literal('text'), text: Type.String() });

/** A page that is the only one. */
const WholePage = <const O extends string, T extends Type.TSchema>(object: O, item: T) =>
  Type.Object({
    object: Type.Literal(object),
    data: Type.Array(item),
    has_more: Type.Boolean(),
    next_page: Type.Null(),
  });

const SearchPage = Type.Object({
  ...WholePage(
    'vector_store.search_results.page',
    Type.Object({
      file_id: Type.String(),
      filename: Type.String(),
      score: Type.Number(),
      attributes: Attributes,
      content: Type.Array(Text),
    }),
  ).properties,
  search_query: Type.Array(Type.String()),
});

const Attachment = Type.Object({
  file_id: Id,
  attributes: Maybe(Attributes),
  chunking_strategy: Maybe(ChunkingStrategy),
});
export type Attachment = Static<typeof Attachment>;

const Query = Type.String({ minLength: 1, maxLength: longestQuery });

const shared = { wire: 'openai' } as const;
const byStore = Type.Object({ vector_store_id: Id });
const byFile = Type.Object({ vector_store_id: Id, file_id: Id });
const byBatch = Type.Object({ vector_store_id: Id, batch_id: Id });
const fileQuery = Type.Object({ ...cursorQuery, filter: Type.Optional(OneOf(...fileStatuses)) });
const deleted = <const T extends string>(object: T) =>
  Type.Object({ id: Type.String(), object: Type.Literal(object), deleted: Type.Boolean() });

export const operations = {
  create: op({
    ...shared,
    method: 'POST',
    path: '/vector_stores',
    summary: 'Create a vector store',
    body: Type.Object({
      name: Maybe(Type.String({ maxLength: 512 })),
      description: Maybe(Type.String({ maxLength: 4096 })),
      file_ids: Maybe(Type.Array(Id, { maxItems: mostFilesAtCreation })),
      expires_after: Maybe(ExpiresAfter),
      chunking_strategy: Maybe(ChunkingStrategy),
      metadata: Maybe(Metadata),
    }),
    bodyOptional: true,
    result: VectorStore,
  }),
  list: op({
    ...shared,
    method: 'GET',
    path: '/vector_stores',
    summary: 'List vector stores',
    query: Type.Object(cursorQuery),
    result: CursorPage(VectorStore),
  }),
  retrieve: op({
    ...shared,
    method: 'GET',
    path: '/vector_stores/{vector_store_id}',
    summary: 'Get a vector store',
    params: byStore,
    result: VectorStore,
  }),
  update: op({
    ...shared,
    method: 'POST',
    path: '/vector_stores/{vector_store_id}',
    summary: 'Change the name, expiry or metadata of a vector store',
    params: byStore,
    body: Type.Object({
      name: Maybe(Type.String({ maxLength: 512 })),
      expires_after: Maybe(ExpiresAfter),
      metadata: Maybe(Metadata),
    }),
    result: VectorStore,
  }),
  delete: op({
    ...shared,
    method: 'DELETE',
    path: '/vector_stores/{vector_store_id}',
    summary: 'Delete a vector store; its files stay',
    params: byStore,
    result: deleted('vector_store.deleted'),
  }),
  search: op({
    ...shared,
    method: 'POST',
    path: '/vector_stores/{vector_store_id}/search',
    summary: 'Search the files of a vector store',
    params: byStore,
    body: Type.Object({
      query: Type.Union([Query, Type.Array(Query, { minItems: 1, maxItems: mostQueries })]),
      rewrite_query: Maybe(Type.Boolean()),
      max_num_results: Maybe(Type.Integer({ minimum: 1, maximum: mostResults })),
      filters: Maybe(AnyObject),
      ranking_options: Maybe(RankingOptions),
    }),
    result: SearchPage,
  }),
  createFile: op({
    ...shared,
    method: 'POST',
    path: '/vector_stores/{vector_store_id}/files',
    summary: 'Attach a file to a vector store',
    params: byStore,
    body: Attachment,
    result: VectorStoreFile,
  }),
  listFiles: op({
    ...shared,
    method: 'GET',
    path: '/vector_stores/{vector_store_id}/files',
    summary: 'List the files of a vector store',
    params: byStore,
    query: fileQuery,
    result: CursorPage(VectorStoreFile),
  }),
  retrieveFile: op({
    ...shared,
    method: 'GET',
    path: '/vector_stores/{vector_store_id}/files/{file_id}',
    summary: 'Get a file of a vector store',
    params: byFile,
    result: VectorStoreFile,
  }),
  updateFile: op({
    ...shared,
    method: 'POST',
    path: '/vector_stores/{vector_store_id}/files/{file_id}',
    summary: 'Replace the attributes of a file of a vector store',
    params: byFile,
    body: Type.Object({ attributes: Type.Union([Attributes, Type.Null()]) }),
    result: VectorStoreFile,
  }),
  deleteFile: op({
    ...shared,
    method: 'DELETE',
    path: '/vector_stores/{vector_store_id}/files/{file_id}',
    summary: 'Detach a file from a vector store; the file stays',
    params: byFile,
    result: deleted('vector_store.file.deleted'),
  }),
  fileContent: op({
    ...shared,
    method: 'GET',
    path: '/vector_stores/{vector_store_id}/files/{file_id}/content',
    summary: 'Get the chunks of a file of a vector store',
    params: byFile,
    result: WholePage('vector_store.file_content.page', Text),
  }),
  createBatch: op({
    ...shared,
    method: 'POST',
    path: '/vector_stores/{vector_store_id}/file_batches',
    summary: 'Attach many files to a vector store',
    params: byStore,
    body: Type.Object({
      file_ids: Maybe(Type.Array(Id, { minItems: 1, maxItems: mostFilesInBatch })),
      files: Maybe(Type.Array(Attachment, { minItems: 1, maxItems: mostFilesInBatch })),
      attributes: Maybe(Attributes),
      chunking_strategy: Maybe(ChunkingStrategy),
    }),
    result: FileBatch,
  }),
  retrieveBatch: op({
    ...shared,
    method: 'GET',
    path: '/vector_stores/{vector_store_id}/file_batches/{batch_id}',
    summary: 'Get a batch of files',
    params: byBatch,
    result: FileBatch,
  }),
  cancelBatch: op({
    ...shared,
    method: 'POST',
    path: '/vector_stores/{vector_store_id}/file_batches/{batch_id}/cancel',
    summary: 'Stop taking in the files of a batch',
    params: byBatch,
    result: FileBatch,
  }),
  listBatchFiles: op({
    ...shared,
    method: 'GET',
    path: '/vector_stores/{vector_store_id}/file_batches/{batch_id}/files',
    summary: 'List the files of a batch',
    params: byBatch,
    query: fileQuery,
    result: CursorPage(VectorStoreFile),
  }),
};
