import { describe, expect, test } from 'vitest';
import { collect, deployment, freshName, openai, project } from './clients.ts';

const weather = {
  type: 'function' as const,
  name: 'get_weather',
  description: 'Get the current weather of a place.',
  strict: true,
  parameters: {
    type: 'object',
    properties: { location: { type: 'string', description: 'The city.' } },
    required: ['location'],
    additionalProperties: false,
  },
};

describe('function calls', () => {
  test('go round until the answer uses the output', async () => {
    const first = await openai.responses.create({
      model: deployment,
      input: 'What is the weather in Lisbon?',
      tools: [weather],
    });
    const call = first.output.find((item) => item.type === 'function_call');
    expect(call).toMatchObject({ name: 'get_weather', status: 'completed' });
    expect(JSON.parse(call?.arguments ?? '')).toEqual({ location: 'Lisbon' });
    const second = await openai.responses.create({
      model: deployment,
      previous_response_id: first.id,
      tools: [weather],
      input: [
        {
          type: 'function_call_output',
          call_id: call?.call_id ?? '',
          output: '{"temperature": "21 degrees"}',
        },
      ],
    });
    expect(second.output_text).toContain('21 degrees');
  });

  test('of an agent in a conversation', async () => {
    const name = freshName('tool');
    await project.agents.createVersion(name, { kind: 'prompt', model: deployment, tools: [weather] });
    const body = { agent_reference: { type: 'agent_reference', name } };
    const conversation = await openai.conversations.create();
    const first = await openai.responses.create(
      { conversation: conversation.id, input: 'How is the weather in Oslo?' },
      { body },
    );
    const call = first.output.find((item) => item.type === 'function_call');
    expect(call).toMatchObject({ agent_reference: { name, version: '1' }, response_id: first.id });
    const second = await openai.responses.create(
      {
        conversation: conversation.id,
        input: [{ type: 'function_call_output', call_id: call?.call_id ?? '', output: 'Snow.' }],
      },
      { body },
    );
    expect(second.output_text).toContain('Snow.');
    const items = await collect(openai.conversations.items.list(conversation.id, { order: 'asc' }));
    expect(items.map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_output',
      'message',
    ]);
    await project.agents.delete(name);
  });
});

describe('structured output', () => {
  const schema = {
    type: 'object',
    properties: {
      name: { type: 'string' },
      date: { type: 'string' },
      participants: { type: 'array', items: { type: 'string' } },
    },
    required: ['name', 'date', 'participants'],
    additionalProperties: false,
  };

  test('fits its schema', async () => {
    const response = await openai.responses.parse({
      model: deployment,
      input: 'Extract the event: Alice and Bob are going to a science fair on Friday.',
      text: { format: { type: 'json_schema', name: 'event', strict: true, schema } },
    });
    const event = JSON.parse(response.output_text);
    expect(Object.keys(event).sort()).toEqual(['date', 'name', 'participants']);
    expect(event.participants).toEqual(expect.arrayContaining(['Alice', 'Bob']));
  });

  test('of an agent', async () => {
    const name = freshName('structured');
    await project.agents.createVersion(name, {
      kind: 'prompt',
      model: deployment,
      text: { format: { type: 'json_schema', name: 'event', schema } },
    });
    const response = await openai.responses.create(
      { input: 'Alice goes to a fair on Friday.' },
      { body: { agent_reference: { type: 'agent_reference', name } } },
    );
    expect(Object.keys(JSON.parse(response.output_text)).sort()).toEqual(['date', 'name', 'participants']);
    await project.agents.delete(name);
  });
});

describe('streams', () => {
  test('pass the validating helper of the client', async () => {
    const stream = openai.responses.stream({
      model: deployment,
      input: 'What is the weather in Rome and in Paris?',
      tools: [weather],
      reasoning: { effort: 'low' },
    });
    const types = new Set<string>();
    for await (const event of stream) types.add(event.type);
    const final = await stream.finalResponse();
    expect(final.status).toBe('completed');
    expect(final.output.map(({ type }) => type)).toEqual(['reasoning', 'function_call', 'function_call']);
    expect([...types]).toEqual(
      expect.arrayContaining([
        'response.reasoning_summary_text.delta',
        'response.function_call_arguments.delta',
        'response.function_call_arguments.done',
      ]),
    );
    const replayed = openai.responses.stream({ response_id: final.id });
    const again = await replayed.finalResponse();
    expect(again.output.map(({ id }) => id)).toEqual(final.output.map(({ id }) => id));
  });

  test('can be left, and the server goes on', async () => {
    const stream = await openai.responses.create({
      model: deployment,
      input: 'Write 4000 words.',
      stream: true,
    });
    for await (const _ of stream) break;
    expect((await openai.responses.create({ model: deployment, input: 'Hi' })).status).toBe('completed');
  });
});

test('max_output_tokens ends a response incomplete', async () => {
  const response = await openai.responses.create({
    model: deployment,
    input: 'Write 100 words.',
    max_output_tokens: 16,
  });
  expect(response).toMatchObject({
    status: 'incomplete',
    incomplete_details: { reason: 'max_output_tokens' },
    usage: { output_tokens: 16 },
  });
});

test('structured inputs fill an agent’s instructions', async () => {
  const name = freshName('inputs');
  await project.agents.createVersion(name, {
    kind: 'prompt',
    model: deployment,
    instructions: 'Reply with exactly: {{word}}',
    structured_inputs: { word: { required: true, schema: { type: 'string' } } },
  });
  const ask = (structured_inputs: object) =>
    openai.responses.create(
      { input: 'Hi' },
      { body: { agent_reference: { type: 'agent_reference', name }, structured_inputs } },
    );
  expect((await ask({ word: 'iron' })).output_text).toBe('iron');
  await expect(ask({})).rejects.toMatchObject({ status: 400, param: 'structured_inputs.word' });
  await expect(ask({ word: 1 })).rejects.toMatchObject({ status: 400, param: 'structured_inputs.word' });
  await project.agents.delete(name);
});

test('input items, token counts and deletion', async () => {
  const response = await openai.responses.create({
    model: deployment,
    input: [
      { role: 'user', content: 'One' },
      { role: 'assistant', content: 'Two' },
      { role: 'user', content: 'Three' },
    ],
  });
  const items = await collect(openai.responses.inputItems.list(response.id, { order: 'asc', limit: 2 }));
  expect(items.map((item) => item.type)).toEqual(['message', 'message', 'message']);
  const { input_tokens } = await openai.responses.inputTokens.count({
    model: deployment,
    input: 'Hello, world!',
  });
  expect(input_tokens).toBeGreaterThan(3);
  await openai.responses.delete(response.id);
  await expect(openai.responses.retrieve(response.id)).rejects.toMatchObject({ status: 404 });
});

test('callers who act for different users do not see each other', async () => {
  const as = (user: string) => ({ headers: { 'x-ms-user-identity': user } });
  const mine = await openai.responses.create({ model: deployment, input: 'Hi' }, as('ada'));
  await expect(
    openai.responses.create({ model: deployment, input: 'Hi', previous_response_id: mine.id }, as('bob')),
  ).rejects.toMatchObject({ status: 404 });
  expect(await openai.responses.retrieve(mine.id, {}, as('ada'))).toMatchObject({ id: mine.id });
});
