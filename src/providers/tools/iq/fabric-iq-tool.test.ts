import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { mcpTool } from '../mcp/mcp-tool.ts';
import { sessionPool } from '../mcp/session-pool.ts';
import { mcpTestServer, type TestServer } from '../mcp/testing/mcp-server.ts';
import { fixedConnections, loopbackOutbound } from '../testing/opened-tool.ts';
import { fabricIqTool } from './fabric-iq-tool.ts';

let app: WholeApp;
let server: TestServer;
afterEach(async () => {
  await app.close();
  await server.close();
});

const search: Turn = [...calls('a', 'search_ontology', '{"query":"lines"}'), finish('tool_calls')];
const answer: Turn = [...says('Three lines.'), finish()];

async function start(...turns: Turn[]) {
  server = await mcpTestServer({
    tools: [{ name: 'search_ontology', run: ({ query }) => `3 of '${query}'` }],
  });
  const model = scriptedModel(...turns);
  const credentials = { type: 'CustomKeys', keys: { Authorization: 'Bearer token-1' } } as const;
  const connections = fixedConnections({
    ontology: { target: server.url, credentials },
    entra: { target: server.url, credentials: { type: 'AAD' } },
  });
  const pool = sessionPool(loopbackOutbound);
  const parts = { outbound: loopbackOutbound, connections };
  app = await wholeApp({ m: model.provider }, { tools: [mcpTool(parts, pool), fabricIqTool(parts, pool)] });
  return model;
}

const definition = { type: 'fabric_iq_preview', project_connection_id: 'ontology' };
const create = (...tools: object[]) =>
  app.call('POST', '/openai/v1/responses', { model: 'm', input: 'How many lines?', tools });

test('the tools of the server behind the connection are listed and called', async () => {
  await start(search, answer);
  const { json } = await create({ ...definition, server_label: 'plant', require_approval: 'never' });
  expect(json.output).toMatchObject([
    { type: 'mcp_list_tools', server_label: 'plant', tools: [{ name: 'search_ontology' }] },
    { type: 'mcp_call', server_label: 'plant', name: 'search_ontology', output: "3 of 'lines'" },
    { type: 'message' },
  ]);
  expect(server.requests[0]?.headers.authorization).toBe('Bearer token-1');
});

test('calls are asked about unless the definition says otherwise', async () => {
  await start(search, answer);
  const { json } = await create(definition);
  const [, request] = json.output as { id: string }[];
  expect(request).toMatchObject({ type: 'mcp_approval_request', server_label: 'fabric_iq' });
  const approved = await app.call('POST', '/openai/v1/responses', {
    model: 'm',
    previous_response_id: json.id,
    input: [{ type: 'mcp_approval_response', approval_request_id: request?.id, approve: true }],
    tools: [definition],
  });
  expect(approved.json.output).toMatchObject([
    { type: 'mcp_call', output: "3 of 'lines'" },
    { type: 'message' },
  ]);
});

test.each<[object[], string, RegExp]>([
  [[{ type: 'fabric_iq_preview' }], 'tools[0].project_connection_id', /required/],
  [[{ ...definition, require_approval: 'sometimes' }], 'tools[0].require_approval', /./],
  [
    [{ ...definition, project_connection_id: 'other' }],
    'tools[0].project_connection_id',
    /No connection 'other'/,
  ],
  [[{ ...definition, project_connection_id: 'entra' }], 'tools[0].project_connection_id', /type 'AAD'/],
  [[{ ...definition, server_url: 'http://a.example/mcp' }], 'tools[0].server_url', /are not sent to/],
  [
    [definition, { type: 'mcp', server_label: 'fabric_iq', project_connection_id: 'ontology' }],
    'tools[1]',
    /labels must differ/,
  ],
])('%j is refused at its place', async (tools, param, message) => {
  await start();
  const { status, json } = await create(...tools);
  expect([status, json.error]).toMatchObject([400, { param, message: expect.stringMatching(message) }]);
});
