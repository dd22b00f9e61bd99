import Type, { type Static } from 'typebox';
import { invalidPayload, unsupportedParameter } from '../../../errors.ts';
import { Maybe, OneOf } from '../../../kit/schema.ts';
import { bingSearch } from '../bing/bing-search.ts';
import { citePage, searchFunction, tellPages } from '../cited-pages.ts';
import type { ConnectedServiceParts } from '../connected-service.ts';
import { ConnectionId } from '../named-connection.ts';
import { givenText, textIn } from '../text-function.ts';
import type { OpenTool, ServerTool, ToolContext } from '../tool.ts';
import type { SearchProvider } from './search-provider.ts';

const WebSearchDefinition = Type.Object({
  type: Type.String(),
  filters: Maybe(
    Type.Object(
      { allowed_domains: Maybe(Type.Array(Type.String({ maxLength: 253 }), { maxItems: 100 })) },
      { additionalProperties: false },
    ),
  ),
  user_location: Maybe(
    Type.Object({
      type: Maybe(Type.Literal('approximate')),
      country: Maybe(Type.String({ pattern: '^[A-Za-z]{2}$', description: 'Two letters, ISO 3166.' })),
      region: Maybe(Type.String({ maxLength: 256 })),
      city: Maybe(Type.String({ maxLength: 256 })),
      timezone: Maybe(Type.String({ maxLength: 64 })),
    }),
  ),
  search_context_size: Maybe(OneOf('low', 'medium', 'high')),
  external_web_access: Maybe(Type.Boolean()),
  search_content_types: Maybe(Type.Array(OneOf('text', 'image'))),
  custom_search_configuration: Maybe(
    Type.Object({
      project_connection_id: ConnectionId,
      instance_name: Type.String({ minLength: 1, maxLength: 256 }),
    }),
  ),
});
type WebSearchDefinition = Static<typeof WebSearchDefinition>;

export interface WebSearchParts extends ConnectedServiceParts {
  /** The search engine; null where none is configured. */
  search: SearchProvider | null;
}

export const webSearchTypes = [
  'web_search',
  'web_search_2025_08_26',
  'web_search_preview',
  'web_search_preview_2025_03_11',
] as const;

/** How many results a search brings, and how much of each, in characters. */
const sizes = {
  low: { count: 3, characters: 600 },
  medium: { count: 6, characters: 2000 },
  high: { count: 12, characters: 6000 },
};

const functionName = 'web_search';
const itemType = 'web_search_call';

/** `web_search` in all its versions, by the search engine of the configuration. */
export function webSearchTools(parts: WebSearchParts): ServerTool[] {
  return webSearchTypes.map((type) => ({
    type,
    definition: WebSearchDefinition,
    itemType,
    idempotent: true,
    timeoutSeconds: 30,
    open: (definition, context) => open(parts, definition as WebSearchDefinition, context),
    replay: replaySearch,
  }));
}

async function open(
  parts: WebSearchParts,
  definition: WebSearchDefinition,
  context: ToolContext,
): Promise<OpenTool> {
  const { target, include } = context;
  const provider = await providerFor(parts, definition, context);
  const domains = domainsOf(definition, `${target}.filters.allowed_domains`);
  const country = definition.user_location?.country?.toUpperCase() ?? null;
  const { count, characters } = sizes[definition.search_context_size ?? 'medium'];
  const withSources = include.includes('web_search_call.action.sources');
  return {
    functions: [searchFunction(functionName, describe(definition, domains))],
    functionOf: () => functionName,
    needsApproval: () => false,
    phases: {
      started: 'response.web_search_call.in_progress',
      completed: 'response.web_search_call.completed',
    },
    fields: (call) => ({ action: searchAction(textIn(call.arguments, 'query')) }),
    async *run(call, signal) {
      const query = givenText(call, 'query');
      yield 'response.web_search_call.searching';
      const results = await provider.search({ text: query, count, domains, country }, signal);
      const marked = results.map((result) => ({ ...result, mark: `【${context.nextMark()}】` }));
      const sources = results.map(({ url }) => ({ type: 'url', url }));
      return {
        fields: { action: { ...searchAction(query), ...(withSources ? { sources } : {}) } },
        output: tellPages(query, marked, characters),
        sources: marked.flatMap(citePage),
      };
    },
  };
}

async function providerFor(
  parts: WebSearchParts,
  definition: WebSearchDefinition,
  context: ToolContext,
): Promise<SearchProvider> {
  const { target } = context;
  const { custom_search_configuration: custom } = definition;
  if (definition.search_content_types?.includes('image')) {
    throw unsupportedParameter(`${target}.search_content_types`, 'Searches bring text only.');
  }
  const provider = custom
    ? await bingSearch(parts, custom, context, `${target}.custom_search_configuration`)
    : parts.search;
  if (provider === null) {
    throw unsupportedParameter(
      target,
      "This server has no search engine. Name one under 'webSearch' in bloomery.yaml: searxng, brave, tavily or file.",
    );
  }
  if (definition.external_web_access === false && provider.isLive) {
    throw unsupportedParameter(
      `${target}.external_web_access`,
      "The search engine of this server is live; without web access only 'webSearch: { provider: file }' can search.",
    );
  }
  return provider;
}

function domainsOf({ filters }: WebSearchDefinition, target: string): string[] {
  return (filters?.allowed_domains ?? []).map((domain, i) => {
    const host = URL.parse(/^https?:\/\//i.test(domain) ? domain : `https://${domain}`)?.hostname;
    if (host !== undefined && /^[\w.-]+$/.test(host)) return host.replace(/^www\./, '');
    throw invalidPayload(`${target}[${i}]`, `'${domain.slice(0, 100)}' is not a domain.`);
  });
}

function describe({ user_location: place }: WebSearchDefinition, domains: string[]): string {
  const where = [place?.city, place?.region, place?.country].filter(Boolean).join(', ');
  return [
    'Search the web. Returns pages with the text that answers the query, each with a mark such as 【1】. Put the mark right behind what you take from the page.',
    domains.length === 0 ? '' : `Only pages of ${domains.join(', ')} are found.`,
    where === '' ? '' : `The user is in ${where}; name the place where it matters.`,
    place?.timezone ? `The time zone of the user is ${place.timezone}.` : '',
  ]
    .filter((sentence) => sentence !== '')
    .join(' ');
}

const searchAction = (query: string) => ({ type: 'search', query, queries: query === '' ? [] : [query] });

/** What was found is not kept; what the answer took from it is in the answer. */
function replaySearch(item: Record<string, unknown>) {
  const { query, sources } = (item.action ?? {}) as { query?: unknown; sources?: { url?: unknown }[] };
  if (typeof query !== 'string') return null;
  const pages = Array.isArray(sources) ? sources.map(({ url }) => String(url)).join('\n') : '';
  const output =
    pages === '' ? 'The search was done; its results are no longer at hand.' : `Found:\n${pages}`;
  return { name: functionName, arguments: JSON.stringify({ query }), output };
}
