import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import type { WebSearchConfig } from '../../../config-web-search.ts';
import type { ApiError } from '../../../errors.ts';
import { type AnswerRequest, type HttpServer, httpServer, json } from '../testing/http-server.ts';
import { called, noConnections, opened } from '../testing/opened-tool.ts';
import type { ServerTool, ToolContext } from '../tool.ts';
import { openSearchProvider, type SearchProvider } from './search-provider.ts';
import { webSearchTools, webSearchTypes } from './web-search-tool.ts';

const directory = mkdtempSync(join(tmpdir(), 'bloomery-search-'));
afterAll(() => rmSync(directory, { recursive: true }));
let server: HttpServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

const index = (...pages: object[]) => {
  const path = join(directory, 'pages.json');
  writeFileSync(path, JSON.stringify(pages));
  return openSearchProvider({ provider: 'file', path });
};
const tube = {
  url: 'https://tfl.gov.uk/tube',
  title: 'Tube status',
  text: 'The Victoria line of the London Underground has a good service.',
};
const cats = { url: 'https://cats.example/a', title: 'Cats', text: 'Cats sleep, also in London.' };

const toolOf = (search: SearchProvider | null) =>
  webSearchTools({ ...noConnections, search })[0] as ServerTool;
const open = (search: SearchProvider | null, definition: object = {}, context: Partial<ToolContext> = {}) =>
  opened(toolOf(search), { type: 'web_search', ...definition }, context);
const find = async (search: SearchProvider, query: string, definition: object = {}) =>
  called(await open(search, definition), 'web_search', { query });

async function engine(provider: 'searxng' | 'brave' | 'tavily', answer: AnswerRequest) {
  server = await httpServer(answer);
  const config: WebSearchConfig = { provider, baseUrl: server.url, apiKey: 'secret-key' };
  return openSearchProvider(config);
}
const refusal = (made: Promise<unknown>) =>
  made.then(
    () => expect.fail('it was taken'),
    (error: ApiError) => error,
  );

test('every version of the tool is served', () => {
  expect(webSearchTools({ ...noConnections, search: null }).map(({ type }) => type)).toEqual([
    ...webSearchTypes,
  ]);
});

describe('an index in a file', () => {
  test('is ranked by how much of the query a page has', async () => {
    const search = await index(cats, tube, { url: 'https://a.example', title: '', text: 'Nothing of it.' });
    const query = { text: 'london underground', count: 5, domains: [], country: null };
    const found = await search.search(query, AbortSignal.timeout(1000));
    expect(found.map(({ url }) => url)).toEqual([tube.url, cats.url]);
  });

  test('shows a long page from where it answers', async () => {
    const search = await index({ ...tube, text: `${'filler '.repeat(2000)}underground at last` });
    const { output } = await find(search, 'underground', { search_context_size: 'low' });
    expect(output).toMatch(/…( filler)+ underground at last/);
    expect(output.length).toBeLessThan(800);
  });

  test.each(['{}', 'nonsense', '[{"url":1}]', '[null]'])('that is %s stops the start', async (content) => {
    const path = join(directory, 'wrong.json');
    writeFileSync(path, content);
    await expect(openSearchProvider({ provider: 'file', path })).rejects.toThrow(
      /webSearch\.path: .*wrong\.json/,
    );
  });
});

describe('a search', () => {
  test('tells its course, its query, and the pages with their marks', async () => {
    const search = await index(cats, tube);
    const { events, fields, output, sources } = await find(search, 'london underground');
    expect(events).toEqual(['response.web_search_call.searching']);
    expect(fields).toEqual({
      action: { type: 'search', query: 'london underground', queries: ['london underground'] },
    });
    expect(output).toContain(`【1】 Tube status\n${tube.url}\nThe Victoria line`);
    const citation = { type: 'url_citation', url: tube.url, title: 'Tube status' };
    expect(sources?.slice(0, 2)).toEqual([
      { mention: '【1】', annotation: citation },
      { mention: tube.url, annotation: citation },
    ]);
  });

  test('tells its sources only when asked to', async () => {
    const context = { include: ['web_search_call.action.sources'] };
    const opened = await open(await index(tube), {}, context);
    const { fields } = await called(opened, 'web_search', { query: 'tube' });
    expect(fields.action).toMatchObject({ sources: [{ type: 'url', url: tube.url }] });
  });

  test('takes its marks from the response', async () => {
    let last = 6;
    const opened = await open(await index(tube), {}, { nextMark: () => ++last });
    const marks: (string | undefined)[] = [];
    for (let i = 0; i < 2; i++) {
      const { sources } = await called(opened, 'web_search', { query: 'tube' });
      marks.push(sources?.[0]?.mention);
    }
    expect(marks).toEqual(['【7】', '【8】']);
  });

  test('keeps to the allowed domains, subdomains included', async () => {
    const search = await index(tube, cats, { ...tube, url: 'https://nottfl.gov.uk/x' });
    const filters = { allowed_domains: ['https://gov.uk', 'www.tfl.gov.uk'] };
    const { output } = await find(search, 'london', { filters: { allowed_domains: ['tfl.gov.uk'] } });
    expect(output).toContain(tube.url);
    expect(output).not.toMatch(/cats|nottfl/);
    const wider = await find(search, 'london', { filters });
    expect(wider.output).toContain('nottfl');
  });

  test('brings more, and more of each, for a larger context', async () => {
    const pages = Array.from({ length: 20 }, (_, i) => ({
      url: `https://a.example/${i}`,
      title: `Page ${i}`,
      text: 'word '.repeat(2000),
    }));
    const search = await index(...pages);
    const sizes: [number, number][] = [];
    for (const search_context_size of ['low', 'medium', 'high']) {
      const { output, sources } = await find(search, 'word', { search_context_size });
      sizes.push([(sources?.length ?? 0) / 2, Math.round(output.length / 1000)]);
    }
    expect(sizes).toEqual([
      [3, 2],
      [6, 12],
      [12, 72],
    ]);
  });

  test('knows where the user is', async () => {
    const user_location = { type: 'approximate', city: 'London', country: 'GB', timezone: 'Europe/London' };
    const { functions } = await open(await index(tube), { user_location });
    expect(functions[0]?.description).toMatch(/The user is in London, GB;.*Europe\/London/);
  });

  test('that finds nothing says so', async () => {
    expect((await find(await index(tube), 'zebra')).output).toBe("Nothing was found for 'zebra'.");
  });

  test('without a query fails', async () => {
    await expect(find(await index(tube), ' ')).rejects.toThrow("'query' is missing");
  });

  test('is told again in later turns by what its item has kept', async () => {
    const { replay } = toolOf(null);
    const action = { type: 'search', query: 'q', sources: [{ type: 'url', url: 'https://a' }] };
    expect(replay({ action }, null)).toEqual({
      name: 'web_search',
      arguments: '{"query":"q"}',
      output: 'Found:\nhttps://a',
    });
    expect(replay({ action: { ...action, sources: undefined } }, null)?.output).toMatch(/no longer at hand/);
    expect(replay({ action: { type: 'open_page', url: 'x' } }, null)).toBeNull();
  });
});

describe('search engines', () => {
  const query = { allowed_domains: ['tfl.gov.uk'] };
  const definition = { filters: query, user_location: { country: 'gb' } };
  const path = () => new URL(server?.requests[0]?.url ?? '', 'http://a');

  test('SearXNG', async () => {
    const search = await engine('searxng', json({ results: [{ ...tube, content: tube.text }, cats] }));
    const { output } = await find(search, 'tube', definition);
    expect(output).toBe(`【1】 Tube status\n${tube.url}\n${tube.text}`);
    expect(path().pathname).toBe('/search');
    expect(Object.fromEntries(path().searchParams)).toEqual({ q: 'tube (site:tfl.gov.uk)', format: 'json' });
  });

  test('Brave', async () => {
    const results = [{ ...tube, description: '<strong>Good</strong> service.', extra_snippets: ['More.'] }];
    const search = await engine('brave', json({ web: { results } }));
    const { output } = await find(search, 'tube', definition);
    expect(output).toBe(`【1】 Tube status\n${tube.url}\nGood service.\nMore.`);
    expect(path().pathname).toBe('/res/v1/web/search');
    expect(Object.fromEntries(path().searchParams)).toMatchObject({ country: 'GB', count: '6' });
    expect(server?.requests[0]?.headers['x-subscription-token']).toBe('secret-key');
  });

  test('Tavily', async () => {
    const search = await engine('tavily', json({ results: [{ ...tube, content: tube.text }] }));
    await find(search, 'tube', definition);
    expect(path().pathname).toBe('/search');
    expect(server?.requests[0]?.headers.authorization).toBe('Bearer secret-key');
    expect(JSON.parse(String(server?.requests[0]?.body))).toEqual({
      query: 'tube',
      max_results: 6,
      include_domains: ['tfl.gov.uk'],
      country: 'united kingdom',
    });
  });

  test.each<[string, AnswerRequest, RegExp]>([
    ['that refuse', json({}, 403), /SearXNG answered 403. 'json' has to be among/],
    ['that fail', json({}, 500), /SearXNG answered 500\.$/],
    ['that answer with something else', (response) => void response.end('<html>'), /not the JSON of results/],
    ['that break off', (response) => void response.destroy(), /SearXNG could not be reached/],
    [
      'that lead elsewhere',
      (response) => void response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      /SearXNG could not be reached/,
    ],
    [
      'that answer without end',
      (response) => {
        const chunk = 'x'.repeat(1_048_576);
        for (let i = 0; i < 30; i++) response.write(chunk);
        response.end();
      },
      /not the JSON of results/,
    ],
  ])('%s make a failed call', async (_, answer, message) => {
    await expect(find(await engine('searxng', answer), 'tube')).rejects.toThrow(message);
  });

  test('bring nothing but pages of the web', async () => {
    const results = [{ ...tube, url: 'javascript:alert(1)' }, 'x', null, { url: 7 }];
    expect((await find(await engine('searxng', json({ results })), 'tube')).output).toMatch(
      /Nothing was found/,
    );
  });

  test('that hang end with the signal of the call', async () => {
    const opened = await open(await engine('searxng', () => {}));
    const signal = AbortSignal.timeout(50);
    await expect(called(opened, 'web_search', { query: 'a' }, signal)).rejects.toThrow(/timeout/);
  });
});

describe('a definition that cannot be', () => {
  test('without a search engine says what to configure', async () => {
    expect(await refusal(open(null))).toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      target: 'tools[0]',
      message: expect.stringContaining("'webSearch' in bloomery.yaml"),
    });
  });

  test('without web access is for an index only', async () => {
    const offline = { external_web_access: false };
    await expect(open(await index(tube), offline)).resolves.toBeDefined();
    const live = open(await engine('searxng', json({})), offline);
    expect(await refusal(live)).toMatchObject({ target: 'tools[0].external_web_access' });
  });

  test.each([
    [{ filters: { allowed_domains: ['a b'] } }, 'tools[0].filters.allowed_domains[0]'],
    [{ filters: { blocked: [] } }, 'tools[0].filters'],
    [{ search_context_size: 'huge' }, 'tools[0].search_context_size'],
    [{ search_content_types: ['image'] }, 'tools[0].search_content_types'],
    [{ custom_search_configuration: {} }, 'tools[0].custom_search_configuration.project_connection_id'],
    [{ user_location: { country: 'Britain' } }, 'tools[0].user_location.country'],
  ])('%j is refused at its place', async (definition, target) => {
    expect(await refusal(open(await index(tube), definition))).toMatchObject({ status: 400, target });
  });
});
