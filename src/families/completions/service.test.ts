import OpenAI from 'openai';
import { afterEach, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import { chatParts } from '../chat-completions/index.ts';
import { finish, hangs, says, scriptedGateway, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { type TestApp, testApp, testKey } from '../testing/test-app.ts';
import { completionsFamily } from './index.ts';
import { unsupported } from './request-checks.ts';

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const path = '/openai/v1/completions';

async function start(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  await app?.close();
  const gateway = scriptedGateway({ mine: model.provider, mute: { countTokens: () => 0 } });
  app = await testApp(completionsFamily(gateway, chatParts));
  return { app, model };
}

async function send(body: object, ...turns: Turn[]) {
  const { app: on, model } = await start(...(turns.length > 0 ? turns : [[...says('Hi'), finish()]]));
  const reply = await on.call('POST', path, { model: 'mine', prompt: 'Hello', ...body });
  const chunks = reply.text
    .split('\n\n')
    .filter((frame) => frame.startsWith('data: {'))
    .map((frame) => JSON.parse(frame.slice('data: '.length)));
  return { ...reply, chunks, requests: model.requests };
}

const usage = {
  prompt_tokens: 11,
  completion_tokens: 7,
  total_tokens: 18,
  prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
  completion_tokens_details: {
    reasoning_tokens: 0,
    audio_tokens: 0,
    accepted_prediction_tokens: 0,
    rejected_prediction_tokens: 0,
  },
};

test('completes a text', async () => {
  const { status, json, requests } = await send({}, [
    { type: 'reasoning', delta: 'Hm.' },
    ...says('Hi ', 'there'),
    finish('length'),
  ]);
  expect(status).toBe(200);
  expect(json).toEqual({
    id: expect.stringMatching(/^cmpl-[0-9a-f]{46}$/),
    object: 'text_completion',
    created: expect.any(Number),
    model: 'mine',
    choices: [{ index: 0, text: 'Hi there', logprobs: null, finish_reason: 'length' }],
    usage,
  });
  expect(requests).toEqual([
    {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }],
      tools: [],
      toolChoice: 'auto',
      parallelToolCalls: true,
      outputFormat: { type: 'text' },
      maxOutputTokens: 16,
      temperature: null,
      topP: null,
      presencePenalty: null,
      frequencyPenalty: null,
      seed: null,
      stop: [],
      reasoningEffort: null,
      verbosity: null,
      user: null,
      stream: false,
    },
  ]);
});

test('every setting reaches the model', async () => {
  const { requests } = await send({
    max_tokens: 5,
    stop: 'END',
    temperature: 0.5,
    top_p: 0.9,
    presence_penalty: -1,
    frequency_penalty: 1,
    seed: 7,
    user: 'ada',
  });
  expect(requests[0]).toMatchObject({
    maxOutputTokens: 5,
    stop: ['END'],
    temperature: 0.5,
    topP: 0.9,
    presencePenalty: -1,
    frequencyPenalty: 1,
    seed: 7,
    user: 'ada',
  });
});

test('each of several prompts has its choice, and the usage is of all', async () => {
  const { json, requests } = await send(
    { prompt: ['a', 'b', ''], echo: true },
    [...says('1'), finish()],
    [...says('2'), finish('content_filter')],
    [{ type: 'refusal', delta: 'No.' }, finish()],
  );
  expect(json.choices).toEqual([
    { index: 0, text: 'a1', logprobs: null, finish_reason: 'stop' },
    { index: 1, text: 'b2', logprobs: null, finish_reason: 'content_filter' },
    { index: 2, text: 'No.', logprobs: null, finish_reason: 'stop' },
  ]);
  expect(json.usage).toMatchObject({ prompt_tokens: 33, completion_tokens: 21, total_tokens: 54 });
  expect(requests.length).toBe(3);
});

test('a stream is unnamed events of texts, and the sentinel', async () => {
  const { headers, text, chunks, requests } = await send({ stream: true }, [
    ...says('Hi ', 'there'),
    finish('length'),
  ]);
  expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(text.endsWith('data: [DONE]\n\n')).toBe(true);
  expect(chunks.map(({ choices: [choice] }) => choice)).toEqual([
    { index: 0, text: 'Hi ', logprobs: null, finish_reason: null },
    { index: 0, text: 'there', logprobs: null, finish_reason: null },
    { index: 0, text: '', logprobs: null, finish_reason: 'length' },
  ]);
  expect(chunks[0]).toMatchObject({ id: chunks[2].id, object: 'text_completion', model: 'mine' });
  expect(chunks[0]).not.toHaveProperty('usage');
  expect(requests[0]?.stream).toBe(true);
});

test('a stream of several prompts goes through them, echoes them and ends with the usage of all', async () => {
  const { chunks } = await send(
    { prompt: ['a', 'b'], echo: true, stream: true, stream_options: { include_usage: true } },
    [...says('1'), finish()],
    [...says('2'), finish()],
  );
  const last = chunks.pop();
  expect(last).toMatchObject({ choices: [], usage: { total_tokens: 36 } });
  expect(chunks.map(({ choices: [{ index, text }] }) => [index, text])).toEqual([
    [0, 'a'],
    [0, '1'],
    [0, ''],
    [1, 'b'],
    [1, '2'],
    [1, ''],
  ]);
  expect(chunks.every((chunk) => chunk.usage === null)).toBe(true);
});

test('padding hides the length of the pieces', async () => {
  const { chunks } = await send({ stream: true, stream_options: { include_obfuscation: true } }, [
    ...says('a', 'a longer piece'),
    finish(),
  ]);
  const lengths = chunks.map(({ obfuscation, choices: [{ text }] }) => obfuscation.length + text.length);
  expect(new Set(lengths).size).toBe(1);
});

test('the official client reads both', async () => {
  const { app: on } = await start([...says('Hi'), finish()], [...says('Hi ', 'there'), finish()]);
  const client = new OpenAI({ apiKey: testKey, baseURL: `${await on.listen()}/openai/v1`, maxRetries: 0 });
  const whole = await client.completions.create({ model: 'mine', prompt: 'Hello' });
  expect([whole.choices[0]?.text, whole.usage?.total_tokens]).toEqual(['Hi', 18]);
  const stream = await client.completions.create({ model: 'mine', prompt: 'Hello', stream: true });
  const texts = await Array.fromAsync(stream, ({ choices }) => choices[0]?.text);
  expect(texts).toEqual(['Hi ', 'there', '']);
});

const refused: [Record<string, unknown>, string][] = [
  [{ n: 2 }, 'n'],
  [{ best_of: 2 }, 'best_of'],
  [{ suffix: 'end' }, 'suffix'],
  [{ logprobs: 0 }, 'logprobs'],
  [{ logit_bias: { '50256': -100 } }, 'logit_bias'],
  [{ prompt: [1, 2, 3] }, 'prompt'],
  [{ prompt: [[1, 2], [3]] }, 'prompt'],
  [{ model: 'mute' }, 'model'],
];

test.each(refused)('%j is refused by name, before the model is called', async (body, param) => {
  const { status, json, requests } = await send(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: 'unsupported_parameter', param });
  expect(requests).toEqual([]);
});

test('every unsupported field is in the cases above', () => {
  const tried = refused.map(([body]) => Object.keys(body)[0]);
  expect(tried).toEqual(expect.arrayContaining(unsupported.map(({ field }) => field)));
});

test('values that ask for nothing are taken', async () => {
  const nothing = { n: 1, best_of: 1, suffix: '', logprobs: null, logit_bias: {}, stop: null, echo: false };
  expect((await send(nothing)).status).toBe(200);
  const nulls = Object.fromEntries(unsupported.map(({ field }) => [field, null]));
  expect((await send(nulls)).status).toBe(200);
});

test.each([
  [{ prompt: undefined }, 'missing_required_parameter', 'prompt'],
  [{ model: undefined }, 'missing_required_parameter', 'model'],
  [{ prompt: null }, 'invalid_payload', 'prompt'],
  [{ prompt: [] }, 'invalid_payload', 'prompt'],
  [{ prompt: Array.from({ length: 129 }, () => 'x') }, 'invalid_payload', 'prompt'],
  [{ prompt: ['a', 7] }, 'invalid_payload', 'prompt[1]'],
  [{ max_tokens: 0 }, 'invalid_payload', 'max_tokens'],
  [{ temperature: 3 }, 'invalid_payload', 'temperature'],
  [{ stop: ['1', '2', '3', '4', '5'] }, 'invalid_payload', 'stop'],
  [{ stream_options: { include_usage: true } }, 'invalid_payload', 'stream_options'],
])('case %#: a wrong request is refused', async (body, code, param) => {
  const { status, json, requests } = await send(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code, param });
  expect(requests).toEqual([]);
});

test('an unknown model is 404 about the model', async () => {
  const { status, json } = await send({ model: 'nobody' });
  expect([status, json.error?.param]).toEqual([404, 'model']);
});

test.each([true, false])(
  "the provider's complaint is put in this API's words (stream: %s)",
  async (stream) => {
    for (const [target, param] of [
      ['input', 'prompt'],
      ['max_output_tokens', 'max_tokens'],
    ] as const) {
      const complaint = apiError('context_length_exceeded', `Too long for '${target}'.`, { target });
      const { status, json } = await send({ stream }, [complaint]);
      expect(status).toBe(400);
      expect(json.error).toMatchObject({ param, message: `Too long for '${param}'.` });
    }
  },
);

test('an answer without an end is an error, in a stream as well', async () => {
  expect((await send({}, says('Hal'))).json.error?.code).toBe('model_error');
  expect((await send({}, [])).status).toBe(502);
  const { text, chunks } = await send({ stream: true }, says('Hal'));
  expect(chunks.at(-1)).toMatchObject({ error: { code: 'model_error' } });
  expect(text).not.toContain('[DONE]');
});

test('a failure of one prompt is the failure of all, and ends the other calls', async () => {
  const failure = apiError('rate_limit_exceeded', 'Too many.');
  const { app: on, model } = await start([...says('Hi'), hangs], [failure], [...says('Hi'), hangs]);
  const { status } = await on.call('POST', path, { model: 'mine', prompt: ['a', 'b', 'c'] });
  expect(status).toBe(429);
  await expect.poll(() => model.ended).toBe(3);
  const { chunks } = await send({ prompt: ['a', 'b'], stream: true }, [...says('1'), finish()], [failure]);
  expect(chunks.at(-1)).toMatchObject({ error: { code: 'rate_limit_exceeded' } });
});

test.each([true, false])('a client that goes away ends the call (stream: %s)', async (stream) => {
  const called = Promise.withResolvers<AbortSignal>();
  const { app: on, model } = await start([
    ...says('Hi'),
    (signal) => {
      called.resolve(signal);
      return hangs(signal);
    },
  ]);
  const client = new AbortController();
  const reply = fetch(`${await on.listen()}${path}`, {
    method: 'POST',
    headers: { 'api-key': testKey, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'mine', prompt: 'Hello', stream }),
    signal: client.signal,
  }).then((response) => response.text());
  await called.promise;
  client.abort();
  await expect(reply).rejects.toThrow();
  await expect.poll(() => model.ended).toBe(1);
});
