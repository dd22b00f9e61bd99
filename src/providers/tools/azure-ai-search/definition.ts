import Type, { type Static } from 'typebox';
import { missingParameter, unsupportedParameter } from '../../../errors.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import { ConnectionId } from '../named-connection.ts';

export const mostDocuments = 100;

const Index = Type.Object({
  project_connection_id: Maybe(ConnectionId),
  index_name: Maybe(Type.String({ pattern: '^[A-Za-z0-9_-]{1,128}$', description: 'An index or an alias.' })),
  query_type: Maybe(OneOf('simple', 'semantic', 'vector', 'vector_simple_hybrid', 'vector_semantic_hybrid')),
  top_k: Maybe(Type.Integer({ minimum: 1, maximum: mostDocuments })),
  filter: Maybe(Type.String({ maxLength: 16_384, description: 'OData.' })),
  index_asset_id: Maybe(Type.String({ maxLength: 1024 })),
});
type Index = Static<typeof Index>;

export const AzureAiSearchDefinition = Type.Object({
  type: Type.Literal('azure_ai_search'),
  description: Maybe(Type.String({ maxLength: 4096 })),
  azure_ai_search: Type.Object({ indexes: Type.Array(Index, { minItems: 1, maxItems: 1 }) }),
});
export type AzureAiSearchDefinition = Static<typeof AzureAiSearchDefinition>;

/** What to ask of which index. */
export interface IndexChoice {
  connectionId: string;
  index: string;
  queryType: NonNullable<Index['query_type']>;
  top: number;
  filter: string | null;
}

export function chosenIndex(
  { azure_ai_search: { indexes } }: AzureAiSearchDefinition,
  target: string,
): IndexChoice {
  const [{ project_connection_id, index_name, index_asset_id, query_type, top_k, filter }] = indexes as [
    Index,
  ];
  if (index_asset_id) {
    throw unsupportedParameter(
      `${target}.index_asset_id`,
      "This server keeps no index assets. Send 'project_connection_id' and 'index_name'.",
    );
  }
  if (!project_connection_id) throw missingParameter(`${target}.project_connection_id`);
  if (!index_name) throw missingParameter(`${target}.index_name`);
  return {
    connectionId: project_connection_id,
    index: index_name,
    queryType: query_type ?? 'vector_semantic_hybrid',
    top: top_k ?? 5,
    filter: filter || null,
  };
}
