import type { SecretEntry, WebSearchEntry } from './config-schema.ts';

/** The search engine of the web search tool. */
export type WebSearchConfig =
  | {
      provider: 'searxng' | 'brave' | 'tavily';
      baseUrl: string;
      /** Never printed. */
      apiKey: string | null;
    }
  | {
      provider: 'file';
      /** Absolute path of a JSON file with pages. */
      path: string;
    };

export interface WebSearchSource {
  /** The key itself; null where it can't be had. */
  secret(from: SecretEntry): string | null;
  /** The absolute path of a file that exists. */
  file(path: string): string;
  fault(about: 'baseUrl' | 'apiKey' | 'path' | null, message: string): void;
}

/** What each engine cannot do without, and what means nothing to it. */
const rules = {
  searxng: { required: ['baseUrl'], refused: ['path'] },
  brave: { required: ['apiKey'], refused: ['path'] },
  tavily: { required: ['apiKey'], refused: ['path'] },
  file: { required: ['path'], refused: ['baseUrl', 'apiKey'] },
} as const;

const addresses = { searxng: '', brave: 'https://api.search.brave.com', tavily: 'https://api.tavily.com' };

export function webSearchConfig(given: WebSearchEntry, source: WebSearchSource): WebSearchConfig {
  const { provider } = given;
  for (const key of rules[provider].required) {
    if (given[key] === undefined) {
      source.fault(null, `the key '${key}' is missing; provider '${provider}' needs it`);
    }
  }
  for (const key of rules[provider].refused) {
    if (given[key] !== undefined) source.fault(key, `has no meaning for provider '${provider}'`);
  }
  if (provider === 'file') {
    return { provider, path: given.path === undefined ? '' : source.file(given.path) };
  }
  return {
    provider,
    baseUrl: (given.baseUrl ?? addresses[provider]).replace(/\/+$/, ''),
    apiKey: given.apiKey === undefined ? null : source.secret(given.apiKey),
  };
}
