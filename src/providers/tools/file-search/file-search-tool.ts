import Type, { type Static } from 'typebox';
import { missingParameter } from '../../../errors.ts';
import { mostResults, RankingOptions, usualResults } from '../../../kit/ranking-options.ts';
import { AnyObject, Maybe } from '../../../kit/schema.ts';
import { patientCaller } from '../../models/caller.ts';
import { parseFilter } from '../../search/parse-filter.ts';
import { rankingOf } from '../../search/requested-ranking.ts';
import { searchFunction } from '../cited-pages.ts';
import { givenText, textIn } from '../text-function.ts';
import type { CitedSource, OpenTool, ServerTool, ToolContext } from '../tool.ts';
import type { FoundText, SearchedStores } from './searched-stores.ts';

const mostStores = 32;

const FileSearchDefinition = Type.Object({
  type: Type.Literal('file_search'),
  vector_store_ids: Type.Array(Type.String({ maxLength: 256 }), { minItems: 1, maxItems: mostStores }),
  max_num_results: Maybe(Type.Integer({ minimum: 1, maximum: mostResults })),
  ranking_options: Maybe(RankingOptions),
  filters: Maybe(AnyObject),
  name: Maybe(Type.String({ maxLength: 256 })),
  description: Maybe(Type.String({ maxLength: 4096 })),
});
type FileSearchDefinition = Static<typeof FileSearchDefinition>;

const functionName = 'file_search';
const resultsIncluded = 'file_search_call.results';

/** `file_search`: finds text in the files of vector stores. */
export function fileSearchTool(stores: SearchedStores): ServerTool {
  return {
    type: 'file_search',
    definition: FileSearchDefinition,
    itemType: 'file_search_call',
    idempotent: true,
    timeoutSeconds: 60,
    open: (definition, context) => open(stores, definition as FileSearchDefinition, context),
    replay: replaySearch,
  };
}

async function open(
  stores: SearchedStores,
  definition: FileSearchDefinition,
  context: ToolContext,
): Promise<OpenTool> {
  const { project, include, target } = context;
  const { vector_store_ids: given, filters, max_num_results: limit, ranking_options: options } = definition;
  // A template whose input was left empty names nothing.
  const ids = given.filter((id) => id !== '');
  if (ids.length === 0) throw missingParameter(`${target}.vector_store_ids`);
  const filter = filters ? parseFilter(filters, `${target}.filters`) : null;
  const ranking = rankingOf(options, `${target}.ranking_options`);
  await stores.require(project, ids, (at) => `${target}.vector_store_ids[${given.indexOf(ids[at] ?? '')}]`);
  return {
    functions: [searchFunction(functionName, describe(definition))],
    functionOf: () => functionName,
    needsApproval: () => false,
    phases: {
      started: 'response.file_search_call.in_progress',
      completed: 'response.file_search_call.completed',
    },
    fields: (call) => ({ queries: queriesOf(textIn(call.arguments, 'query')), results: null }),
    async *run(call, signal) {
      const query = givenText(call, 'query').trim();
      yield 'response.file_search_call.searching';
      const request = { queries: [query], limit: limit ?? usualResults, filter, ...ranking };
      const found = await stores.search(patientCaller(project, context.key), ids, request, signal);
      const marked = found.map((each) => ({ ...each, mark: `【${context.nextMark()}】` }));
      return {
        fields: {
          queries: [query],
          results: include.includes(resultsIncluded) ? found.map(resultOf) : null,
        },
        output: tell(query, marked),
        sources: marked.map(cite),
      };
    },
  };
}

const describe = ({ description }: FileSearchDefinition): string =>
  [
    'Search the files and documents that belong to this conversation. Returns passages that answer the query, each with a mark such as 【1】. Put the mark right behind what you take from a passage.',
    description ?? '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');

const queriesOf = (query: string): string[] => (query.trim() === '' ? [] : [query.trim()]);

const resultOf = ({ fileId, filename, score, attributes, text }: FoundText) => ({
  file_id: fileId,
  filename,
  score,
  attributes,
  text,
});

type Marked = FoundText & { mark: string };

function tell(query: string, found: Marked[]): string {
  if (found.length === 0) return `Nothing was found for '${query}'.`;
  return found.map(({ mark, filename, text }) => `${mark} ${filename}\n${text}`).join('\n\n');
}

const cite = ({ mark, fileId, filename }: Marked): CitedSource => ({
  mention: mark,
  annotation: { type: 'file_citation', file_id: fileId, filename },
  place: 'index',
});

/** What was found stays with the item only where it was asked for. */
function replaySearch({ queries, results }: Record<string, unknown>) {
  const query = Array.isArray(queries) ? queries[0] : undefined;
  if (typeof query !== 'string') return null;
  const texts = Array.isArray(results)
    ? results.map(({ filename, text }: { filename?: unknown; text?: unknown }) => `${filename}\n${text}`)
    : [];
  const output =
    texts.length === 0 ? 'The search was done; its results are no longer at hand.' : texts.join('\n\n');
  return { name: functionName, arguments: JSON.stringify({ query }), output };
}
