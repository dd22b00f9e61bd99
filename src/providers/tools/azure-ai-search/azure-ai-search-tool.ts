import { citeMark, citePage, searchFunction, tellPages } from '../cited-pages.ts';
import { type ConnectedServiceParts, connectedService } from '../connected-service.ts';
import { replayPair } from '../replay-pair.ts';
import { givenText } from '../text-function.ts';
import type { OpenTool, ServerTool, ToolContext } from '../tool.ts';
import { AzureAiSearchDefinition, chosenIndex } from './definition.ts';
import { type FoundDocument, longestContent } from './found-document.ts';
import { apiVersion, indexSearch } from './search-index.ts';

const functionName = 'azure_ai_search';
const outputItemType = 'azure_ai_search_call_output';

/** `azure_ai_search`: an index of Azure AI Search, at the target of a connection. */
export function azureAiSearchTool(parts: ConnectedServiceParts): ServerTool {
  return {
    type: 'azure_ai_search',
    definition: AzureAiSearchDefinition,
    itemType: 'azure_ai_search_call',
    outputItemType,
    idempotent: true,
    timeoutSeconds: 60,
    open: (definition, context) => open(parts, definition as AzureAiSearchDefinition, context),
    replay: (item, output) => replayPair({ ...item, name: functionName }, output),
  };
}

async function open(
  parts: ConnectedServiceParts,
  definition: AzureAiSearchDefinition,
  context: ToolContext,
): Promise<OpenTool> {
  const place = `${context.target}.azure_ai_search.indexes[0]`;
  const choice = chosenIndex(definition, place);
  const service = await connectedService(
    parts,
    { id: choice.connectionId, name: 'Azure AI Search', keyHeader: 'api-key' },
    context,
    `${place}.project_connection_id`,
  );
  const search = indexSearch(service, choice);
  return {
    functions: [searchFunction(functionName, describe(definition, choice.index))],
    functionOf: () => functionName,
    needsApproval: () => false,
    fields: (call) => ({ arguments: call.arguments }),
    async *run(call, signal) {
      yield* [];
      const query = givenText(call, 'query');
      const found = await search(query, signal);
      const round = context.nextMark();
      const pages = found.map((document, i) => ({
        mark: `【${round}:${i}†source】`,
        title: document.title || `doc_${i}`,
        url: document.url || `${service.address}/`,
        text: document.content,
      }));
      return {
        fields: { output: JSON.stringify(foundItem(found, service.address)) },
        output: tellPages(query, pages, longestContent),
        sources: pages.flatMap((page, i) => (found[i]?.url ? citePage(page) : citeMark(page))),
      };
    },
  };
}

const describe = ({ description }: AzureAiSearchDefinition, index: string): string =>
  [
    `Search the documents of the index ${index}. Returns what answers the query, each with a mark such as 【1:0†source】. Put the mark right behind what you take from a document.`,
    description ?? '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');

/** As the service has it: what was found, and where each document can be had. */
const foundItem = (found: FoundDocument[], address: string) => ({
  documents: found.map(({ id, title, url, content, score }, i) => ({
    id,
    title: title || `doc_${i}`,
    url: url || `${address}/`,
    content,
    ...(score === null ? {} : { score }),
  })),
  get_urls: found.every(({ getUrl }) => getUrl !== '')
    ? found.map(({ getUrl }) => `${getUrl}?api-version=${apiVersion}`)
    : [],
});
