import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApiError } from '../../../errors.ts';
import type { ConnectionCredentials } from '../connections.ts';
import { type AnswerRequest, json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import { type SearchServices, searchKey, searchServices } from '../testing/search-services.ts';
import type { ServerTool } from '../tool.ts';
import { webSearchTools } from '../web-search/web-search-tool.ts';
import { bingTools } from './bing-tools.ts';

let services: SearchServices;
beforeEach(async () => {
  services = await searchServices();
});
afterEach(() => services.close());

const withKey: ConnectionCredentials = { type: 'ApiKey', apiKey: searchKey };
const parts = (credentials: ConnectionCredentials) => ({
  outbound: loopbackOutbound,
  connections: fixedConnections({ bing: { target: services.url, credentials } }),
});
const [grounding, custom] = ['bing_grounding', 'bing_custom_search_preview'] as const;

function open(type: string, configuration: object = {}, credentials = withKey) {
  const tool = bingTools(parts(credentials)).find((one) => one.type === type) as ServerTool;
  const chosen = { project_connection_id: 'bing', ...configuration };
  return opened(tool, { type, [type]: { search_configurations: [chosen] } });
}
async function find(type: string, configuration?: object, credentials?: ConnectionCredentials) {
  const opened = await open(type, configuration, credentials);
  return called(opened, opened.functions[0]?.name ?? '', { query: 'seattle weather' });
}
const asked = () => {
  const { pathname, searchParams } = new URL(services.requests.at(-1)?.url ?? '', 'http://a');
  return { pathname, ...Object.fromEntries(searchParams) };
};
const refusal = (made: Promise<unknown>) =>
  made.then(
    () => expect.fail('it was taken'),
    (error: ApiError) => error,
  );

describe('a search with Bing', () => {
  test('tells the pages with their marks, and leaves them in the item', async () => {
    const { output, fields, sources } = await find(grounding, { count: 1 });
    expect(output).toBe(
      '【1】 Seattle weather\nhttps://weather.example/seattle\nToday Seattle has light rain.',
    );
    expect(JSON.parse(String(fields.output))).toEqual({
      webPages: {
        value: [
          {
            name: 'Seattle weather',
            url: 'https://weather.example/seattle',
            snippet: 'Today Seattle has light rain.',
          },
        ],
      },
    });
    expect(sources?.map(({ mention }) => mention)).toEqual(['【1】', 'https://weather.example/seattle']);
  });

  test('asks as the configuration says', async () => {
    // The instance is of custom searches.
    const more = { instance_name: 'mine' };
    await find(grounding, { market: 'en-GB', set_lang: 'en', count: 7, freshness: 'Week', ...more });
    expect(asked()).toEqual({
      pathname: '/v7.0/search',
      q: 'seattle weather',
      mkt: 'en-GB',
      setLang: 'en',
      count: '7',
      freshness: 'Week',
    });
    await find(grounding);
    expect(asked()).toEqual({ pathname: '/v7.0/search', q: 'seattle weather', count: '5' });
  });

  test('of a custom instance asks for that', async () => {
    const { output } = await find(custom, { instance_name: 'mine' });
    expect(asked()).toMatchObject({ pathname: '/v7.0/custom/search', customconfig: 'mine' });
    expect(output).toMatch(/harbour/);
    await expect(find(custom, { instance_name: 'other' })).rejects.toThrow(
      'Bing answered 400. Parameter has invalid value: customconfig.',
    );
  });

  test('may be what web_search searches by', async () => {
    const configuration = { project_connection_id: 'bing', instance_name: 'mine' };
    const [tool] = webSearchTools({ ...parts(withKey), search: null }) as [ServerTool];
    const found = await called(
      await opened(tool, { type: 'web_search', custom_search_configuration: configuration }),
      'web_search',
      { query: 'harbour' },
    );
    expect(found.output).toMatch(/^【1】 Harbour\nhttps:\/\/harbour\.example\//);
    expect(found.fields).toEqual({ action: { type: 'search', query: 'harbour', queries: ['harbour'] } });
    expect(asked()).toMatchObject({ pathname: '/v7.0/custom/search', customconfig: 'mine', count: '6' });
  });
});

describe('a search with Bing fails', () => {
  const endless: AnswerRequest = (response) => {
    for (let i = 0; i < 30; i++) response.write('x'.repeat(1_048_576));
    response.end();
  };
  test.each<[string, AnswerRequest, RegExp]>([
    ['of errors', json({ errors: [{ message: 'Too many.' }] }, 429), /^Bing answered 429\. Too many\.$/],
    ['of answers that are none', (response) => void response.end('<html>'), /not the JSON of results/],
    ['of answers without end', endless, /not the JSON of results/],
    ['of a connection that breaks', (response) => void response.destroy(), /Bing could not be reached/],
  ])('%s', async (_, answer, message) => {
    services.instead = answer;
    await expect(find(grounding)).rejects.toThrow(message);
  });

  test('of a key, which is not told', async () => {
    services.instead = json({ error: { message: 'a-wrong-key is wrong.' } }, 401);
    const wrong = { type: 'ApiKey' as const, apiKey: 'a-wrong-key' };
    await expect(find(grounding, {}, wrong)).rejects.toThrow(
      "Bing answered 401. [redacted] is wrong. Check the credentials of connection 'bing'.",
    );
  });

  test('of a redirect to where tools may not go', async () => {
    services.instead = (response) =>
      void response.writeHead(302, { location: 'http://169.254.169.254/' }).end();
    await expect(find(grounding)).rejects.toThrow(/may not reach '169\.254\.169\.254'/);
  });

  test('of a query that is missing', async () => {
    await expect(called(await open(grounding), grounding, { query: ' ' })).rejects.toThrow(
      "'query' is missing",
    );
  });
});

describe('a definition that cannot be', () => {
  test.each([
    [grounding, { project_connection_id: 'other' }, 'project_connection_id'],
    [grounding, { project_connection_id: undefined }, 'project_connection_id'],
    [grounding, { count: 51 }, 'count'],
    [custom, {}, 'instance_name'],
  ])('%s with %j is refused at its place', async (type, configuration, member) => {
    const error = await refusal(open(type, configuration));
    expect(error).toMatchObject({
      status: 400,
      target: `tools[0].${type}.search_configurations[0].${member}`,
    });
  });

  test.each<[ConnectionCredentials, string]>([
    [{ type: 'SAS', sasToken: 's' }, 'unsupported_parameter'],
    [{ type: 'CustomKeys', keys: { 'not a header': 'secret' } }, 'invalid_payload'],
    [{ type: 'ApiKey', apiKey: 'secret✗' }, 'invalid_payload'],
  ])('has credentials that cannot be sent: %j', async (credentials, code) => {
    const error = await refusal(open(grounding, {}, credentials));
    const target = 'tools[0].bing_grounding.search_configurations[0].project_connection_id';
    expect(error).toMatchObject({ code, target });
    expect(error.message).not.toMatch(/secret/);
  });
});
