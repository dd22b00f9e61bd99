import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ApiError } from '../../../errors.ts';
import type { ConnectionCredentials } from '../connections.ts';
import { json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import {
  handbook,
  queryKey,
  type SearchServices,
  searchKey,
  searchServices,
} from '../testing/search-services.ts';
import { azureAiSearchTool } from './azure-ai-search-tool.ts';
import { readDocument } from './found-document.ts';

let services: SearchServices;
beforeEach(async () => {
  services = await searchServices();
});
afterEach(() => services.close());

const name = 'azure_ai_search';
const place = 'tools[0].azure_ai_search.indexes[0]';

function open(
  index: object = {},
  credentials: ConnectionCredentials = { type: 'ApiKey', apiKey: searchKey },
) {
  const connections = fixedConnections({ books: { target: `${services.url}/`, credentials } });
  const chosen = { project_connection_id: 'books', index_name: 'handbook', query_type: 'simple', ...index };
  return opened(azureAiSearchTool({ outbound: loopbackOutbound, connections }), {
    type: 'azure_ai_search',
    azure_ai_search: { indexes: [chosen] },
  });
}
const find = async (query: string, index?: object, credentials?: ConnectionCredentials) =>
  called(await open(index, credentials), name, { query });
const refusal = (made: Promise<unknown>) =>
  made.then(
    () => expect.fail('it was taken'),
    (error: ApiError) => error,
  );
const asked = () => JSON.parse(String(services.requests.at(-1)?.body));

describe('a search', () => {
  test('tells the documents with their marks, and leaves them in the item as the service does', async () => {
    const { output, fields, sources } = await find('mental health services');
    expect(output).toBe(
      [
        '【1:0†source】 Mental health\nhttps://intranet.example/health',
        'Mental health services are covered up to twenty visits a year.\npages: 3',
        '',
        `【1:1†source】 doc_1\n${services.url}/\nThe canteen serves soup and services cars.\nb.pdf\npages: 1`,
      ].join('\n'),
    );
    expect(JSON.parse(String(fields.output))).toEqual({
      documents: [
        {
          id: 'a/1',
          title: 'Mental health',
          url: 'https://intranet.example/health',
          content: 'Mental health services are covered up to twenty visits a year.\npages: 3',
          score: 3,
        },
        {
          id: 'b',
          title: 'doc_1',
          url: `${services.url}/`,
          content: 'The canteen serves soup and services cars.\nb.pdf\npages: 1',
          score: 1,
        },
      ],
      get_urls: [
        `${services.url}/indexes/handbook/docs/a%2F1?api-version=2024-07-01`,
        `${services.url}/indexes/handbook/docs/b?api-version=2024-07-01`,
      ],
    });
    const known = { type: 'url_citation', url: 'https://intranet.example/health', title: 'Mental health' };
    expect(sources).toEqual([
      { mention: '【1:0†source】', annotation: known },
      { mention: known.url, annotation: known },
      {
        mention: '【1:1†source】',
        annotation: { type: 'url_citation', url: `${services.url}/`, title: 'doc_1' },
      },
    ]);
  });

  test('marks each search anew, and asks for the index once', async () => {
    const index = await open();
    await called(index, name, { query: 'soup' });
    const { sources } = await called(index, name, { query: 'soup' });
    expect(sources?.[0]?.mention).toBe('【2:0†source】');
    expect(services.requests.map(({ method }) => method)).toEqual(['GET', 'POST', 'POST']);
  });

  test('that finds nothing says so', async () => {
    expect((await find('zebra')).output).toBe("Nothing was found for 'zebra'.");
  });

  const select = 'chunk_id,title,chunk,url,pages';
  const semantic = { search: 'soup', queryType: 'semantic', semanticConfiguration: 's' };
  const vector = (k: number) => ({
    vectorQueries: [{ kind: 'text', text: 'soup', fields: 'text_vector', k }],
  });
  test.each([
    ['simple', { search: 'soup', queryType: 'simple' }],
    ['semantic', semantic],
    ['vector', vector(7)],
    ['vector_simple_hybrid', { search: 'soup', queryType: 'simple', ...vector(7) }],
    ['vector_semantic_hybrid', { ...semantic, ...vector(50) }],
  ])('by %s asks what the service documents', async (query_type, body) => {
    await find('soup', { query_type, top_k: 7, filter: "title eq 'x'" });
    expect(asked()).toEqual({ ...body, filter: "title eq 'x'", select, top: 7 });
  });

  test('takes five documents by everything the index has, unless told', async () => {
    await find('soup', { query_type: null });
    expect(asked()).toMatchObject({ ...semantic, ...vector(50), top: 5 });
  });

  test('leaves it to the service which of several semantic configurations is meant', async () => {
    services.index = { ...handbook, semantic: { configurations: [{ name: 'a' }, { name: 'b' }] } };
    await find('soup', { query_type: 'semantic' });
    expect(asked()).not.toHaveProperty('semanticConfiguration');
  });

  test('by words does with a key for queries only, by vectors it does not', async () => {
    const credentials = { type: 'ApiKey' as const, apiKey: queryKey };
    const { output } = await find('soup', {}, credentials);
    expect(output).toMatch(/soup/);
    expect(asked()).not.toHaveProperty('select');
    await expect(find('soup', { query_type: 'vector' }, credentials)).rejects.toThrow(
      /answered 403\. Admin key required\. .*takes an admin key/,
    );
  });

  test.each([
    [
      'without a vectorizer',
      { vectorSearch: { profiles: [{ name: 'p' }] } },
      /no vectorizer that makes vectors/,
    ],
    ['without vectors', { fields: handbook.fields.slice(0, 3) }, /no vector fields/],
  ])('by vectors fails of an index %s', async (_, changed, message) => {
    services.index = { ...handbook, ...changed };
    await expect(find('soup', { query_type: 'vector_simple_hybrid' })).rejects.toThrow(message);
  });

  test('shows no vectors and no more of a document than is bearable', async () => {
    const long = { chunk_id: 'c', chunk: 'soup '.repeat(10_000), text_vector: Array(1536).fill(0.1) };
    services.documents = [long];
    const { output } = await find('soup', {}, { type: 'ApiKey', apiKey: queryKey });
    expect(output.length).toBeLessThan(8500);
    expect(output).not.toMatch(/text_vector/);
  });

  test('takes keys by the names of their headers', async () => {
    await find('soup', {}, { type: 'CustomKeys', keys: { 'api-key': searchKey, Authorization: 'Bearer t' } });
    expect(services.requests.at(-1)?.headers).toMatchObject({
      'api-key': searchKey,
      authorization: 'Bearer t',
    });
  });
});

describe('a service', () => {
  test('that refuses the key is told of, and the key is not', async () => {
    const credentials = { type: 'ApiKey' as const, apiKey: 'a-wrong-key' };
    await expect(find('soup', {}, credentials)).rejects.toThrow(
      "Azure AI Search answered 401. The key [redacted] is not one. Check the credentials of connection 'books'.",
    );
  });

  test.each([
    ['that fails', json({ error: { message: 'Oh no.' } }, 500), 'Azure AI Search answered 500. Oh no.'],
    ['that has enough', json({}, 429), 'Azure AI Search answered 429.'],
    ['that answers with something else', json('<html>'), "Nothing was found for 'soup'."],
  ])('%s', async (_, answer, said) => {
    services.instead = answer;
    const outcome = await find('soup').then(
      ({ output }) => output,
      (error: Error) => error.message,
    );
    expect(outcome).toBe(said);
  });

  test('that hangs ends with the signal of the call', async () => {
    services.instead = () => {};
    const signal = AbortSignal.timeout(50);
    await expect(called(await open(), name, { query: 'soup' }, signal)).rejects.toThrow(/timeout/);
  });
});

describe('a definition that cannot be', () => {
  test.each([
    [{ project_connection_id: 'other' }, 'project_connection_id', /'other'.*bloomery connection set other/],
    [{ project_connection_id: null }, 'project_connection_id', /Missing required/],
    [{ index_name: undefined }, 'index_name', /Missing required/],
    [{ index_name: '../x' }, 'index_name', /./],
    [{ index_asset_id: 'a/versions/1' }, 'index_asset_id', /no index assets/],
    [{ query_type: 'full' }, 'query_type', /./],
    [{ top_k: 0 }, 'top_k', /./],
    [{ top_k: 101 }, 'top_k', /./],
  ])('%j is refused at its place', async (index, member, message) => {
    const error = await refusal(open(index));
    expect(error).toMatchObject({ status: 400, target: `${place}.${member}` });
    expect(error.message).toMatch(message);
    expect(services.requests).toEqual([]);
  });

  test('has more than one index', async () => {
    const tool = azureAiSearchTool({ outbound: loopbackOutbound, connections: fixedConnections({}) });
    const two = { type: name, azure_ai_search: { indexes: [{}, {}] } };
    expect(await refusal(opened(tool, two))).toMatchObject({ target: 'tools[0].azure_ai_search.indexes' });
  });

  test('has credentials that this server cannot send', async () => {
    const error = await refusal(open({}, { type: 'AAD' }));
    expect(error).toMatchObject({ code: 'unsupported_parameter', target: `${place}.project_connection_id` });
  });

  test('leads where tools may not go', async () => {
    const credentials = { type: 'None' as const };
    const connections = fixedConnections({ books: { target: 'http://169.254.169.254', credentials } });
    const given = { indexes: [{ project_connection_id: 'books', index_name: 'handbook' }] };
    const tool = azureAiSearchTool({ outbound: loopbackOutbound, connections });
    expect(await refusal(opened(tool, { type: name, azure_ai_search: given }))).toMatchObject({
      code: 'address_not_allowed',
      target: `${place}.project_connection_id`,
    });
  });
});

test('whatever a document has, it can be read', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (document) => {
      const found = readDocument(document, null, 'https://a.example/indexes/i');
      expect(found.content.length).toBeLessThanOrEqual(8193);
      expect(found.url).toMatch(/^$|^https?:/);
    }),
  );
});
