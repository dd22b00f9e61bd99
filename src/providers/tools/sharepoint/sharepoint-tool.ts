import { invalidPayload } from '../../../errors.ts';
import { isRecord, recordsIn } from '../../../kit/record.ts';
import type { Outbound } from '../../outbound/outbound.ts';
import { citePage, tellPages } from '../cited-pages.ts';
import { connectionTool } from '../connection-tool.ts';
import type { ToolConnections } from '../connections.ts';
import { bearerToken, customKey, type NamedConnection } from '../named-connection.ts';
import { type CallService, serviceCaller } from '../service-call.ts';
import type { ServerTool } from '../tool.ts';
import { toolFailure } from '../tool-failure.ts';
import type { SearchResult } from '../web-search/search-provider.ts';

export interface SharepointParts {
  outbound: Outbound;
  connections: ToolConnections;
}

const type = 'sharepoint_grounding_preview';
const mostResults = 10;
const mostCharacters = 4000;
/** Of the Retrieval API. */
const longestQuery = 1500;
const graph = 'https://graph.microsoft.com/v1.0';
const service = 'Microsoft Graph';

/** `sharepoint_grounding_preview`: searches a SharePoint site by the Microsoft 365 Copilot Retrieval API. */
export const sharepointTool = ({ outbound, connections }: SharepointParts): ServerTool =>
  connectionTool(connections, {
    type,
    functionName: 'sharepoint_grounding',
    parameter: { name: 'query', about: 'What to look for, as one sentence.' },
    timeoutSeconds: 90,
    async open(named, { nextMark }) {
      const site = siteOf(named);
      const address = (customKey(named.connection, 'graph_url') ?? graph).replace(/\/+$/, '');
      const authorization = bearerToken(named, service);
      await outbound.check(address, named.place);
      const call = serviceCaller(outbound, { name: service, headers: { authorization } });
      return {
        description: `Search the SharePoint site ${site}. Returns documents with the text that answers the query, each with a mark such as 【1】. Put the mark right behind what you take from the document.`,
        async ask(query, signal) {
          const results = await retrieve(call, `${address}/copilot/retrieval`, site, query, signal);
          const marked = results.map((result) => ({ ...result, mark: `【${nextMark()}】` }));
          return { output: tellPages(query, marked, mostCharacters), sources: marked.flatMap(citePage) };
        },
      };
    },
  });

/** The site or folder that is searched. Quotation marks would end the filter that it is put in. */
function siteOf({ connection, place }: NamedConnection): string {
  const given = customKey(connection, 'site_url', 'siteurl') ?? connection.target;
  const site = /^https?:\/\//i.test(given) ? given : `https://${given}`;
  if (URL.parse(site)?.hostname.includes('.') && !/["\\]/.test(site)) return site;
  throw invalidPayload(
    place,
    `The connection '${connection.name}' names no SharePoint site. Set its target, or the custom key 'site_url', to the address of a site or folder, such as https://contoso.sharepoint.com/sites/policies.`,
  );
}

async function retrieve(
  call: CallService,
  url: string,
  site: string,
  query: string,
  signal: AbortSignal,
): Promise<SearchResult[]> {
  if (query.length > longestQuery) {
    throw toolFailure(`The query is longer than ${longestQuery} characters. Ask in one sentence.`);
  }
  const body = {
    queryString: query,
    dataSource: 'sharePoint',
    filterExpression: `path:"${site}"`,
    resourceMetadata: ['title', 'author'],
    maximumNumberOfResults: mostResults,
  };
  const { retrievalHits } = await call(url, { method: 'POST', body, signal });
  if (!Array.isArray(retrievalHits)) throw toolFailure(`${service} answered without 'retrievalHits'.`);
  return recordsIn(retrievalHits)
    .map(documentOf)
    .filter(({ url: found }) => /^https?:/.test(found))
    .slice(0, mostResults);
}

function documentOf({ webUrl, extracts, resourceMetadata }: Record<string, unknown>): SearchResult {
  const url = typeof webUrl === 'string' ? webUrl : '';
  const title = isRecord(resourceMetadata) ? resourceMetadata.title : null;
  const name = URL.parse(url)?.pathname.split('/').at(-1) ?? '';
  const texts = recordsIn(extracts).map(({ text }) => (typeof text === 'string' ? text : ''));
  return {
    url,
    title: typeof title === 'string' && title !== '' ? title : readable(name),
    text: texts.filter((text) => text !== '').join('\n'),
  };
}

function readable(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    return name;
  }
}
