import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel } from '../../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { noConnections } from '../testing/opened-tool.ts';
import { webSearchTools } from './web-search-tool.ts';

let app: WholeApp;
afterEach(() => app.close());

const page = { url: 'https://tfl.gov.uk/tube', title: 'Tube', text: 'A good service.' };
const turns = () => [
  [...calls('a', 'web_search', '{"query":"tube"}'), finish('tool_calls' as const)],
  [...says(`All runs well.【1】 See ${page.url}.`), finish()],
];

test('an answer cites the pages that it takes from', async () => {
  const model = scriptedModel(...turns());
  const search = { isLive: false, search: async () => [page] };
  app = await wholeApp({ m: model.provider }, { tools: webSearchTools({ ...noConnections, search }) });
  const { text } = await app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: 'Is the tube running?',
    tools: [{ type: 'web_search' }],
    include: ['web_search_call.action.sources'],
    stream: true,
  });
  const events = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
  expect(events.map(({ type }) => type).filter((type) => /web_search|annotation/.test(type))).toEqual([
    'response.web_search_call.in_progress',
    'response.web_search_call.searching',
    'response.web_search_call.completed',
    'response.output_text.annotation.added',
    'response.output_text.annotation.added',
  ]);
  const [call, message] = events.at(-1).response.output;
  expect(call).toMatchObject({
    type: 'web_search_call',
    status: 'completed',
    action: { type: 'search', query: 'tube', queries: ['tube'], sources: [{ type: 'url', url: page.url }] },
  });
  expect(message.content[0].annotations).toEqual([
    { type: 'url_citation', url: page.url, title: 'Tube', start_index: 14, end_index: 17 },
    { type: 'url_citation', url: page.url, title: 'Tube', start_index: 22, end_index: 45 },
  ]);
});

test('a server without a search engine refuses before the model is asked', async () => {
  const model = scriptedModel(...turns());
  app = await wholeApp({ m: model.provider }, { tools: webSearchTools({ ...noConnections, search: null }) });
  const { status, json } = await app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: 'Hi',
    tools: [{ type: 'web_search_preview' }],
  });
  expect([status, json.error]).toMatchObject([400, { code: 'unsupported_parameter', param: 'tools[0]' }]);
  expect(model.requests).toEqual([]);
});
