import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { type FabricService, type FabricServiceOptions, fabricService } from '../testing/fabric-service.ts';
import { fixedConnections, loopbackOutbound } from '../testing/opened-tool.ts';
import { fabricTool } from './fabric-tool.ts';

let app: WholeApp;
let service: FabricService;
afterEach(async () => {
  await app.close();
  await service.close();
});

const question: Turn = [...calls('a', 'fabric_dataagent', '{"question":"Sold?"}'), finish('tool_calls')];
const answer: Turn = [...says('Forty-two.'), finish()];

async function start(options: Partial<FabricServiceOptions>, ...turns: Turn[]) {
  service = await fabricService({ token: 'token-1', answer: () => '42', ...options });
  const model = scriptedModel(...turns);
  const keys = {
    'workspace-id': 'ws-1',
    'artifact-id': 'agent-1',
    Authorization: 'Bearer token-1',
    fabric_url: service.url,
  };
  const connections = fixedConnections({ sales: { target: '_', credentials: { type: 'CustomKeys', keys } } });
  app = await wholeApp(
    { m: model.provider },
    { tools: [fabricTool({ outbound: loopbackOutbound, connections })] },
  );
  return model;
}

const create = (connection = 'sales') =>
  app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: 'How many were sold?',
    tools: [
      {
        type: 'fabric_dataagent_preview',
        fabric_dataagent_preview: { project_connections: [{ project_connection_id: connection }] },
      },
    ],
    tool_choice: { type: 'fabric_dataagent_preview' },
  });

test('a question is two items', async () => {
  const model = await start({}, question, answer);
  const { json } = await create();
  expect(json.output).toMatchObject([
    { type: 'fabric_dataagent_preview_call', arguments: '{"question":"Sold?"}', status: 'completed' },
    { type: 'fabric_dataagent_preview_call_output', output: '42', status: 'completed' },
    { type: 'message' },
  ]);
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ name: 'fabric_dataagent', output: '42' });
});

test('a run that fails makes failed items, and the response goes on', async () => {
  const states = [{ status: 'failed', last_error: { message: 'Capacity is paused.' } }];
  await start({ states }, question, answer);
  const { json } = await create();
  expect([json.status, json.output]).toMatchObject([
    'completed',
    [
      { type: 'fabric_dataagent_preview_call', status: 'failed' },
      { status: 'failed', error: { message: expect.stringContaining('Capacity is paused.') } },
      { type: 'message' },
    ],
  ]);
});

test('a connection that is not there is refused before the model is asked', async () => {
  const model = await start({});
  const { status, json } = await create('other');
  expect([status, json.error?.message]).toEqual([400, expect.stringContaining("No connection 'other'")]);
  expect(model.requests).toEqual([]);
});
