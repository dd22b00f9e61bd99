import { afterEach, beforeEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../families/testing/whole-app.ts';
import { azureAiSearchTool } from './azure-ai-search/azure-ai-search-tool.ts';
import { bingTools } from './bing/bing-tools.ts';
import { json } from './testing/http-server.ts';
import { fixedConnections, loopbackOutbound } from './testing/opened-tool.ts';
import { type SearchServices, searchKey, searchServices } from './testing/search-services.ts';
import { webSearchTools } from './web-search/web-search-tool.ts';

let services: SearchServices;
let apps: WholeApp[] = [];
beforeEach(async () => {
  services = await searchServices();
});
afterEach(async () => {
  await services.close();
  for (const app of apps.reverse()) await app.close();
  apps = [];
});

async function start(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  const connections = fixedConnections({
    books: { target: services.url, credentials: { type: 'ApiKey', apiKey: searchKey } },
  });
  const parts = { outbound: loopbackOutbound, connections, search: null };
  const tools = [azureAiSearchTool(parts), ...bingTools(parts), ...webSearchTools(parts)];
  const app = await wholeApp({ m: model.provider }, { tools });
  apps.push(app);
  const create = (body: object = {}) =>
    app.call('POST', '/openai/v1/responses', { model: 'm', input: 'Go.', tools: [azure()], ...body });
  return { app, model, create };
}

const azure = (index: object = {}) => ({
  type: 'azure_ai_search',
  azure_ai_search: {
    indexes: [{ project_connection_id: 'books', index_name: 'handbook', query_type: 'simple', ...index }],
  },
});
const bing = (id = 'books') => ({
  type: 'bing_grounding',
  bing_grounding: { search_configurations: [{ project_connection_id: id }] },
});
const ask = (name: string, query: string, id = 'c'): Turn => [
  ...calls(id, name, JSON.stringify({ query })),
  finish('tool_calls'),
];
const answer = (text: string): Turn => [...says(text), finish()];
const outputOf = (body: Record<string, unknown>) => body.output as Record<string, unknown>[];
const health = { type: 'url_citation', title: 'Mental health', url: 'https://intranet.example/health' };

test('a search is two items, and what the answer takes from it is cited where it stands', async () => {
  const text = 'Twenty visits.【1:0†source】 Soup, too.【1:1†source】';
  const { app, create } = await start(ask('azure_ai_search', 'mental health services'), answer(text));
  const { text: stream } = await create({ stream: true });
  const events = [...stream.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
  const added = events.filter(({ type }) => type === 'response.output_text.annotation.added');
  const { response } = events.at(-1);
  const [call, outcome, message] = response.output;
  expect(call).toMatchObject({
    type: 'azure_ai_search_call',
    status: 'completed',
    arguments: '{"query":"mental health services"}',
  });
  expect(outcome).toMatchObject({
    type: 'azure_ai_search_call_output',
    status: 'completed',
    call_id: call.call_id,
  });
  expect(JSON.parse(outcome.output).get_urls).toHaveLength(2);
  const { annotations } = message.content[0];
  expect(annotations).toEqual([
    { ...health, start_index: 14, end_index: 26 },
    {
      type: 'url_citation',
      title: 'doc_1',
      url: `${services.url}/`,
      start_index: 37,
      end_index: 49,
    },
  ]);
  for (const { start_index, end_index } of annotations) {
    expect(text.slice(start_index, end_index)).toMatch(/^【1:\d†source】$/);
  }
  expect(added.map(({ annotation }) => annotation)).toEqual(annotations);
  expect((await app.call('GET', `/openai/v1/responses/${response.id}`)).json.output).toEqual(response.output);
  expect(stream).not.toContain(searchKey);
});

test('no two tools of a response give the same mark', async () => {
  const web = {
    type: 'web_search',
    custom_search_configuration: { project_connection_id: 'books', instance_name: 'mine' },
  };
  const { create } = await start(
    [
      ...calls('a', 'bing_grounding', '{"query":"seattle"}'),
      ...calls('b', 'web_search', '{"query":"seattle"}'),
      finish('tool_calls'),
    ],
    ask('azure_ai_search', 'mental health'),
    answer('【1】【2】【3】【4:0†source】'),
  );
  const { json: body } = await create({ tools: [bing(), web, azure()] });
  const message = outputOf(body).at(-1) as { content: [{ annotations: { title: string }[] }] };
  const titles = message.content[0].annotations.map(({ title }) => title);
  expect(titles.slice(0, 3).sort()).toEqual(['Harbour', 'Harbour', 'Seattle weather']);
  expect(titles[3]).toBe('Mental health');
});

test('marks go on where a response is taken up again', async () => {
  const { app, create } = await start(
    ask('bing_grounding', 'seattle'),
    ask('bing_grounding', 'seattle', 'd'),
  );
  const begun = Promise.withResolvers<void>();
  services.instead = (response, request) => {
    services.instead = () => begun.resolve();
    json({ webPages: { value: [{ name: 'First', url: 'https://a.example/' }] } })(response, request);
  };
  const { json: created } = await create({ background: true, tools: [bing()] });
  await begun.promise;
  services.instead = json({ webPages: { value: [{ name: 'Second', url: 'https://b.example/' }] } });
  const again = await app.restart({ m: scriptedModel(answer('A【1】 and B【2】')).provider });
  apps.push(again);
  let end = created;
  while (end.status === 'queued' || end.status === 'in_progress') {
    await new Promise((resolve) => setTimeout(resolve, 5));
    end = (await again.call('GET', `/openai/v1/responses/${created.id}`)).json;
  }
  expect(outputOf(end).at(-1)).toMatchObject({
    content: [{ annotations: [{ title: 'First' }, { title: 'Second' }] }],
  });
});

test('later turns are told what was found', async () => {
  const { model, create } = await start(
    ask('azure_ai_search', 'soup'),
    answer('Soup.'),
    answer('Yes.'),
    answer('Yes.'),
  );
  const first = await create();
  await create({ previous_response_id: first.json.id });
  const carried = outputOf(first.json).slice(0, 2);
  await create({ input: [{ role: 'user', content: 'Go.' }, ...carried] });
  for (const request of model.requests.slice(2)) {
    expect(request.messages.slice(1, 3)).toMatchObject([
      { content: [{ type: 'tool_call', name: 'azure_ai_search', arguments: '{"query":"soup"}' }] },
      { role: 'tool', output: expect.stringContaining('The canteen serves soup') },
    ]);
  }
});

test('a service that fails makes a failed item, and the model is told', async () => {
  const { model, create } = await start(ask('bing_grounding', 'seattle'), answer('It failed.'));
  services.instead = json({ error: { message: `Not with ${searchKey}.` } }, 500);
  const { json: body } = await create({ tools: [bing()] });
  const message = 'Bing answered 500. Not with [redacted].';
  expect(outputOf(body)).toMatchObject([
    { type: 'bing_grounding_call', status: 'failed' },
    {
      type: 'bing_grounding_call_output',
      status: 'failed',
      output: `The call failed: ${message}`,
      error: { type: 'tool_execution_error', message },
    },
    { type: 'message' },
  ]);
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ output: `The call failed: ${message}` });
});

test.each([
  [azure({ project_connection_id: 'other' }), 'azure_ai_search.indexes[0]'],
  [bing('other'), 'bing_grounding.search_configurations[0]'],
])('a connection that is missing is 400 and the error says how to add it', async (tool, place) => {
  const { model, create } = await start();
  const { status, json: body } = await create({ tools: [tool] });
  const error = body.error as { message: string };
  expect([status, error]).toMatchObject([
    400,
    { code: 'invalid_payload', param: `tools[0].${place}.project_connection_id` },
  ]);
  expect(error.message).toMatch(/'other'.*`bloomery connection set other`.*'connections' in bloomery\.yaml/);
  expect(model.requests).toEqual([]);
});
