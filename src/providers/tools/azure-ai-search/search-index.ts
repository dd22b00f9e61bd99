import { recordOf, recordsIn } from '../../../kit/record.ts';
import { askService } from '../ask-service.ts';
import type { ConnectedService } from '../connected-service.ts';
import { toolFailure } from '../tool-failure.ts';
import type { IndexChoice } from './definition.ts';
import { type FoundDocument, readDocument } from './found-document.ts';
import { type IndexSchema, readIndexSchema } from './index-schema.ts';

export const apiVersion = '2024-07-01';

/** So many candidates let the semantic ranker choose well; the service ranks no more. */
const rankedNeighbours = 50;

/** Searches of one index; the index is asked for its fields once. */
export function indexSearch(service: ConnectedService, choice: IndexChoice) {
  const root = `${service.address}/indexes/${choice.index}`;
  let known: Promise<IndexSchema | null> | null = null;
  const schemaOf = (signal: AbortSignal): Promise<IndexSchema | null> => {
    known ??= readSchema(service, root, choice, signal).catch((error) => {
      known = null;
      throw error;
    });
    return known;
  };
  return async (query: string, signal: AbortSignal): Promise<FoundDocument[]> => {
    const schema = await schemaOf(signal);
    const answer = await askService(service, `${root}/docs/search?api-version=${apiVersion}`, {
      method: 'POST',
      headers: { ...service.headers, accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(searchRequest(query, choice, schema)),
      signal,
    });
    return recordsIn(recordOf(answer).value)
      .slice(0, choice.top)
      .map((document) => readDocument(document, schema, root));
  };
}

/** Null where the key may search the index but not read its definition, and the search does without. */
async function readSchema(
  service: ConnectedService,
  root: string,
  { queryType }: IndexChoice,
  signal: AbortSignal,
): Promise<IndexSchema | null> {
  const needed = queryType.startsWith('vector');
  const definition = await askService(
    needed
      ? {
          ...service,
          advice: {
            ...service.advice,
            403: `A search by '${queryType}' reads the index's definition, which takes an admin key.`,
          },
        }
      : service,
    `${root}?api-version=${apiVersion}`,
    { headers: { ...service.headers, accept: 'application/json' }, signal },
    needed ? [] : [403, 404],
  );
  return definition === null ? null : readIndexSchema(definition);
}

function searchRequest(query: string, choice: IndexChoice, schema: IndexSchema | null): object {
  const { queryType, top, filter } = choice;
  const isSemantic = queryType === 'semantic' || queryType === 'vector_semantic_hybrid';
  const semanticConfiguration = schema?.semanticConfiguration ?? null;
  const text = {
    search: query,
    queryType: isSemantic ? 'semantic' : 'simple',
    ...(isSemantic && semanticConfiguration !== null ? { semanticConfiguration } : {}),
  };
  return {
    ...(queryType === 'vector' ? {} : text),
    ...(queryType.startsWith('vector') ? { vectorQueries: [vectorQuery(query, choice, schema)] } : {}),
    ...(filter === null ? {} : { filter }),
    ...(schema === null ? {} : { select: schema.shown.join(',') }),
    top,
  };
}

function vectorQuery(
  query: string,
  { index, queryType, top }: IndexChoice,
  schema: IndexSchema | null,
): object {
  if (schema === null || schema.vectorFields.length === 0) {
    const why = schema?.hasOtherVectors
      ? 'has no vectorizer that makes vectors of queries'
      : 'has no vector fields that can be searched';
    throw toolFailure(`The index '${index}' ${why}. Search it by 'query_type' simple or semantic.`);
  }
  const k = queryType === 'vector_semantic_hybrid' ? Math.max(top, rankedNeighbours) : top;
  return { kind: 'text', text: query, fields: schema.vectorFields.join(','), k };
}
