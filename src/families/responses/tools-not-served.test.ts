import { afterAll, beforeAll, expect, test } from 'vitest';
import { serverTools } from '../../providers/tools/index.ts';
import { fixedConnections, loopbackOutbound } from '../../providers/tools/testing/opened-tool.ts';
import { scriptedGateway, scriptedModel } from '../testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
const model = scriptedModel();
beforeAll(async () => {
  const tools = serverTools({
    outbound: loopbackOutbound,
    connections: fixedConnections({}),
    identity: { token: async () => null },
    search: null,
    models: scriptedGateway({ m: model.provider }),
  });
  app = await wholeApp({ m: model.provider }, { tools });
});
afterAll(() => app.close());

/** Tools of the contract that this server has no body for, as their clients define them. */
const definitions: Record<string, object> = {
  azure_function: { azure_function: { function: { name: 'f', parameters: {} } } },
  github_copilot_toolset_preview: {},
  memory_search_preview: { memory_store_name: 's', scope: 'u' },
  namespace: { name: 'n', description: 'd', tools: [] },
  programmatic_tool_calling: {},
  tool_search: {},
  toolbox_search_preview: { name: 't' },
};

test.each(Object.entries(definitions))(
  '%s is refused by its type, and before the model is asked',
  async (type, rest) => {
    const tools = [
      { type: 'function', name: 'own', parameters: {} },
      { type, ...rest },
    ];
    const request = { model: 'm', input: 'Go.', tools };
    for (const path of ['/openai/v1/responses', '/openai/v1/responses/input_tokens']) {
      const { status, json } = await app.call('POST', path, request);
      expect([status, json.error]).toMatchObject([
        400,
        {
          code: 'unsupported_parameter',
          param: 'tools[1].type',
          message: expect.stringContaining(`'${type}'`),
        },
      ]);
    }
    expect(model.requests).toEqual([]);
  },
);

test.each(Object.entries(definitions))(
  'an agent keeps %s as it was given, and cannot answer with it',
  async (type, rest) => {
    const name = `agent-${type.replaceAll('_', '-')}`;
    const definition = { kind: 'prompt', model: 'm', tools: [{ type, ...rest }] };
    const version = await app.call('POST', `/agents/${name}/versions`, { definition });
    expect([version.status, version.json.definition]).toEqual([200, definition]);
    const { status, json } = await app.call('POST', '/openai/v1/responses', {
      input: 'Go.',
      agent_reference: { type: 'agent_reference', name },
    });
    expect([status, json.error]).toMatchObject([
      400,
      {
        code: 'unsupported_parameter',
        param: 'agent_reference.tools[0].type',
        message: expect.stringContaining(`'${type}'`),
      },
    ]);
    expect(model.requests).toEqual([]);
  },
);

test.each([
  [{ type: 'bing_grounding' }, 'definition.tools[0].bing_grounding'],
  [
    { type: 'azure_ai_search', azure_ai_search: { indexes: [] } },
    'definition.tools[0].azure_ai_search.indexes',
  ],
])('an agent is not made with the broken definition %j of a tool that is served', async (tool, param) => {
  const definition = { kind: 'prompt', model: 'm', tools: [tool] };
  const refused = await app.call('POST', '/agents/broken/versions', { definition });
  expect([refused.status, refused.json]).toMatchObject([400, { error: { param } }]);
  expect((await app.call('GET', '/agents/broken')).status).toBe(404);
});
