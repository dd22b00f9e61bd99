import { afterAll, beforeAll, expect, test } from 'vitest';
import { mcpTestServer, type TestServer } from '../../../src/providers/tools/mcp/testing/mcp-server.ts';
import { deployment, freshName, openai, plainOpenAI, project } from './clients.ts';

let server: TestServer;
beforeAll(async () => {
  server = await mcpTestServer({
    tools: [
      {
        name: 'get_weather',
        description: 'Get the weather in a city',
        inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        annotations: { readOnlyHint: true },
        run: ({ city }) => `It rains in ${city}.`,
      },
      {
        name: 'book_hotel',
        description: 'Book a hotel in a city',
        inputSchema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
        run: ({ city }) => ({ isError: true, content: [{ type: 'text', text: `No rooms in ${city}.` }] }),
      },
    ],
  });
});
afterAll(() => server.close());

const mcp = (rest: object = {}) => ({
  type: 'mcp' as const,
  server_label: 'travel',
  server_url: server.url,
  require_approval: 'never' as const,
  authorization: 'tok-of-the-scenario',
  ...rest,
});

test('the tools of a server are listed and called', async () => {
  const response = await openai.responses.create({
    model: deployment,
    input: 'How is the weather in Oslo?',
    tools: [mcp()],
  });
  expect(response.output).toMatchObject([
    { type: 'mcp_list_tools', tools: [{ name: 'get_weather' }, { name: 'book_hotel' }] },
    { type: 'mcp_call', name: 'get_weather', arguments: '{"city":"Oslo"}', output: 'It rains in Oslo.' },
    { type: 'message' },
  ]);
  expect(response.output_text).toContain('It rains in Oslo.');
  expect(JSON.stringify(response)).not.toContain('tok-of-the-scenario');
  expect(server.requests.at(-1)?.headers.authorization).toBe('Bearer tok-of-the-scenario');

  const listings = server.listings;
  const next = await openai.responses.create({
    model: deployment,
    input: 'And how is the weather in Rome?',
    previous_response_id: response.id,
    tools: [mcp()],
  });
  expect(next.output[0]).toMatchObject({ type: 'mcp_call', output: 'It rains in Rome.' });
  expect(server.listings).toBe(listings);
});

test('the client’s own reader of streams takes every event', async () => {
  const stream = plainOpenAI.responses.stream({
    model: deployment,
    input: 'How is the weather in Oslo?',
    tools: [mcp()],
  });
  const types: string[] = [];
  for await (const { type } of stream) types.push(type);
  expect(types.filter((type) => type.includes('mcp'))).toEqual([
    'response.mcp_list_tools.in_progress',
    'response.mcp_list_tools.completed',
    'response.mcp_call.in_progress',
    ...types.filter((type) => type === 'response.mcp_call_arguments.delta'),
    'response.mcp_call_arguments.done',
    'response.mcp_call.completed',
  ]);
  expect((await stream.finalResponse()).output_text).toContain('It rains in Oslo.');
});

test.each([
  [true, { type: 'mcp_call', status: 'completed', output: 'It rains in Oslo.' }],
  [false, { type: 'message' }],
])('a call waits for its approval: %s', async (approve, first) => {
  const tools = [mcp({ require_approval: 'always' })];
  const calls = server.calls.length;
  const asked = await openai.responses.create({
    model: deployment,
    input: 'How is the weather in Oslo?',
    tools,
  });
  const request = asked.output.find(({ type }) => type === 'mcp_approval_request');
  expect(request).toMatchObject({
    server_label: 'travel',
    name: 'get_weather',
    arguments: '{"city":"Oslo"}',
  });
  expect(server.calls).toHaveLength(calls);
  const answered = await openai.responses.create({
    model: deployment,
    previous_response_id: asked.id,
    input: [{ type: 'mcp_approval_response', approval_request_id: request?.id ?? '', approve }],
    tools,
  });
  expect(answered.output[0]).toMatchObject(first);
  expect(server.calls).toHaveLength(approve ? calls + 1 : calls);
});

test('an agent has a server, with some of its tools', async () => {
  const name = freshName('traveller');
  await project.agents.createVersion(name, {
    kind: 'prompt',
    model: deployment,
    tools: [{ ...mcp({ allowed_tools: ['get_weather'] }) }],
  });
  const conversation = await openai.conversations.create();
  const response = await openai.responses.create(
    { conversation: conversation.id, input: 'How is the weather in Oslo?' },
    { body: { agent_reference: { type: 'agent_reference', name } } },
  );
  expect(response.output).toMatchObject([
    { type: 'mcp_list_tools', tools: [{ name: 'get_weather' }] },
    { type: 'mcp_call', output: 'It rains in Oslo.' },
    { type: 'message' },
  ]);
  await project.agents.delete(name);
});

test('a call that fails and a server that is not there are failed items', async () => {
  const response = await openai.responses.create({
    model: deployment,
    input: 'Book a hotel in Oslo.',
    tools: [mcp(), mcp({ server_label: 'gone', server_url: 'http://127.0.0.1:9/mcp' })],
  });
  expect(response.status).toBe('completed');
  expect(response.output).toMatchObject([
    { type: 'mcp_list_tools', server_label: 'travel', error: null },
    { type: 'mcp_list_tools', server_label: 'gone', error: expect.stringContaining('127.0.0.1:9') },
    { type: 'mcp_call', status: 'failed', error: { message: 'No rooms in Oslo.' } },
    { type: 'message' },
  ]);
});

test('an address that tools may not reach is refused', async () => {
  await expect(
    openai.responses.create({
      model: deployment,
      input: 'Go.',
      tools: [mcp({ server_url: 'http://169.254.169.254/mcp' })],
    }),
  ).rejects.toMatchObject({ status: 400, code: 'address_not_allowed', param: 'tools[0].server_url' });
});
