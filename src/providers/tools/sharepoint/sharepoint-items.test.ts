import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { graphService } from '../testing/graph-service.ts';
import type { HttpServer } from '../testing/http-server.ts';
import { fixedConnections, loopbackOutbound } from '../testing/opened-tool.ts';
import { sharepointTool } from './sharepoint-tool.ts';

let app: WholeApp;
let server: HttpServer;
afterEach(async () => {
  await app.close();
  await server.close();
});

const url = 'https://contoso.sharepoint.com/sites/hr/leave.docx';
const search: Turn = [...calls('a', 'sharepoint_grounding', '{"query":"leave"}'), finish('tool_calls')];
const answer: Turn = [...says('Thirty days.【1】'), finish()];

async function start(serverToken: string, ...turns: Turn[]) {
  server = await graphService(serverToken, [
    { webUrl: url, extracts: [{ text: 'Thirty days.' }], resourceMetadata: { title: 'Leave' } },
  ]);
  const model = scriptedModel(...turns);
  const keys = { Authorization: 'Bearer token-1', graph_url: server.url };
  const connections = fixedConnections({
    hr: { target: 'https://contoso.sharepoint.com/sites/hr', credentials: { type: 'CustomKeys', keys } },
    bare: { target: 'https://contoso.sharepoint.com/sites/hr', credentials: { type: 'None' } },
  });
  app = await wholeApp(
    { m: model.provider },
    { tools: [sharepointTool({ outbound: loopbackOutbound, connections })] },
  );
  return model;
}

const create = (connection = 'hr', more: object = {}) =>
  app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: 'How much leave?',
    tools: [
      {
        type: 'sharepoint_grounding_preview',
        sharepoint_grounding_preview: { project_connections: [{ project_connection_id: connection }] },
      },
    ],
    ...more,
  });

test('a search is two items, and the answer cites the document', async () => {
  await start('token-1', search, answer);
  const { json } = await create();
  const [call, output, message] = json.output as Record<string, unknown>[];
  expect(call).toEqual({
    id: expect.any(String),
    type: 'sharepoint_grounding_preview_call',
    call_id: expect.any(String),
    arguments: '{"query":"leave"}',
    status: 'completed',
  });
  expect(output).toEqual({
    id: expect.any(String),
    type: 'sharepoint_grounding_preview_call_output',
    call_id: call?.call_id,
    output: `【1】 Leave\n${url}\nThirty days.`,
    status: 'completed',
  });
  expect(message).toMatchObject({
    content: [
      { annotations: [{ type: 'url_citation', url, title: 'Leave', start_index: 12, end_index: 15 }] },
    ],
  });
});

test('later turns are told of it, by response and by items', async () => {
  const model = await start('token-1', search, answer, answer, answer);
  const first = await create();
  await create('hr', { previous_response_id: first.json.id, input: 'Sure?' });
  const items = first.json.output as object[];
  const sent = await create('hr', {
    input: [{ role: 'user', content: 'How much leave?' }, ...items, { role: 'user', content: 'Sure?' }],
  });
  expect(sent.json.status).toBe('completed');
  for (const request of model.requests.slice(2)) {
    expect(request.messages.slice(1, 3)).toMatchObject([
      { role: 'assistant', content: [{ type: 'tool_call', name: 'sharepoint_grounding' }] },
      { role: 'tool', name: 'sharepoint_grounding', output: expect.stringContaining('Thirty days.') },
    ]);
  }
});

test('a token that is not taken makes a failed item, and the model is told', async () => {
  const model = await start('token-2', search, answer);
  const { json } = await create();
  const words = 'Microsoft Graph answered 401. Access token is empty.';
  expect(json.output).toMatchObject([
    { type: 'sharepoint_grounding_preview_call', status: 'failed' },
    { type: 'sharepoint_grounding_preview_call_output', status: 'failed', error: { message: words } },
    { type: 'message' },
  ]);
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ output: `The call failed: ${words}` });
  expect(JSON.stringify(json)).not.toContain('token-1');
});

test.each([
  [
    'other',
    /No connection 'other' exists in project 'default'\. Add it with `bloomery connection set other`/,
  ],
  ['bare', /no token for Microsoft Graph/],
])('the connection %s is refused before the model is asked', async (connection, message) => {
  const model = await start('token-1');
  const { status, json } = await create(connection);
  expect([status, json.error]).toMatchObject([
    400,
    {
      param: 'tools[0].sharepoint_grounding_preview.project_connections[0].project_connection_id',
      message: expect.stringMatching(message),
    },
  ]);
  expect(model.requests).toEqual([]);
});
