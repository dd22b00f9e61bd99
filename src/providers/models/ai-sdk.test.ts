import { afterEach, describe, expect, test } from 'vitest';
import type { ApiError } from '../../errors.ts';
import { createAnthropicProvider } from './anthropic.ts';
import { createAzureOpenAIProvider } from './azure-openai.ts';
import type { ModelProvider } from './model.ts';
import { createOpenAIProvider } from './openai.ts';
import { createOpenAICompatibleProvider } from './openai-compatible.ts';
import {
  type Answer,
  collect,
  events,
  type FakeUpstream,
  fakeUpstream,
  modelRequest,
  recordedLog,
  status,
  upstreamAt,
} from './testing/fake-upstream.ts';
import type { Upstream } from './upstream.ts';

const chunk = (delta: object, finish: string | null = null) => ({
  id: 'c1',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'some-model',
  choices: [{ index: 0, delta, finish_reason: finish }],
});
const chatUsage = {
  ...chunk({}),
  choices: [],
  usage: {
    prompt_tokens: 10,
    completion_tokens: 5,
    total_tokens: 15,
    prompt_tokens_details: { cached_tokens: 4 },
    completion_tokens_details: { reasoning_tokens: 2 },
  },
};
const chat = {
  cut: 2,
  text: [
    chunk({ role: 'assistant', content: 'Hel' }),
    chunk({ content: 'lo' }),
    chunk({}, 'stop'),
    chatUsage,
    '[DONE]',
  ],
  tool: [
    chunk({
      tool_calls: [
        { index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '' } },
      ],
    }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
    chunk({ tool_calls: [{ index: 0, function: { arguments: '"Oslo"}' } }] }),
    chunk({}, 'tool_calls'),
    chatUsage,
    '[DONE]',
  ],
};
const start = {
  type: 'message_start',
  message: {
    id: 'm1',
    type: 'message',
    role: 'assistant',
    model: 'claude',
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { input_tokens: 6, cache_read_input_tokens: 4, output_tokens: 1 },
  },
};
const messageEnd = (reason: string) => [
  { type: 'message_delta', delta: { stop_reason: reason, stop_sequence: null }, usage: { output_tokens: 5 } },
  { type: 'message_stop' },
];
const block = (index: number, content_block: object, ...deltas: object[]) => [
  { type: 'content_block_start', index, content_block },
  ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
  { type: 'content_block_stop', index },
];
const messages = {
  cut: 3,
  text: [
    start,
    ...block(
      0,
      { type: 'text', text: '' },
      { type: 'text_delta', text: 'Hel' },
      { type: 'text_delta', text: 'lo' },
    ),
    ...messageEnd('end_turn'),
  ],
  tool: [
    start,
    ...block(
      0,
      { type: 'tool_use', id: 'call_1', name: 'weather', input: {} },
      { type: 'input_json_delta', partial_json: '{"city":' },
      { type: 'input_json_delta', partial_json: '"Oslo"}' },
    ),
    ...messageEnd('tool_use'),
  ],
};

interface Kind {
  kind: string;
  make(url: string, rest?: Partial<Upstream>): ModelProvider;
  path: string;
  /** `cut`: how many events of the text have said something, but not the end. */
  script: { text: (object | string)[]; tool: (object | string)[]; cut: number };
  keyHeader: string;
  reasoningTokens: number;
}

const log = recordedLog();
const kinds: Kind[] = [
  {
    kind: 'openai-compatible',
    make: (url, rest) => createOpenAICompatibleProvider(upstreamAt(`${url}/v1`, rest), log),
    path: '/v1/chat/completions',
    script: chat,
    keyHeader: 'authorization',
    reasoningTokens: 2,
  },
  {
    kind: 'openai',
    make: (url, rest) => createOpenAIProvider(upstreamAt(`${url}/v1`, rest), log),
    path: '/v1/chat/completions',
    script: chat,
    keyHeader: 'authorization',
    reasoningTokens: 2,
  },
  {
    kind: 'azure-openai',
    make: (url, rest) => createAzureOpenAIProvider(upstreamAt(url, rest), log),
    path: '/openai/v1/chat/completions',
    script: chat,
    keyHeader: 'api-key',
    reasoningTokens: 2,
  },
  {
    kind: 'anthropic',
    make: (url, rest) => createAnthropicProvider(upstreamAt(`${url}/v1`, rest), log),
    path: '/v1/messages',
    script: messages,
    keyHeader: 'x-api-key',
    reasoningTokens: 0,
  },
];

let running: FakeUpstream | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
  const told = log.lines.splice(0).join('\n');
  expect(told).not.toContain('secret-key-of-the-upstream');
  expect(told).not.toContain('127.0.0.1');
});

async function serve(answer: Answer): Promise<FakeUpstream> {
  running = await fakeUpstream(answer);
  return running;
}

async function failureOf(provider: ModelProvider, request = modelRequest()): Promise<ApiError> {
  const error = await collect(provider, request).then(
    () => expect.fail('the call succeeded'),
    (reason: ApiError) => reason,
  );
  expect(JSON.stringify([error.message, error.details, error.headers, error.stack])).not.toContain(
    'secret-key',
  );
  expect(error.message).not.toContain('127.0.0.1');
  expect(error.cause).toBeUndefined();
  return error;
}

describe.each(kinds)('$kind', ({ make, path, script, keyHeader, reasoningTokens }) => {
  test('streams a text and tells its usage', async () => {
    const upstream = await serve(events(script.text));
    const got = await collect(make(upstream.url), modelRequest());
    const usage = { inputTokens: 10, cachedInputTokens: 4, outputTokens: 5, reasoningTokens };
    expect(got).toEqual([
      { type: 'text', delta: 'Hel' },
      { type: 'text', delta: 'lo' },
      { type: 'finish', reason: 'stop', usage },
    ]);
    expect(upstream.requests[0]?.path.split('?')[0]).toBe(path);
    expect(upstream.requests[0]?.headers[keyHeader]).toContain('secret-key-of-the-upstream');
  });

  test('streams a tool call with its arguments', async () => {
    const upstream = await serve(events(script.tool));
    const parameters = { type: 'object', properties: { city: { type: 'string' } } };
    const tools = [{ name: 'weather', description: 'The weather.', parameters, strict: null }];
    const got = await collect(make(upstream.url), modelRequest({ tools, parallelToolCalls: false }));
    expect(got.map((event) => event.type)).toEqual([
      'tool_call',
      'tool_arguments',
      'tool_arguments',
      'finish',
    ]);
    expect(got[0]).toEqual({ type: 'tool_call', callId: 'call_1', name: 'weather' });
    expect(got.map((event) => (event.type === 'tool_arguments' ? event.delta : '')).join('')).toBe(
      '{"city":"Oslo"}',
    );
    expect(got.at(-1)).toMatchObject({ reason: 'tool_calls' });
    const sent = JSON.stringify(upstream.requests[0]?.body);
    expect(sent).toMatch(/"parallel_tool_calls":false|"disable_parallel_tool_use":true/);
  });

  test('a 429 keeps its Retry-After', async () => {
    const upstream = await serve(status(429, { error: { message: 'slow down' } }, { 'retry-after': '7' }));
    const error = await failureOf(make(upstream.url));
    expect(error).toMatchObject({
      status: 429,
      code: 'rate_limit_exceeded',
      headers: { 'retry-after': '7' },
    });
    expect(error.message).toContain("'my-model'");
    expect(upstream.requests).toHaveLength(1);
  });

  test('a 401 blames the configuration and repeats nothing the upstream said', async () => {
    const upstream = await serve(status(401, { error: { message: 'bad key secret-key-of-the-upstream' } }));
    const error = await failureOf(make(upstream.url));
    expect(error).toMatchObject({ status: 503, code: 'service_unavailable' });
    expect(error.message).toContain("Deployment 'my-model' refused the server's credentials");
  });

  test('a 400 says what the upstream said, without key and address', async () => {
    const upstream = await serve((response, request) => {
      const message = `bad secret-key-of-the-upstream at http://${request.headers.host}/v1 ${'x'.repeat(2000)}`;
      status(400, { error: { message, type: 'invalid_request_error' } })(response, request);
    });
    const error = await failureOf(make(upstream.url));
    expect(error).toMatchObject({ status: 400, code: 'invalid_payload' });
    expect(error.message).toContain('bad [redacted] at');
    expect(error.message.length).toBeLessThan(700);
  });

  test.each([
    ["This model's maximum context length is 8192 tokens", 'context_length_exceeded'],
    ['prompt is too long: 208310 tokens > 200000 maximum', 'context_length_exceeded'],
    ["triggering Azure OpenAI's content management policy", 'content_filter'],
  ])('a 400 of "%s" is %s', async (message, code) => {
    const upstream = await serve(status(400, { error: { message, type: 'invalid_request_error' } }));
    expect((await failureOf(make(upstream.url))).code).toBe(code);
  });

  test.each([
    [404, 'model_error'],
    [500, 'model_error'],
    [503, 'service_unavailable'],
    [307, 'model_error'],
  ])('a %i is %s', async (code, expected) => {
    const upstream = await serve(status(code, '<html>oops</html>', { location: 'http://127.0.0.1:1/' }));
    expect((await failureOf(make(upstream.url))).code).toBe(expected);
  });

  test('silence ends in a timeout, before the first event and between two', async () => {
    const silent = await serve(() => {});
    const error = await failureOf(make(silent.url, { timeoutSeconds: 0.2 }));
    expect(error).toMatchObject({ status: 503, code: 'service_unavailable' });
    expect(error.message).toContain('0.2 s');
    await silent.aborted;
    await silent.close();
    const halting = await serve(events(script.text.slice(0, script.cut), 'hang'));
    expect((await failureOf(make(halting.url, { timeoutSeconds: 0.2 }))).code).toBe('service_unavailable');
    await halting.aborted;
  });

  test('a refused connection names the deployment and what to do', async () => {
    const upstream = await fakeUpstream(() => {});
    await upstream.close();
    const error = await failureOf(make(upstream.url));
    expect(error).toMatchObject({ status: 503, code: 'service_unavailable' });
    expect(error.message).toMatch(
      /^Deployment 'my-model' cannot be reached: its server refused the connection\. Check/,
    );
  });

  test('a stream that breaks or stops short is a model_error', async () => {
    const breaking = await serve(events(script.text.slice(0, script.cut), 'break'));
    expect((await failureOf(make(breaking.url))).code).toBe('model_error');
    await breaking.close();
    const short = await serve(events(script.text.slice(0, script.cut)));
    expect((await failureOf(make(short.url))).code).toBe('model_error');
    await short.close();
    const garbage = await serve(events([...script.text.slice(0, 1), '{"cut":']));
    expect((await failureOf(make(garbage.url))).code).toBe('model_error');
  });

  test('the abort of the caller closes the connection, whenever it comes', async () => {
    const silent = await serve(() => {});
    const before = new AbortController();
    const call = collect(make(silent.url), modelRequest(), before.signal);
    setTimeout(() => before.abort(new Error('gone')), 100);
    await expect(call).rejects.toThrow('gone');
    await silent.aborted;
    await silent.close();
    const halting = await serve(events(script.text.slice(0, script.cut), 'hang'));
    const during = new AbortController();
    await expect(async () => {
      for await (const event of make(halting.url).generate?.(modelRequest(), during.signal) ?? []) {
        if (event.type === 'text') during.abort(new Error('gone'));
      }
    }).rejects.toThrow('gone');
    await halting.aborted;
  });

  test('a caller that stops reading closes the connection', async () => {
    const halting = await serve(events(script.text.slice(0, script.cut), 'hang'));
    for await (const event of make(halting.url).generate?.(modelRequest(), new AbortController().signal) ??
      []) {
      if (event.type === 'text') break;
    }
    await halting.aborted;
  });
});
