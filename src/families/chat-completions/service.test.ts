import { afterEach, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import type { ModelRequest } from '../../providers/models/model.ts';
import { calls, finish, says, scriptedGateway, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import type { TestApp } from '../testing/test-app.ts';
import { unsupported } from './request-checks.ts';
import { chatApp } from './testing/chat-app.ts';

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const hello = { role: 'user', content: 'Hello' };
const weather = { type: 'function', function: { name: 'get_weather' } };
const note = { type: 'custom', custom: { name: 'take_note', description: 'Takes a note.' } };

async function send(body: object, turn: Turn = [...says('Hi'), finish()]) {
  const model = scriptedModel(turn);
  await app?.close();
  app = await chatApp(
    scriptedGateway({ mine: model.provider, mute: { countTokens: () => 0 }, 'org/m:8b': model.provider }),
  );
  const reply = await app.call('POST', '/openai/v1/chat/completions', {
    model: 'mine',
    messages: [hello],
    ...body,
  });
  return { ...reply, requests: model.requests, request: model.requests[0] as ModelRequest };
}

const message = ({ json }: { json: Record<string, unknown> }) =>
  (json.choices as { message: object; finish_reason: string }[])[0];

test('answers a message', async () => {
  const usage = { inputTokens: 9, cachedInputTokens: 4, outputTokens: 5, reasoningTokens: 2 };
  const { status, json } = await send({}, [
    { type: 'reasoning', delta: 'They greet me.' },
    ...says('Hi ', 'there.'),
    finish('stop', usage),
  ]);
  expect(status).toBe(200);
  expect(json).toEqual({
    id: expect.stringMatching(/^chatcmpl-[0-9a-f]{46}$/),
    object: 'chat.completion',
    created: expect.any(Number),
    model: 'mine',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: 'Hi there.', refusal: null, annotations: [] },
        finish_reason: 'stop',
        logprobs: null,
      },
    ],
    usage: {
      prompt_tokens: 9,
      completion_tokens: 5,
      total_tokens: 14,
      prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0 },
      completion_tokens_details: {
        reasoning_tokens: 2,
        audio_tokens: 0,
        accepted_prediction_tokens: 0,
        rejected_prediction_tokens: 0,
      },
    },
  });
});

test('an answer of tool calls has no content', async () => {
  const reply = await send({ tools: [weather] }, [
    ...calls('call_1', 'get_weather', '{"city":', '"Oslo"}'),
    ...calls('call_2', 'get_weather', '{"city":"Rome"}'),
    finish('tool_calls'),
  ]);
  expect(message(reply)).toMatchObject({
    finish_reason: 'tool_calls',
    message: {
      content: null,
      tool_calls: [
        { id: 'call_1', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Oslo"}' } },
        { id: 'call_2', type: 'function', function: { name: 'get_weather', arguments: '{"city":"Rome"}' } },
      ],
    },
  });
});

test('a custom tool is called with free text', async () => {
  const reply = await send({ tools: [note] }, [
    ...calls('call_1', 'take_note', '{"input":', '"buy \\"milk\\""}'),
    finish('tool_calls'),
  ]);
  expect(message(reply)).toMatchObject({
    message: {
      tool_calls: [{ id: 'call_1', type: 'custom', custom: { name: 'take_note', input: 'buy "milk"' } }],
    },
  });
  expect(reply.request.tools).toMatchObject([
    { name: 'take_note', description: 'Takes a note.', parameters: { required: ['input'] } },
  ]);
});

test('a call that the model gave no id gets one', async () => {
  const reply = await send({ tools: [weather] }, [...calls('', 'get_weather', '{}'), finish('tool_calls')]);
  expect(message(reply)).toMatchObject({
    message: { tool_calls: [{ id: expect.stringMatching(/^call_/) }] },
  });
});

test('a refusal has its own member', async () => {
  const reply = await send({}, [
    { type: 'refusal', delta: 'I' },
    { type: 'refusal', delta: ' will not.' },
    finish(),
  ]);
  expect(message(reply)).toMatchObject({ message: { content: null, refusal: 'I will not.' } });
});

test.each(['length', 'content_filter'] as const)('finish reason %s, and an empty text', async (reason) => {
  const reply = await send({}, [finish(reason)]);
  expect(message(reply)).toMatchObject({ finish_reason: reason, message: { content: '' } });
});

test('every setting reaches the model', async () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } } };
  const { status, request } = await send({
    tools: [
      { type: 'function', function: { name: 'f', description: 'F.', parameters: schema, strict: true } },
    ],
    tool_choice: { type: 'function', function: { name: 'f' } },
    parallel_tool_calls: false,
    response_format: { type: 'json_schema', json_schema: { name: 'place', schema, strict: true } },
    max_completion_tokens: 50,
    temperature: 0.5,
    top_p: 0.9,
    presence_penalty: -1,
    frequency_penalty: 1,
    seed: 7,
    stop: 'END',
    reasoning_effort: 'low',
    verbosity: 'high',
    user: 'old',
    safety_identifier: 'new',
  });
  expect(status).toBe(200);
  expect(request).toEqual({
    messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
    tools: [{ name: 'f', description: 'F.', parameters: schema, strict: true }],
    toolChoice: { name: 'f' },
    parallelToolCalls: false,
    outputFormat: { type: 'json_schema', name: 'place', description: null, schema, strict: true },
    maxOutputTokens: 50,
    temperature: 0.5,
    topP: 0.9,
    presencePenalty: -1,
    frequencyPenalty: 1,
    seed: 7,
    stop: ['END'],
    reasoningEffort: 'low',
    verbosity: 'high',
    user: 'new',
    stream: false,
  });
});

test('nothing said leaves all to the model, and null is nothing said', async () => {
  const plain = await send({});
  const nulls = Object.fromEntries(
    [
      ...unsupported.map(({ field }) => field),
      'tools',
      'tool_choice',
      'stop',
      'temperature',
      'stream',
      'user',
    ].map((name) => [name, null]),
  );
  const withNulls = await send(nulls);
  expect(withNulls.status).toBe(200);
  expect(withNulls.request).toEqual(plain.request);
  expect(plain.request).toMatchObject({ tools: [], toolChoice: 'auto', stop: [], maxOutputTokens: null });
});

test.each([
  [{ max_tokens: 9 }, { maxOutputTokens: 9 }],
  [{ stop: ['a', 'b'] }, { stop: ['a', 'b'] }],
  [{ user: 'ada' }, { user: 'ada' }],
  [{ response_format: { type: 'json_object' } }, { outputFormat: { type: 'json_object' } }],
  [{ tools: [weather], tool_choice: 'required' }, { toolChoice: 'required' }],
  [{ tools: [weather], tool_choice: 'none' }, { toolChoice: 'none' }],
  [
    { tools: [note], tool_choice: { type: 'custom', custom: { name: 'take_note' } } },
    { toolChoice: { name: 'take_note' } },
  ],
])('case %#: %j', async (body, expected) => {
  const { request } = await send(body);
  expect(request).toMatchObject(expected);
});

test('allowed tools are the only ones the model sees', async () => {
  const allowed_tools = { mode: 'required', tools: [weather] };
  const { request } = await send({
    tools: [weather, note],
    tool_choice: { type: 'allowed_tools', allowed_tools },
  });
  expect(request.tools.map(({ name }) => name)).toEqual(['get_weather']);
  expect(request.toolChoice).toBe('required');
});

test.each([
  [{ n: 1, store: false, logprobs: false, top_logprobs: 0, logit_bias: {}, modalities: ['text'] }],
  [{ prompt_cache_key: 'k', prompt_cache_retention: '24h', user_security_context: { source_ip: '::1' } }],
])('case %#: hints, and values that ask for nothing, are taken', async (body) => {
  expect((await send(body)).status).toBe(200);
});

test('metadata and the service tier are answered to those who sent them', async () => {
  const { json } = await send({ metadata: { topic: 'tests' }, service_tier: 'auto' });
  expect(json).toMatchObject({ metadata: { topic: 'tests' }, service_tier: 'default' });
});

const refused: [Record<string, unknown>, string][] = [
  [{ n: 2 }, 'n'],
  [{ service_tier: 'flex' }, 'service_tier'],
  [{ logit_bias: { '50256': -100 } }, 'logit_bias'],
  [{ logprobs: true }, 'logprobs'],
  [{ top_logprobs: 3 }, 'top_logprobs'],
  [{ modalities: ['text', 'audio'] }, 'modalities'],
  [{ audio: { voice: 'alloy', format: 'wav' } }, 'audio'],
  [{ prediction: { type: 'content', content: 'x' } }, 'prediction'],
  [{ web_search_options: {} }, 'web_search_options'],
  [{ moderation: { model: 'm' } }, 'moderation'],
  [{ functions: [{ name: 'f' }] }, 'functions'],
  [{ function_call: 'auto' }, 'function_call'],
  [
    {
      tools: [
        {
          type: 'custom',
          custom: {
            name: 'c',
            format: { type: 'grammar', grammar: { syntax: 'regex', definition: 'a' } },
          },
        },
      ],
    },
    'tools[0].custom.format',
  ],
  [{ model: 'mute' }, 'model'],
  [
    {
      messages: [
        { role: 'user', content: [{ type: 'input_audio', input_audio: { data: '', format: 'wav' } }] },
      ],
    },
    'messages[0].content[0].input_audio',
  ],
  [{ messages: [{ role: 'assistant', audio: { id: 'a' } }] }, 'messages[0].audio'],
];

test.each(refused)('case %#: %j is refused by name, before the model is called', async (body, param) => {
  const { status, json, requests } = await send(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: 'unsupported_parameter', type: 'invalid_request_error', param });
  expect(requests).toEqual([]);
});

test('every unsupported field is in the cases above', () => {
  const tried = refused.map(([body]) => Object.keys(body)[0]);
  expect(tried).toEqual(expect.arrayContaining(unsupported.map(({ field }) => field)));
});

test.each([
  [{ messages: [] }, 'messages'],
  [{ messages: [{ role: 'robot', content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'user', content: [] }] }, 'messages[0].content'],
  [{ messages: [{ role: 'user', content: [{ type: 'video' }] }] }, 'messages[0].content[0].type'],
  [{ messages: [{ role: 'system', content: [{ type: 'image_url' }] }] }, 'messages[0].content[0].type'],
  [
    {
      messages: [
        { role: 'user', content: [{ type: 'image_url', image_url: { url: 'file:///etc/passwd' } }] },
      ],
    },
    'messages[0].content[0].image_url.url',
  ],
  [
    { messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: 'JVBERi0=' } }] }] },
    'messages[0].content[0].file.file_data',
  ],
  [{ n: 0 }, 'n'],
  [{ temperature: 2.1 }, 'temperature'],
  [{ presence_penalty: 3 }, 'presence_penalty'],
  [{ stop: ['1', '2', '3', '4', '5'] }, 'stop'],
  [{ max_tokens: 0 }, 'max_tokens'],
  [{ max_tokens: 5, max_completion_tokens: 5 }, 'max_tokens'],
  [{ stream_options: { include_usage: true } }, 'stream_options'],
  [{ reasoning_effort: 'huge' }, 'reasoning_effort'],
  [{ tools: [weather, weather] }, 'tools[1]'],
  [{ tools: [{ type: 'function', function: { name: 'no spaces' } }] }, 'tools[0].function.name'],
  [{ tools: [{ type: 'retrieval' }] }, 'tools[0].type'],
  [
    { tools: [{ type: 'function', function: { name: 'f', parameters: { type: 'thing' } } }] },
    'tools[0].function.parameters',
  ],
  [{ tool_choice: 'required' }, 'tool_choice'],
  [{ tools: [weather], tool_choice: { type: 'function', function: { name: 'other' } } }, 'tool_choice'],
  [{ tools: [weather], tool_choice: { type: 'custom', custom: { name: 'get_weather' } } }, 'tool_choice'],
  [
    {
      tools: [weather],
      tool_choice: { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [note] } },
    },
    'tool_choice.allowed_tools.tools[0]',
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'thing' } } } },
    'response_format.json_schema.schema',
  ],
])('case %#: %j is wrong at its place', async (body, param) => {
  const { status, json, requests } = await send(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: 'invalid_payload', param });
  expect(requests).toEqual([]);
});

test.each([
  [{ messages: undefined }, 'messages'],
  [{ model: undefined }, 'model'],
  [{ messages: [{ content: 'x' }] }, 'messages[0].role'],
  [{ messages: [{ role: 'user' }] }, 'messages[0].content'],
  [{ messages: [{ role: 'assistant' }] }, 'messages[0].content'],
  [{ messages: [{ role: 'tool', content: 'x' }] }, 'messages[0].tool_call_id'],
  [
    { messages: [{ role: 'user', content: [{ type: 'file', file: {} }] }] },
    'messages[0].content[0].file.file_data',
  ],
  [
    { response_format: { type: 'json_schema', json_schema: { name: 'x' } } },
    'response_format.json_schema.schema',
  ],
])('case %#: %j lacks a field', async (body, param) => {
  const { status, json } = await send(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: 'missing_required_parameter', param });
});

test('an unknown model is 404 about the model', async () => {
  const { status, json } = await send({ model: 'nobody' });
  expect(status).toBe(404);
  expect(json.error).toMatchObject({ code: 'DeploymentNotFound', param: 'model' });
});

test("the model's name may have a slash and a colon", async () => {
  expect((await send({ model: 'org/m:8b' })).json.model).toBe('org/m:8b');
});

test.each([
  ['max_output_tokens', { max_tokens: 5 }, 'max_tokens'],
  ['max_output_tokens', { max_completion_tokens: 5 }, 'max_completion_tokens'],
  ['reasoning.effort', {}, 'reasoning_effort'],
  ['text.format', {}, 'response_format'],
  ['input', {}, 'messages'],
  ['temperature', {}, 'temperature'],
])("the provider's complaint about %s is put in this API's words", async (target, body, param) => {
  const complaint = apiError('unsupported_parameter', `Deployment 'mine' does not support '${target}'.`, {
    target,
  });
  for (const stream of [false, true]) {
    const { status, json } = await send({ ...body, stream }, [complaint]);
    expect(status).toBe(400);
    expect(json.error).toMatchObject({ param, message: `Deployment 'mine' does not support '${param}'.` });
  }
});

test('a failure of the provider keeps its status and headers, half an answer or not', async () => {
  const failure = apiError('rate_limit_exceeded', 'Too many.', {
    headers: { 'retry-after': '7' },
    retry: false,
  });
  for (const turn of [[failure], [...says('Hal'), failure]]) {
    const { status, json, headers } = await send({}, turn);
    expect(status).toBe(429);
    expect(json.error).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
    expect(headers).toMatchObject({ 'retry-after': '7', 'x-should-retry': 'false' });
  }
});

test('an answer without an end is an error, not an answer', async () => {
  for (const turn of [[], says('Hal')]) {
    const { status, json } = await send({}, turn);
    expect(status).toBe(502);
    expect(json.error?.code).toBe('model_error');
  }
});
