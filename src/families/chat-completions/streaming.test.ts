import { afterEach, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import { patientCaller } from '../../providers/models/caller.ts';
import {
  calls,
  finish,
  hangs,
  says,
  scriptedGateway,
  scriptedModel,
  type Turn,
} from '../testing/scripted-model.ts';
import { type TestApp, testKey } from '../testing/test-app.ts';
import { chunkFrames } from './chunks.ts';
import type { CreateChatCompletion } from './contract.ts';
import { deltas } from './deltas.ts';
import { startModelCall } from './model-call.ts';
import { fieldNames, modelRequest } from './model-request.ts';
import { chatApp } from './testing/chat-app.ts';

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

interface Chunk {
  id: string;
  choices: { delta: Record<string, unknown>; finish_reason: string | null }[];
  usage?: object | null;
  obfuscation?: string;
  error?: object;
}

const path = '/openai/v1/chat/completions';
const request = { model: 'mine', stream: true, messages: [{ role: 'user', content: 'Hello' }] };

async function stream(turn: Turn, body: object = {}) {
  const model = scriptedModel(turn);
  app = await chatApp(scriptedGateway({ mine: model.provider }));
  const reply = await app.call('POST', path, { ...request, ...body });
  const frames = reply.text.split('\n\n').slice(0, -1);
  const chunks = frames
    .filter((frame) => frame !== 'data: [DONE]')
    .map((frame) => JSON.parse(frame.replace(/^data: /, '')) as Chunk);
  return { ...reply, frames, chunks, model };
}

const deltasOf = (chunks: Chunk[]) => chunks.map(({ choices: [choice] }) => choice?.delta);

test('a text comes in unnamed events: role, pieces, reason, sentinel', async () => {
  const { status, headers, frames, chunks, model } = await stream([
    ...says('Hi ', 'there.'),
    finish('length'),
  ]);
  expect(status).toBe(200);
  expect(headers['content-type']).toBe('text/event-stream; charset=utf-8');
  expect(frames.every((frame) => /^data: [^\n]+$/.test(frame))).toBe(true);
  expect(frames.at(-1)).toBe('data: [DONE]');
  expect(deltasOf(chunks)).toEqual([
    { role: 'assistant', content: '', refusal: null },
    { content: 'Hi ' },
    { content: 'there.' },
    {},
  ]);
  expect(chunks.map(({ choices: [choice] }) => choice?.finish_reason)).toEqual([null, null, null, 'length']);
  expect(new Set(chunks.map(({ id }) => id)).size).toBe(1);
  expect(chunks[1]).toEqual({
    id: expect.stringMatching(/^chatcmpl-/),
    object: 'chat.completion.chunk',
    created: expect.any(Number),
    model: 'mine',
    choices: [{ index: 0, delta: { content: 'Hi ' }, logprobs: null, finish_reason: null }],
  });
  expect(model.requests[0]?.stream).toBe(true);
});

test('the usage comes last, in a chunk without choices; the others have null', async () => {
  const { chunks } = await stream([...says('Hi'), finish('stop', { reasoningTokens: 3 })], {
    stream_options: { include_usage: true },
  });
  const last = chunks.pop();
  expect(last).toMatchObject({
    choices: [],
    usage: {
      prompt_tokens: 11,
      completion_tokens: 7,
      total_tokens: 18,
      completion_tokens_details: { reasoning_tokens: 3 },
    },
  });
  expect(chunks.map(({ usage }) => usage)).toEqual([null, null, null]);
});

test('tool calls come with an index; id and name once', async () => {
  const note = { type: 'custom', custom: { name: 'note' } };
  const weather = { type: 'function', function: { name: 'weather' } };
  const { chunks } = await stream(
    [
      { type: 'reasoning', delta: 'Hm.' },
      ...calls('c1', 'weather', '{"a"', ':1}'),
      ...calls('c2', 'note', '{"input"', ':"milk"}'),
      ...calls('c3', 'weather', '{}'),
      finish('tool_calls'),
    ],
    { tools: [weather, note] },
  );
  expect(deltasOf(chunks).map((delta) => (delta?.tool_calls as object[] | undefined)?.[0] ?? delta)).toEqual([
    { role: 'assistant', content: null, refusal: null },
    { index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '' } },
    { index: 0, function: { arguments: '{"a"' } },
    { index: 0, function: { arguments: ':1}' } },
    { index: 1, id: 'c2', type: 'custom', custom: { name: 'note', input: '' } },
    { index: 1, custom: { input: 'milk' } },
    { index: 2, id: 'c3', type: 'function', function: { name: 'weather', arguments: '' } },
    { index: 2, function: { arguments: '{}' } },
    {},
  ]);
});

test('a refusal is a refusal piece by piece', async () => {
  const { chunks } = await stream([{ type: 'refusal', delta: 'No.' }, finish()]);
  expect(deltasOf(chunks)).toEqual([
    { role: 'assistant', content: null, refusal: null },
    { refusal: 'No.' },
    {},
  ]);
});

test('a failure before the first event is an answer with a status', async () => {
  const { status, headers, json } = await stream([apiError('rate_limit_exceeded', 'Too many.')]);
  expect(status).toBe(429);
  expect(headers['content-type']).toBe('application/json; charset=utf-8');
  expect(json.error?.code).toBe('rate_limit_exceeded');
});

test('a failure after it is an error event, and the end', async () => {
  const { status, frames, chunks } = await stream([
    ...says('Hal'),
    apiError('context_length_exceeded', "Too long for 'input'.", { target: 'input' }),
  ]);
  expect(status).toBe(200);
  expect(frames.at(-1)).not.toBe('data: [DONE]');
  expect(chunks.at(-1)).toMatchObject({
    error: {
      code: 'context_length_exceeded',
      message: "Too long for 'messages'.",
      type: 'invalid_request_error',
      param: 'messages',
    },
  });
});

test('a fault of the server tells nothing of itself', async () => {
  const { chunks } = await stream([...says('Hal'), new Error('secret detail')]);
  expect(chunks.at(-1)).toMatchObject({ error: { code: 'server_error' } });
  expect(JSON.stringify(chunks)).not.toContain('secret detail');
});

test('no answer at all has a status', async () => {
  expect((await stream([])).status).toBe(502);
});

test('an answer without an end is an error event', async () => {
  const { chunks } = await stream(says('Hal'));
  expect(chunks.at(-1)).toMatchObject({ error: { code: 'model_error', type: 'server_error' } });
});

test('padding hides the length of the pieces', async () => {
  const { chunks } = await stream([...says('a', 'a much longer piece of text'), finish()], {
    stream_options: { include_obfuscation: true },
  });
  const lengths = chunks.map(({ obfuscation = '', choices: [choice] }) => {
    expect(obfuscation).not.toBe('');
    return JSON.stringify(choice?.delta).length + obfuscation.length;
  });
  expect(new Set(lengths)).toEqual(new Set([128]));
});

test('a reader that stops at the first frame ends the call', async () => {
  const model = scriptedModel([...says('Hi', ' there'), finish()]);
  const target = scriptedGateway({ mine: model.provider }).resolve('mine');
  const body: CreateChatCompletion = { model: 'mine', messages: [{ role: 'user', content: 'Hello' }] };
  const signal = new AbortController().signal;
  const events = await startModelCall(
    target,
    modelRequest(body).request,
    fieldNames(body),
    signal,
    patientCaller('p'),
  );
  const envelope = { id: 'chatcmpl-1', created: 1, model: 'mine' };
  const options = { includeUsage: false, obfuscate: false };
  for await (const frame of chunkFrames(envelope, deltas(events, new Set()), options)) {
    expect(frame).toContain('"role":"assistant"');
    expect(model.ended).toBe(0);
    break;
  }
  expect(model.ended).toBe(1);
});

test.each([true, false])('a client that goes away ends the call (stream: %s)', async (isStream) => {
  const called = Promise.withResolvers<AbortSignal>();
  const model = scriptedModel([
    ...says('Hi'),
    (signal) => {
      called.resolve(signal);
      return hangs(signal);
    },
  ]);
  app = await chatApp(scriptedGateway({ mine: model.provider }));
  const client = new AbortController();
  const reply = fetch(`${await app.listen()}${path}`, {
    method: 'POST',
    headers: { 'api-key': testKey, 'content-type': 'application/json' },
    body: JSON.stringify({ ...request, stream: isStream }),
    signal: client.signal,
  }).then((response) => response.text());
  const signal = await called.promise;
  const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve));
  client.abort();
  await expect(reply).rejects.toThrow();
  await aborted;
  await expect.poll(() => model.ended).toBe(1);
});
