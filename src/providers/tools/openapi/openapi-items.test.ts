import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { type HttpServer, httpServer, json } from '../testing/http-server.ts';
import { fixedConnections, loopbackOutbound } from '../testing/opened-tool.ts';
import { openApiTool } from './openapi-tool.ts';

let app: WholeApp;
let server: HttpServer;
let hold: (() => void) | null = null;
const apps: WholeApp[] = [];
afterEach(async () => {
  hold = null;
  await server.close();
  for (const each of apps.splice(0).reverse()) await each.close();
});

async function start(...turns: Turn[]) {
  server = await httpServer((response, request) => {
    if (hold !== null) return hold();
    const isKnown = request.url === '/weather?city=Rome';
    const answer = isKnown ? json({ sky: 'clear' }) : json({ detail: 'unknown' }, 404);
    answer(response, request);
  });
  const model = scriptedModel(...turns);
  const tool = openApiTool({
    outbound: loopbackOutbound,
    connections: fixedConnections({}),
    identity: { token: async () => null },
  });
  app = await wholeApp({ 'my-model': model.provider }, { tools: [tool] });
  apps.push(app);
  return model;
}

const definition = () => ({
  type: 'openapi',
  openapi: {
    name: 'weather',
    spec: {
      openapi: '3.0.0',
      servers: [{ url: server.url }],
      paths: {
        '/weather': {
          get: {
            operationId: 'get',
            parameters: [{ in: 'query', name: 'city', schema: { type: 'string' } }],
          },
          post: {
            operationId: 'set',
            parameters: [{ in: 'query', name: 'city', schema: { type: 'string' } }],
          },
        },
      },
    },
    auth: { type: 'anonymous' },
  },
});
const create = (body: object = {}) =>
  app.call('POST', '/openai/v1/responses', {
    model: 'my-model',
    input: 'Go.',
    tools: [definition()],
    ...body,
  });
const ask = (...cities: string[]): Turn => askBy('weather_get', ...cities);
const askBy = (name: string, ...cities: string[]): Turn => [
  ...cities.flatMap((city) => calls(city, name, JSON.stringify({ city }))),
  finish('tool_calls'),
];
const done: Turn = [...says('Done.'), finish()];
const outputOf = (json: Record<string, unknown>) => json.output as Record<string, unknown>[];

test('a call is an item, and what came of it another, tied by call_id', async () => {
  const model = await start(ask('Rome', 'Oz'), done);
  const { json } = await create();
  const [first, second, ...outcomes] = outputOf(json);
  expect(json.output).toHaveLength(5);
  expect([first, second]).toMatchObject([
    { type: 'openapi_call', name: 'weather_get', arguments: '{"city":"Rome"}', status: 'completed' },
    { type: 'openapi_call', name: 'weather_get', arguments: '{"city":"Oz"}', status: 'failed' },
  ]);
  const outcomeOf = (call: Record<string, unknown> | undefined) =>
    outcomes.find((item) => item.call_id === call?.call_id);
  expect(first?.call_id).toMatch(/^call_/);
  expect(outcomeOf(first)).toMatchObject({
    type: 'openapi_call_output',
    name: 'weather_get',
    output: JSON.stringify({ response: '{"sky":"clear"}' }),
    status: 'completed',
  });
  expect(outcomeOf(second)).toMatchObject({
    output: 'The call failed: The API answered 404 Not Found. {"detail":"unknown"}',
    status: 'failed',
    error: { type: 'tool_execution_error' },
  });
  expect(model.requests[1]?.messages.slice(-2)).toMatchObject([
    { role: 'tool', output: '{"sky":"clear"}' },
    { role: 'tool', output: expect.stringContaining('404 Not Found') },
  ]);
});

test('a stream tells of both items by their own events only', async () => {
  await start(ask('Rome'), done);
  const { text } = await create({ stream: true });
  const types = [...text.matchAll(/^event: response\.(.*)$/gm)].map(([, type]) => type);
  expect(types.slice(2, 7)).toEqual([
    'output_item.added',
    'output_item.done',
    'output_item.added',
    'output_item.done',
    'output_item.added',
  ]);
});

test('later turns are told both again', async () => {
  const model = await start(ask('Rome'), done, done, done);
  const first = await create();
  await create({ previous_response_id: first.json.id });
  const told = [
    {
      role: 'assistant',
      content: [{ type: 'tool_call', name: 'weather_get', arguments: '{"city":"Rome"}' }],
    },
    { role: 'tool', output: '{"sky":"clear"}' },
  ];
  expect(model.requests[2]?.messages.slice(1, 3)).toMatchObject(told);
  const carried = outputOf(first.json).slice(0, 2);
  await create({ input: [{ role: 'user', content: 'Go.' }, ...carried] });
  expect(model.requests[3]?.messages.slice(1, 3)).toMatchObject(told);
});

test.each([
  ['get', 'completed', '{"response":"{\\"sky\\":\\"clear\\"}"}', 2],
  ['set', 'failed', expect.stringContaining('The server stopped during this call'), 1],
])('after a crash, a call of %s is %s', async (method, status, output, requests) => {
  const begun = Promise.withResolvers<void>();
  await start(askBy(`weather_${method}`, 'Rome'));
  hold = begun.resolve;
  const { json: created } = await create({ background: true });
  await begun.promise;
  hold = null;
  app = await app.restart({ 'my-model': scriptedModel(done).provider });
  apps.push(app);
  let end = created;
  while (end.status === 'queued' || end.status === 'in_progress') {
    await new Promise((resolve) => setTimeout(resolve, 5));
    end = (await app.call('GET', `/openai/v1/responses/${created.id}`)).json;
  }
  expect(end.output).toMatchObject([
    { type: 'openapi_call', status },
    { type: 'openapi_call_output', status, output },
    { type: 'message' },
  ]);
  expect(server.requests).toHaveLength(requests);
});
