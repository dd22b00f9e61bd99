import OpenAI from 'openai';
import { afterEach, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import { calls, finish, says, scriptedGateway, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { type TestApp, testKey } from '../testing/test-app.ts';
import { chatApp } from './testing/chat-app.ts';

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function openai(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await chatApp(scriptedGateway({ mine: model.provider }));
  const client = new OpenAI({ apiKey: testKey, baseURL: `${await app.listen()}/openai/v1`, maxRetries: 0 });
  return { client, requests: model.requests };
}

const messages = [{ role: 'user' as const, content: 'Hello' }];
const weather = {
  type: 'function' as const,
  function: {
    name: 'get_weather',
    parameters: { type: 'object', properties: { city: { type: 'string' } } },
  },
};

test('create', async () => {
  const { client } = await openai([...says('Hi'), finish()]);
  const completion = await client.chat.completions.create({ model: 'mine', messages });
  expect(completion.choices[0]?.message.content).toBe('Hi');
  expect(completion.usage?.total_tokens).toBe(18);
  expect(completion._request_id).toMatch(/./);
});

test('create with stream', async () => {
  const { client } = await openai([...says('Hi ', 'there'), finish()]);
  const stream = await client.chat.completions.create({
    model: 'mine',
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let text = '';
  let total: number | undefined;
  for await (const chunk of stream) {
    text += chunk.choices[0]?.delta.content ?? '';
    total = chunk.usage?.total_tokens;
  }
  expect([text, total]).toEqual(['Hi there', 18]);
});

test('stream() with tools, function and custom', async () => {
  const { client } = await openai([
    ...calls('c1', 'get_weather', '{"city":', '"Oslo"}'),
    ...calls('c2', 'take_note', '{"input":"milk"}'),
    finish('tool_calls'),
  ]);
  const stream = client.chat.completions.stream({
    model: 'mine',
    messages,
    tools: [weather, { type: 'custom', custom: { name: 'take_note' } }],
  });
  const { message, finish_reason } = (await stream.finalChatCompletion()).choices[0] ?? {};
  expect(finish_reason).toBe('tool_calls');
  expect(message?.content).toBeNull();
  expect(message?.tool_calls).toMatchObject([
    { id: 'c1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
    { id: 'c2', type: 'custom', custom: { name: 'take_note', input: 'milk' } },
  ]);
});

test('runTools calls the function and sends its result back', async () => {
  const { client, requests } = await openai(
    [...calls('c1', 'get_weather', '{"city":"Oslo"}'), finish('tool_calls')],
    [...says('It rains in Oslo.'), finish()],
  );
  const runner = client.chat.completions.runTools({
    model: 'mine',
    messages,
    stream: true,
    tools: [
      {
        type: 'function',
        function: {
          ...weather.function,
          description: 'The weather of a city.',
          function: (json: string) => `rain in ${JSON.parse(json).city}`,
        },
      },
    ],
  });
  expect(await runner.finalContent()).toBe('It rains in Oslo.');
  expect(requests[1]?.messages.at(-1)).toEqual({
    role: 'tool',
    callId: 'c1',
    name: 'get_weather',
    output: 'rain in Oslo',
  });
});

test('parse reads structured output', async () => {
  const { client } = await openai([...says('{"city":"Oslo"}'), finish()]);
  const completion = await client.chat.completions.parse({
    model: 'mine',
    messages,
    response_format: {
      type: 'json_schema',
      json_schema: { name: 'place', strict: true, schema: weather.function.parameters },
    },
  });
  expect(completion.choices[0]?.message.parsed).toEqual({ city: 'Oslo' });
});

test('an error in mid-stream is raised', async () => {
  const { client } = await openai([...says('Hal'), apiError('model_error', 'It broke.')]);
  const stream = await client.chat.completions.create({ model: 'mine', messages, stream: true });
  const read = async () => {
    for await (const _ of stream);
  };
  await expect(read()).rejects.toMatchObject({ code: 'model_error', message: 'It broke.' });
});

test('an error before the stream has its class', async () => {
  const { client } = await openai([apiError('rate_limit_exceeded', 'Too many.')]);
  await expect(
    client.chat.completions.create({ model: 'mine', messages, stream: true }),
  ).rejects.toBeInstanceOf(OpenAI.RateLimitError);
  await expect(client.chat.completions.create({ model: 'nobody', messages })).rejects.toMatchObject({
    status: 404,
    code: 'DeploymentNotFound',
    param: 'model',
  });
});
