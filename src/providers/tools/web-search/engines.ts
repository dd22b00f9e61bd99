import { boundedText } from '../bounded-text.ts';
import { toolFailure } from '../tool-failure.ts';
import { isOfDomains, type SearchProvider, type SearchQuery, type SearchResult } from './search-provider.ts';

export interface EngineConfig {
  baseUrl: string;
  apiKey: string | null;
}

interface Engine {
  name: string;
  request(query: SearchQuery, config: EngineConfig): { url: string; init: RequestInit };
  /** The results in an answer, each a page with its address. */
  results(answer: unknown): SearchResult[];
  /** What to do about a status, beyond what it says. */
  advice?: Record<number, string>;
}

const mostBytes = 8_388_608;

const searxng: Engine = {
  name: 'SearXNG',
  request: (query, { baseUrl, apiKey }) => ({
    url: `${baseUrl}/search?${new URLSearchParams({ q: withSites(query), format: 'json' })}`,
    init: { headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` } },
  }),
  results: (answer) => listOf(answer, 'results').map((one) => page(one, 'content')),
  advice: { 403: "'json' has to be among its 'search.formats'." },
};

const brave: Engine = {
  name: 'Brave Search',
  request: (query, { baseUrl, apiKey }) => ({
    url: `${baseUrl}/res/v1/web/search?${new URLSearchParams({
      q: withSites(query),
      count: String(Math.min(query.count, 20)),
      extra_snippets: 'true',
      ...(query.country === null ? {} : { country: query.country }),
    })}`,
    init: { headers: { accept: 'application/json', 'x-subscription-token': apiKey ?? '' } },
  }),
  results: (answer) =>
    listOf((answer as { web?: unknown } | null)?.web, 'results').map((one) => {
      const found = page(one, 'description');
      const more = Array.isArray(one.extra_snippets) ? one.extra_snippets : [];
      return { ...found, text: [found.text, ...more.map(plain)].filter((text) => text !== '').join('\n') };
    }),
};

const tavily: Engine = {
  name: 'Tavily',
  request: (query, { baseUrl, apiKey }) => ({
    url: `${baseUrl}/search`,
    init: {
      method: 'POST',
      headers: { authorization: `Bearer ${apiKey}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        query: query.text,
        max_results: Math.min(query.count, 20),
        ...(query.domains.length === 0 ? {} : { include_domains: query.domains }),
        ...(query.country === null ? {} : { country: countryName(query.country) }),
      }),
    },
  }),
  results: (answer) => listOf(answer, 'results').map((one) => page(one, 'content')),
};

const provider =
  (engine: Engine) =>
  (config: EngineConfig): SearchProvider => ({
    isLive: true,
    async search(query, signal) {
      const { url, init } = engine.request(query, config);
      const answer = await ask(engine, url, { ...init, signal });
      return engine
        .results(answer)
        .filter(({ url: found }) => /^https?:/.test(found) && isOfDomains(found, query.domains))
        .slice(0, query.count);
    },
  });

/** The engines by the name they have in the configuration. */
export const engines = { searxng: provider(searxng), brave: provider(brave), tavily: provider(tavily) };

async function ask({ name, advice }: Engine, url: string, init: RequestInit): Promise<unknown> {
  const response = await reach(name, url, init);
  const { text, clipped } = await boundedText(response, mostBytes);
  if (!response.ok) {
    const more = advice?.[response.status] ?? '';
    throw toolFailure(`${name} answered ${response.status}. ${more}`.trim());
  }
  try {
    if (!clipped) return JSON.parse(text);
  } catch {
    // Told below.
  }
  throw toolFailure(`${name} answered with something that is not the JSON of results.`);
}

/** The address is the operator's own, so that any is reached; but not those that it redirects to. */
async function reach(name: string, url: string, init: RequestInit): Promise<Response> {
  try {
    return await fetch(url, { ...init, redirect: 'error' });
  } catch (error) {
    if (init.signal?.aborted) throw error;
    throw toolFailure(`${name} could not be reached.`);
  }
}

const withSites = ({ text, domains }: SearchQuery): string =>
  domains.length === 0 ? text : `${text} (${domains.map((domain) => `site:${domain}`).join(' OR ')})`;

const countryName = (code: string): string =>
  new Intl.DisplayNames(['en'], { type: 'region' }).of(code)?.toLowerCase() ?? code;

function listOf(answer: unknown, member: string): Record<string, unknown>[] {
  const list = (answer as Record<string, unknown> | null | undefined)?.[member];
  if (!Array.isArray(list)) return [];
  return list.filter((one): one is Record<string, unknown> => typeof one === 'object' && one !== null);
}

const page = (one: Record<string, unknown>, text: string): SearchResult => ({
  url: plain(one.url),
  title: plain(one.title),
  text: plain(one[text]),
});

/** Some engines mark the words of the query in HTML. */
const plain = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/<\/?(?:strong|b|em)>/g, '') : '';
