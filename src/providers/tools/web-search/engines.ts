import { recordOf, recordsIn } from '../../../kit/record.ts';
import { type Engine, engineSearch, plain, withSites } from './engine.ts';
import type { SearchProvider, SearchResult } from './search-provider.ts';

export interface EngineConfig {
  baseUrl: string;
  apiKey: string | null;
}

const searxng: Engine<EngineConfig> = {
  request: (query, { baseUrl, apiKey }) => ({
    url: `${baseUrl}/search?${new URLSearchParams({ q: withSites(query), format: 'json' })}`,
    init: { headers: apiKey === null ? {} : { authorization: `Bearer ${apiKey}` } },
  }),
  results: (answer) => recordsIn(recordOf(answer).results).map((one) => page(one, 'content')),
};

const brave: Engine<EngineConfig> = {
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
    recordsIn(recordOf(recordOf(answer).web).results).map((one) => {
      const found = page(one, 'description');
      const more = Array.isArray(one.extra_snippets) ? one.extra_snippets : [];
      return { ...found, text: [found.text, ...more.map(plain)].filter((text) => text !== '').join('\n') };
    }),
};

const tavily: Engine<EngineConfig> = {
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
  results: (answer) => recordsIn(recordOf(answer).results).map((one) => page(one, 'content')),
};

const provider =
  (name: string, engine: Engine<EngineConfig>, advice: Record<number, string> = {}) =>
  (config: EngineConfig): SearchProvider =>
    engineSearch(engine, config, { name, fetch: straight, advice });

/** The address is the operator's own, so that any is reached; but not those that it redirects to. */
const straight: typeof fetch = (input, init) => fetch(input, { ...init, redirect: 'error' });

/** The engines by the name they have in the configuration. */
export const engines = {
  searxng: provider('SearXNG', searxng, { 403: "'json' has to be among its 'search.formats'." }),
  brave: provider('Brave Search', brave),
  tavily: provider('Tavily', tavily),
};

const countryName = (code: string): string =>
  new Intl.DisplayNames(['en'], { type: 'region' }).of(code)?.toLowerCase() ?? code;

const page = (one: Record<string, unknown>, text: string): SearchResult => ({
  url: plain(one.url),
  title: plain(one.title),
  text: plain(one[text]),
});
