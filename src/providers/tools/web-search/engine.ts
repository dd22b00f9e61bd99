import { type AskedService, askService } from '../ask-service.ts';
import { isOfDomains, type SearchProvider, type SearchQuery, type SearchResult } from './search-provider.ts';

/** How a search engine is asked, and what its answers mean. */
export interface Engine<Config> {
  request(query: SearchQuery, config: Config): { url: string; init: RequestInit };
  /** The results in an answer, each a page with its address. */
  results(answer: unknown): SearchResult[];
}

export const engineSearch = <Config>(
  engine: Engine<Config>,
  config: Config,
  service: AskedService,
): SearchProvider => ({
  isLive: true,
  async search(query, signal) {
    const { url, init } = engine.request(query, config);
    const answer = await askService(service, url, { ...init, signal });
    return engine
      .results(answer)
      .filter(({ url: found }) => /^https?:/.test(found) && isOfDomains(found, query.domains))
      .slice(0, query.count);
  },
});

export const withSites = ({ text, domains }: SearchQuery): string =>
  domains.length === 0 ? text : `${text} (${domains.map((domain) => `site:${domain}`).join(' OR ')})`;

/** Some engines mark the words of the query in HTML. */
export const plain = (value: unknown): string =>
  typeof value === 'string' ? value.replace(/<\/?(?:strong|b|em)>/g, '') : '';
