import type { WebSearchConfig } from '../../../config-web-search.ts';

/** The seam of search engines: words in, pages out. */
export interface SearchProvider {
  /** Whether it reaches beyond this machine; what does not can be searched without access to the web. */
  isLive: boolean;
  search(query: SearchQuery, signal: AbortSignal): Promise<SearchResult[]>;
}

export interface SearchQuery {
  text: string;
  /** Most results that are wanted. */
  count: number;
  /** Domains that results may be of, subdomains included; none for any. */
  domains: readonly string[];
  /** Two letters, ISO 3166; null where it is not known. */
  country: string | null;
}

export interface SearchResult {
  url: string;
  title: string;
  /** What the page says, or the part of it that answers the query. */
  text: string;
}

/** The engine that is configured. Throws when its index can't be read. */
export async function openSearchProvider(config: WebSearchConfig): Promise<SearchProvider> {
  if (config.provider === 'file') {
    const { fileIndex } = await import('./file-index.ts');
    return fileIndex(config.path);
  }
  const { engines } = await import('./engines.ts');
  return engines[config.provider](config);
}

/** Whether a page is of one of the domains. */
export function isOfDomains(url: string, domains: readonly string[]): boolean {
  if (domains.length === 0) return true;
  const host = URL.parse(url)?.hostname;
  return host !== undefined && domains.some((domain) => host === domain || host.endsWith(`.${domain}`));
}
