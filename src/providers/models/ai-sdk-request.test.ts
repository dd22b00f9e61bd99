import { afterEach, expect, test } from 'vitest';
import { createAnthropicProvider } from './anthropic.ts';
import { createAzureOpenAIProvider } from './azure-openai.ts';
import type { ModelRequest } from './model.ts';
import { createOpenAIProvider } from './openai.ts';
import { createOpenAICompatibleProvider } from './openai-compatible.ts';
import {
  collect,
  events,
  type FakeUpstream,
  fakeUpstream,
  modelRequest,
  recordedLog,
  status,
  upstreamAt,
} from './testing/fake-upstream.ts';

let running: FakeUpstream | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

const delta = (part: object, finish: string | null = null) => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm',
  choices: [{ index: 0, delta: part, finish_reason: finish }],
});
const plain = [delta({ content: 'ok' }), delta({}, 'stop'), '[DONE]'];
const log = recordedLog();
const schema = {
  type: 'object',
  properties: { a: { type: 'string' } },
  required: ['a'],
  additionalProperties: false,
};
const jsonSchema = { type: 'json_schema', name: 'answer', description: null, schema, strict: true } as const;
const pixel = 'data:image/png;base64,iVBORw0KGgo=';

async function compatible(script: (object | string)[], request: Partial<ModelRequest>) {
  running = await fakeUpstream(events(script));
  const provider = createOpenAICompatibleProvider(upstreamAt(`${running.url}/v1`), log);
  const got = await collect(provider, modelRequest(request));
  return { got, body: running.requests[0]?.body ?? {} };
}

test('every parameter reaches an OpenAI-compatible server', async () => {
  const { body } = await compatible(plain, {
    messages: [
      { role: 'system', content: 'Be brief.' },
      { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      { role: 'assistant', content: [{ type: 'tool_call', callId: 'c1', name: 'f', arguments: '{"x":1}' }] },
      { role: 'tool', callId: 'c1', name: 'f', output: 'done' },
    ],
    tools: [{ name: 'f', description: null, parameters: { type: 'object', properties: {} }, strict: true }],
    toolChoice: { name: 'f' },
    parallelToolCalls: false,
    outputFormat: jsonSchema,
    maxOutputTokens: 50,
    temperature: 0.5,
    topP: 0.9,
    presencePenalty: 0.1,
    frequencyPenalty: 0.2,
    seed: 7,
    stop: ['END'],
    reasoningEffort: 'low',
    user: 'someone',
  });
  expect(body).toMatchObject({
    max_tokens: 50,
    temperature: 0.5,
    top_p: 0.9,
    presence_penalty: 0.1,
    frequency_penalty: 0.2,
    seed: 7,
    stop: ['END'],
    reasoning_effort: 'low',
    user: 'someone',
    parallel_tool_calls: false,
    stream: true,
    stream_options: { include_usage: true },
    tool_choice: { type: 'function', function: { name: 'f' } },
    response_format: { type: 'json_schema', json_schema: { name: 'answer', schema, strict: true } },
  });
  expect(body.messages).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Hi' },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{"x":1}' } }],
    },
    { role: 'tool', tool_call_id: 'c1', content: 'done' },
  ]);
});

test('images and documents are passed on', async () => {
  const { body } = await compatible(plain, {
    messages: [
      {
        role: 'user',
        content: [
          { type: 'image', url: pixel, detail: 'low' },
          { type: 'image', url: 'https://example.com/a.png' },
          { type: 'file', url: 'data:application/pdf;base64,JVBERi0=', filename: 'a.pdf' },
          { type: 'file', url: `data:text/plain;base64,${btoa('notes')}`, filename: 'a.txt' },
        ],
      },
    ],
  });
  expect(body.messages).toEqual([
    {
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: pixel, detail: 'low' } },
        { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,JVBERi0=' } },
        { type: 'text', text: 'a.txt:\n\nnotes' },
      ],
    },
  ]);
});

test.each([
  ['ftp://example.com/a.png', 'invalid_payload'],
  ['data:image/png', 'invalid_payload'],
  ['data:application/zip;base64,AAAA', 'invalid_payload'],
])('the image URL %s is refused', async (url, code) => {
  const call = compatible(plain, { messages: [{ role: 'user', content: [{ type: 'image', url }] }] });
  await expect(call).rejects.toMatchObject({ code, target: 'input' });
  expect(running?.requests).toHaveLength(0);
});

test('a document by URL is refused where the API has no place for it', async () => {
  const part = { type: 'file', url: 'https://example.com/a.pdf', filename: null } as const;
  const call = compatible(plain, { messages: [{ role: 'user', content: [part] }] });
  await expect(call).rejects.toMatchObject({ code: 'unsupported_parameter', target: 'input' });
});

test('parallel tool calls come one after another, even when their arguments are mixed', async () => {
  const call = (index: number, id: string | undefined, name: string | undefined, args: string) =>
    delta({
      tool_calls: [
        { index, ...(id && { id, type: 'function' }), function: { ...(name && { name }), arguments: args } },
      ],
    });
  const { got } = await compatible(
    [
      call(0, 'a', 'f', '{"x":'),
      call(1, 'b', 'g', '{"y"'),
      call(0, undefined, undefined, '1}'),
      call(1, undefined, undefined, ':2}'),
      call(2, 'c', 'h', ''),
      delta({}, 'stop'),
      '[DONE]',
    ],
    {},
  );
  const told = got.map((event) =>
    event.type === 'tool_call' ? event.name : event.type === 'tool_arguments' ? event.delta : event.type,
  );
  expect(told.join(' ')).toBe('f {"x": 1} g {"y" :2} h {} finish');
  expect(got.at(-1)).toMatchObject({ reason: 'tool_calls' });
});

test('reasoning, refusals and the reasons to finish', async () => {
  const reasoned = await compatible([delta({ reasoning_content: 'hm' }), ...plain], {});
  expect(reasoned.got.map((event) => event.type)).toEqual(['reasoning', 'text', 'finish']);
  await running?.close();
  const refused = await compatible([delta({ refusal: 'I will not' }), delta({}, 'stop'), '[DONE]'], {});
  expect(refused.got).toMatchObject([{ type: 'refusal', delta: 'I will not' }, { reason: 'stop' }]);
  await running?.close();
  const filtered = await compatible([delta({ content: 'x' }), delta({}, 'content_filter'), '[DONE]'], {});
  expect(filtered.got.at(-1)).toMatchObject({ reason: 'content_filter' });
  await running?.close();
  const cut = await compatible([delta({ content: 'x' }), delta({}, 'length'), '[DONE]'], {});
  expect(cut.got.at(-1)).toMatchObject({ reason: 'length' });
});

test('an error event within a stream keeps its meaning', async () => {
  const error = { error: { message: 'too fast', type: 'rate_limit_error', code: 'rate_limit_exceeded' } };
  await expect(compatible([delta({ content: 'x' }), error], {})).rejects.toMatchObject({
    code: 'rate_limit_exceeded',
  });
  await running?.close();
  const broken = { error: { message: 'CUDA out of memory' } };
  await expect(compatible([delta({ content: 'x' }), broken], {})).rejects.toMatchObject({
    code: 'model_error',
    message: "Deployment 'my-model' failed mid-way: CUDA out of memory",
  });
});

test.each([
  ['seed', { seed: 1 }],
  ['presence_penalty', { presencePenalty: 1 }],
  ['text.format', { outputFormat: { type: 'json_object' } }],
  ['temperature', { temperature: 1.5 }],
] as [string, Partial<ModelRequest>][])(
  'Anthropic takes no such %s, so it is refused by name',
  async (name, request) => {
    running = await fakeUpstream(events([], 'hang'));
    const provider = createAnthropicProvider(
      upstreamAt(`${running.url}/v1`, { model: 'claude-sonnet-4-5' }),
      log,
    );
    await expect(collect(provider, modelRequest(request))).rejects.toMatchObject({
      status: 400,
      code: 'unsupported_parameter',
      target: name,
    });
    expect(running.requests).toHaveLength(0);
  },
);

test('a field that the upstream calls unsupported is named as clients know it', async () => {
  const error = { message: 'no', code: 'unsupported_parameter', param: 'reasoning_effort' };
  running = await fakeUpstream(status(400, { error }));
  const provider = createOpenAIProvider(upstreamAt(`${running.url}/v1`), log);
  const call = collect(provider, modelRequest({ reasoningEffort: 'low' }));
  await expect(call).rejects.toMatchObject({ code: 'unsupported_parameter', target: 'reasoning.effort' });
});

test('Azure OpenAI gets the newer bound, and with a dated version the older path', async () => {
  running = await fakeUpstream(events(plain));
  const at = upstreamAt(running.url, { apiVersion: '2024-10-21', model: 'my-gpt' });
  await collect(createAzureOpenAIProvider(at, log), modelRequest({ maxOutputTokens: 9 }));
  expect(running.requests[0]?.path).toBe(
    '/openai/deployments/my-gpt/chat/completions?api-version=2024-10-21',
  );
  expect(running.requests[0]?.body).toMatchObject({ max_completion_tokens: 9 });
  expect(running.requests[0]?.body).not.toHaveProperty('max_tokens');
});

test('embeddings go out with their dimensions and come back with their cost', async () => {
  const data = [0, 1].map((index) => ({ object: 'embedding', index, embedding: [index, 1] }));
  running = await fakeUpstream(
    status(200, { object: 'list', data, model: 'm', usage: { prompt_tokens: 3, total_tokens: 3 } }),
  );
  const provider = createOpenAICompatibleProvider(upstreamAt(`${running.url}/v1`), log);
  const signal = new AbortController().signal;
  expect(await provider.embed?.({ inputs: ['a', 'b'], dimensions: 2 }, signal)).toEqual({
    embeddings: [
      [0, 1],
      [1, 1],
    ],
    inputTokens: 3,
  });
  expect(running.requests[0]?.body).toMatchObject({ input: ['a', 'b'], dimensions: 2 });
  const short = provider.embed?.({ inputs: ['a'], dimensions: null }, signal);
  await expect(short).rejects.toMatchObject({ code: 'model_error' });
});

test('a JSON schema reaches Anthropic', async () => {
  running = await fakeUpstream(status(429, {}));
  const provider = createAnthropicProvider(
    upstreamAt(`${running.url}/v1`, { model: 'claude-sonnet-4-5' }),
    log,
  );
  await expect(collect(provider, modelRequest({ outputFormat: jsonSchema }))).rejects.toMatchObject({
    status: 429,
  });
  expect(JSON.stringify(running.requests[0]?.body)).toContain('"properties":{"a":{"type":"string"');
});
