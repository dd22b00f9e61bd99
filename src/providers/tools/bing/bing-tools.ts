import Type, { type Static } from 'typebox';
import { Maybe } from '../../../kit/schema.ts';
import { citePage, searchFunction, tellPages } from '../cited-pages.ts';
import type { ConnectedServiceParts } from '../connected-service.ts';
import { ConnectionId } from '../named-connection.ts';
import { replayPair } from '../replay-pair.ts';
import { givenText } from '../text-function.ts';
import type { OpenTool, ServerTool, ToolContext } from '../tool.ts';
import { bingSearch } from './bing-search.ts';

const text = Maybe(Type.String({ maxLength: 128 }));

const configuration = {
  project_connection_id: ConnectionId,
  market: text,
  set_lang: text,
  count: Maybe(Type.Integer({ minimum: 1, maximum: 50 })),
  freshness: text,
};
const Configuration = Type.Object(configuration);
const CustomConfiguration = Type.Object({
  ...configuration,
  instance_name: Type.String({ minLength: 1, maxLength: 256 }),
});
type AnyConfiguration = Static<typeof Configuration> & Partial<Static<typeof CustomConfiguration>>;

const parameters = <T extends typeof Configuration | typeof CustomConfiguration>(one: T) =>
  Type.Object({ search_configurations: Type.Array(one, { minItems: 1, maxItems: 1 }) });

const usualCount = 5;
const charactersOfPage = 2000;

interface Kind {
  type: 'bing_grounding' | 'bing_custom_search_preview';
  functionName: string;
  definition: ServerTool['definition'];
  description: string;
}

const kinds: Kind[] = [
  {
    type: 'bing_grounding',
    functionName: 'bing_grounding',
    definition: Type.Object({
      type: Type.Literal('bing_grounding'),
      bing_grounding: parameters(Configuration),
    }),
    description: 'Search the web with Bing.',
  },
  {
    type: 'bing_custom_search_preview',
    functionName: 'bing_custom_search',
    definition: Type.Object({
      type: Type.Literal('bing_custom_search_preview'),
      bing_custom_search_preview: parameters(CustomConfiguration),
    }),
    description: 'Search a chosen part of the web with Bing.',
  },
];

/** `bing_grounding` and `bing_custom_search_preview`, by the Bing API at the target of a connection. */
export const bingTools = (parts: ConnectedServiceParts): ServerTool[] =>
  kinds.map(({ type, functionName, definition, description }) => ({
    type,
    definition,
    itemType: `${type}_call`,
    outputItemType: `${type}_call_output`,
    idempotent: true,
    timeoutSeconds: 30,
    open(given, context) {
      const [named] = (given as Record<typeof type, { search_configurations: [AnyConfiguration] }>)[type]
        .search_configurations;
      // Members that a definition has beyond its own are kept with it, and mean nothing.
      const chosen = type === 'bing_grounding' ? withoutInstance(named) : named;
      const place = `${context.target}.${type}.search_configurations[0]`;
      return open(parts, chosen, context, { place, functionName, description });
    },
    replay: (item, output) => replayPair({ ...item, name: functionName }, output),
  }));

const withoutInstance = ({ instance_name: _, ...rest }: AnyConfiguration): AnyConfiguration => rest;

async function open(
  parts: ConnectedServiceParts,
  chosen: AnyConfiguration,
  context: ToolContext,
  { place, functionName, description }: { place: string; functionName: string; description: string },
): Promise<OpenTool> {
  const provider = await bingSearch(parts, chosen, context, place);
  const count = chosen.count ?? usualCount;
  return {
    functions: [
      searchFunction(
        functionName,
        `${description} Returns pages with what they say about the query, each with a mark such as 【1】. Put the mark right behind what you take from the page.`,
      ),
    ],
    functionOf: () => functionName,
    needsApproval: () => false,
    fields: (call) => ({ arguments: call.arguments }),
    async *run(call, signal) {
      yield* [];
      const query = givenText(call, 'query');
      const found = await provider.search({ text: query, count, domains: [], country: null }, signal);
      const pages = found.map((page) => ({ ...page, mark: `【${context.nextMark()}】` }));
      const value = found.map(({ title: name, url, text: snippet }) => ({ name, url, snippet }));
      return {
        fields: { output: JSON.stringify({ webPages: { value } }) },
        output: tellPages(query, pages, charactersOfPage),
        sources: pages.flatMap(citePage),
      };
    },
  };
}
