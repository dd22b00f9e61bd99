import { recordOf, recordsIn } from '../../../kit/record.ts';
import { type ConnectedServiceParts, connectedService } from '../connected-service.ts';
import type { ToolContext } from '../tool.ts';
import { type Engine, engineSearch, plain, withSites } from '../web-search/engine.ts';
import type { SearchProvider } from '../web-search/search-provider.ts';

export interface BingConfiguration {
  project_connection_id: string;
  /** Searches the slice of the web that a Custom Search instance defines. */
  instance_name?: string | undefined;
  market?: string | null | undefined;
  set_lang?: string | null | undefined;
  freshness?: string | null | undefined;
}

interface BingAddress extends BingConfiguration {
  address: string;
  headers: Record<string, string>;
}

/** The Bing Web Search and Custom Search APIs, version 7. */
const bing: Engine<BingAddress> = {
  request(query, { address, headers, instance_name, market, set_lang, freshness }) {
    const parameters = new URLSearchParams({
      q: withSites(query),
      ...(instance_name === undefined ? {} : { customconfig: instance_name }),
      count: String(Math.min(query.count, 50)),
      ...(market ? { mkt: market } : {}),
      ...(set_lang ? { setLang: set_lang } : {}),
      ...(freshness ? { freshness } : {}),
    });
    const path = instance_name === undefined ? '/v7.0/search' : '/v7.0/custom/search';
    return {
      url: `${address}${path}?${parameters}`,
      init: { headers: { accept: 'application/json', ...headers } },
    };
  },
  results: (answer) =>
    recordsIn(recordOf(recordOf(answer).webPages).value).map(({ url, name, snippet }) => ({
      url: plain(url),
      title: plain(name),
      text: plain(snippet),
    })),
};

/** Searches by the Bing API at the target of a connection. Throws about a connection that can't be used. */
export async function bingSearch(
  parts: ConnectedServiceParts,
  configuration: BingConfiguration,
  context: Pick<ToolContext, 'project'>,
  target: string,
): Promise<SearchProvider> {
  const service = await connectedService(
    parts,
    { id: configuration.project_connection_id, name: 'Bing', keyHeader: 'Ocp-Apim-Subscription-Key' },
    context,
    `${target}.project_connection_id`,
  );
  const { address, headers } = service;
  return engineSearch(bing, { ...configuration, address, headers }, service);
}
