import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { createBuiltinModel } from '../../models/builtin/index.ts';
import { captureStructuredOutputsTool } from './capture-structured-outputs.ts';

let app: WholeApp;
afterEach(() => app.close());

async function start(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await wholeApp(
    { m: model.provider, builtin: createBuiltinModel({ scenarios: [] }) },
    { tools: [captureStructuredOutputsTool] },
  );
  return model;
}

const schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  properties: { city: { type: 'string' }, days: { type: 'integer' } },
  required: ['city', 'days'],
  additionalProperties: false,
};
const tool = (outputs: object = {}) => ({
  type: 'capture_structured_outputs',
  outputs: { name: 'trip', description: 'The trip that the user wants.', schema, strict: true, ...outputs },
});
const captures = (text: string, name = 'trip'): Turn => [...calls('c', name, text), finish('tool_calls')];
const done: Turn = [...says('Noted.'), finish()];
const create = (rest: object = {}) =>
  app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: 'To Oslo, 3 days.',
    tools: [tool()],
    ...rest,
  });

test('the model is offered a function, and its arguments are the item', async () => {
  const model = await start(captures('{"city":"Oslo","days":3}'), done, done);
  const { json } = await create();
  expect(model.requests[0]?.tools).toEqual([
    { name: 'trip', description: 'The trip that the user wants.', parameters: schema, strict: true },
  ]);
  expect(json.output).toMatchObject([
    { type: 'structured_outputs', status: 'completed', output: { city: 'Oslo', days: 3 } },
    { type: 'message', content: [{ text: 'Noted.' }] },
  ]);
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: 'tool', name: 'trip' });
  expect(json.tools).toEqual([tool()]);

  await create({ previous_response_id: json.id, tools: [] });
  const told = model.requests[2]?.messages.find(({ role }) => role === 'assistant');
  expect(told).toMatchObject({ content: [{ type: 'tool_call', arguments: '{"city":"Oslo","days":3}' }] });
});

test('a stream tells of it by its items alone', async () => {
  await start(captures('{"city":"Oslo","days":3}'), done);
  const { text } = await create({ stream: true });
  const events = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
  expect(events.slice(2, 4)).toMatchObject([
    { type: 'response.output_item.added', item: { type: 'structured_outputs', output: null } },
    { type: 'response.output_item.done', item: { output: { city: 'Oslo', days: 3 } } },
  ]);
});

test.each([
  ['{"city":"Oslo","days":"three"}', '/days must be integer'],
  ['{"city":"Oslo"}', "must have required property 'days'"],
  ['{"city":"Oslo","days":3,"hotel":1}', 'must NOT have additional properties (hotel)'],
  ['[]', 'must be object'],
  ['{', 'not JSON'],
])('%s is no output, and the model may try again', async (text, why) => {
  const model = await start(captures(text), captures('{"city":"Oslo","days":3}'), done);
  const { json } = await create();
  expect(json.output).toMatchObject([
    {
      type: 'structured_outputs',
      status: 'failed',
      output: null,
      error: { message: expect.stringContaining(why) },
    },
    { status: 'completed', output: { city: 'Oslo', days: 3 } },
    { type: 'message' },
  ]);
  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toContain(why);
});

test('what is not strict is taken as it comes', async () => {
  const model = await start(captures('{"city":7}'), done);
  const { json } = await create({ tools: [tool({ strict: false })] });
  expect(model.requests[0]?.tools[0]?.strict).toBe(false);
  expect(json.output).toMatchObject([{ status: 'completed', output: { city: 7 } }, { type: 'message' }]);
});

test('a pattern that would take for ever makes a failed item', async () => {
  await start(captures(`{"a":"${'a'.repeat(40)}!"}`), done);
  const properties = { a: { type: 'string', pattern: '^(a+)+$' } };
  const { json } = await create({ tools: [tool({ schema: { type: 'object', properties } })] });
  expect(json.output).toMatchObject([
    { status: 'failed', error: { message: expect.stringContaining('took too long') } },
    { type: 'message' },
  ]);
});

test('names that no provider takes are changed for the model', async () => {
  const model = await start(captures('{"city":"Oslo","days":3}', 'my_trip_'), done);
  const { json } = await create({ tools: [tool({ name: 'my trip!' }), tool({ name: 'other' })] });
  expect(model.requests[0]?.tools.map(({ name }) => name)).toEqual(['my_trip_', 'other']);
  expect(json.output).toMatchObject([{ output: { city: 'Oslo' } }, { type: 'message' }]);
});

test.each<[object[], string, string]>([
  [[{ type: 'capture_structured_outputs' }], 'missing_required_parameter', 'tools[0].outputs'],
  [[tool({ name: undefined })], 'missing_required_parameter', 'tools[0].outputs.name'],
  [[tool({ description: undefined })], 'missing_required_parameter', 'tools[0].outputs.description'],
  [[tool({ schema: { type: 'nonsense' } })], 'invalid_payload', 'tools[0].outputs.schema'],
  [[tool({ schema: { type: 'array' } })], 'invalid_payload', 'tools[0].outputs.schema'],
  [
    [tool({ schema: { type: 'object', properties: { a: { $ref: '#/$defs/none' } } } })],
    'invalid_payload',
    'tools[0].outputs.schema',
  ],
  [[tool(), tool()], 'invalid_payload', 'tools[1]'],
])('case %#: a definition that is none is refused by its name', async (tools, code, param) => {
  const model = await start();
  const { status, json } = await create({ tools });
  expect([status, json.error]).toMatchObject([400, { code, param }]);
  expect(model.requests).toEqual([]);
});

test('the builtin model fills it, for an agent', async () => {
  await start();
  const agent = await app.call('POST', '/agents/traveller/versions', {
    definition: { kind: 'prompt', model: 'builtin', tools: [tool()], tool_choice: 'required' },
  });
  expect(agent.status).toBe(200);
  const { json } = await app.call('POST', '/openai/v1/responses', {
    input: 'I want a trip to Oslo for 3 days.',
    agent_reference: { type: 'agent_reference', name: 'traveller' },
  });
  expect(json.output).toMatchObject([
    { type: 'structured_outputs', output: { city: 'Oslo', days: 3 }, agent_reference: { name: 'traveller' } },
    { type: 'message' },
  ]);
});
