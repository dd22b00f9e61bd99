import { Ajv } from 'ajv';
import { afterEach, describe, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import { calls, finish, hangs, says, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import type { TestReply } from '../testing/test-app.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';
import { ResponseObject } from './contract.ts';

let app: WholeApp;
afterEach(() => app.close());

const hello: Turn = [...says('Hel', 'lo.'), finish()];

async function start(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await wholeApp({ 'my-model': model.provider });
  return model;
}

const create = (body: object) => app.call('POST', '/openai/v1/responses', { model: 'my-model', ...body });
const get = (path: string) => app.call('GET', `/openai/v1${path}`);

interface SentEvent {
  type: string;
  sequence_number: number;
  [key: string]: unknown;
}

function eventsOf({ text }: TestReply): SentEvent[] {
  const frames = text.split('\n\n').filter((frame) => frame !== '');
  expect(frames.pop()).toBe('event: done\ndata: [DONE]');
  return frames.map((frame) => {
    const [event, data] = frame.split('\n') as [string, string];
    const parsed = JSON.parse(data.slice('data: '.length)) as SentEvent;
    expect(event).toBe(`event: ${parsed.type}`);
    return parsed;
  });
}

const idOf = (event: SentEvent | undefined): string =>
  (event as { response: { id: string } } | undefined)?.response.id ?? '';

const isResponse = new Ajv({ strict: false }).compile(ResponseObject);

describe('a response', () => {
  test('is answered whole, stored, listed, and gone when deleted', async () => {
    const { requests } = await start(hello);
    const { status, json } = await create({ input: 'Hi', instructions: 'Be brief.', metadata: { a: 'b' } });
    expect([status, isResponse(json), isResponse.errors]).toEqual([200, true, null]);
    expect(json).toMatchObject({
      id: expect.stringMatching(/^resp_[0-9a-f]{46}$/),
      object: 'response',
      status: 'completed',
      model: 'my-model',
      instructions: 'Be brief.',
      metadata: { a: 'b' },
      error: null,
      output: [
        {
          id: expect.stringMatching(/^msg_/),
          type: 'message',
          role: 'assistant',
          status: 'completed',
          content: [{ type: 'output_text', text: 'Hello.', annotations: [], logprobs: [] }],
        },
      ],
      usage: { input_tokens: 11, output_tokens: 7, total_tokens: 18 },
    });
    expect(requests[0]).toMatchObject({
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: [{ type: 'text', text: 'Hi' }] },
      ],
      stream: false,
    });
    const path = `/responses/${json.id}`;
    expect((await get(path)).json).toEqual(json);
    expect((await get('/responses')).json.data).toEqual([json]);
    expect((await get(`${path}/input_items`)).json.data).toMatchObject([
      { type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] },
    ]);
    expect((await app.call('DELETE', `/openai/v1${path}`)).json).toEqual({
      id: json.id,
      object: 'response',
      deleted: true,
    });
    expect((await get(path)).json.error).toMatchObject({ code: 'not_found', param: 'response_id' });
  });

  test('with store: false is answered and kept nowhere', async () => {
    await start(hello);
    const { json } = await create({ input: 'Hi', store: false });
    expect(json).toMatchObject({ status: 'completed', store: false });
    expect((await get(`/responses/${json.id}`)).status).toBe(404);
  });

  test('ends incomplete when the model stops at its bound', async () => {
    await start([...says('So'), finish('length')]);
    const { json } = await create({ input: 'Hi', max_output_tokens: 16 });
    expect(json).toMatchObject({
      status: 'incomplete',
      incomplete_details: { reason: 'max_output_tokens' },
      completed_at: null,
      output: [{ status: 'incomplete' }],
    });
  });

  test('carries reasoning, refusals and calls as items in their order', async () => {
    await start([
      { type: 'reasoning', delta: 'Hm.' },
      { type: 'refusal', delta: 'I would rather not.' },
      ...calls('call_1', 'f', '{"a"', ':1}'),
      ...calls('call_2', 'free', '{"input":"text"}'),
      finish('tool_calls'),
    ]);
    const { json } = await create({
      input: 'Hi',
      include: ['reasoning.encrypted_content'],
      tools: [
        { type: 'function', name: 'f' },
        { type: 'custom', name: 'free' },
      ],
    });
    expect(json.output).toMatchObject([
      {
        type: 'reasoning',
        summary: [{ type: 'summary_text', text: 'Hm.' }],
        encrypted_content: expect.any(String),
      },
      { type: 'message', content: [{ type: 'refusal', refusal: 'I would rather not.' }] },
      { type: 'function_call', call_id: 'call_1', name: 'f', arguments: '{"a":1}', status: 'completed' },
      { type: 'custom_tool_call', call_id: 'call_2', name: 'free', input: 'text', status: 'completed' },
    ]);
    expect(json.tools).toEqual([
      { type: 'function', name: 'f', description: null, parameters: null, strict: null },
      { type: 'custom', name: 'free', description: null, format: { type: 'text' } },
    ]);
  });
});

describe('a stream', () => {
  test('tells of a response in the order of the contract', async () => {
    await start(hello);
    const reply = await create({ input: 'Hi', stream: true });
    expect(reply.headers['content-type']).toBe('text/event-stream; charset=utf-8');
    const events = eventsOf(reply);
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.output_item.added',
      'response.content_part.added',
      'response.output_text.delta',
      'response.output_text.delta',
      'response.output_text.done',
      'response.content_part.done',
      'response.output_item.done',
      'response.completed',
    ]);
    expect(events.map(({ sequence_number }) => sequence_number)).toEqual(events.map((_, i) => i));
    expect(events[2]).toMatchObject({ output_index: 0, item: { status: 'in_progress', content: [] } });
    expect(events[3]).toMatchObject({
      part: { type: 'output_text', text: '', annotations: [], logprobs: [] },
    });
    expect(events[4]).toMatchObject({ content_index: 0, delta: 'Hel', logprobs: [] });
    expect(events[6]).toMatchObject({ text: 'Hello.', logprobs: [] });
    expect((await get(`/responses/${idOf(events[0])}`)).json).toEqual(events.at(-1)?.response);
  });

  test('is replayed to the byte, whole or from any event on', async () => {
    await start([{ type: 'reasoning', delta: 'Hm.' }, ...hello]);
    const first = await create({ input: 'Hi', stream: true });
    const events = eventsOf(first);
    const path = `/responses/${idOf(events[0])}?stream=true`;
    expect((await get(path)).text).toBe(first.text);
    for (const { sequence_number: n } of events) {
      const rest = await get(`${path}&starting_after=${n}`);
      expect(first.text.endsWith(rest.text)).toBe(true);
      expect(eventsOf(rest)).toEqual(events.slice(n + 1));
    }
  });

  test('of a response that was not streamed can be had all the same', async () => {
    await start(hello);
    const { json } = await create({ input: 'Hi' });
    const events = eventsOf(await get(`/responses/${json.id}?stream=true`));
    expect(events.at(-1)).toMatchObject({ type: 'response.completed', response: json });
  });

  test('of calls has the events of calls', async () => {
    await start([...calls('call_1', 'f', '{"a"', ':1}'), finish('tool_calls')]);
    const events = eventsOf(
      await create({ input: 'Hi', stream: true, tools: [{ type: 'function', name: 'f' }] }),
    );
    expect(events.slice(2, -1)).toMatchObject([
      {
        type: 'response.output_item.added',
        item: { arguments: '', status: 'in_progress', call_id: 'call_1' },
      },
      { type: 'response.function_call_arguments.delta', delta: '{"a"' },
      { type: 'response.function_call_arguments.delta', delta: ':1}' },
      { type: 'response.function_call_arguments.done', name: 'f', arguments: '{"a":1}' },
      { type: 'response.output_item.done', item: { arguments: '{"a":1}', status: 'completed' } },
    ]);
  });
});

describe('a failing model', () => {
  const limited = () => apiError('rate_limit_exceeded', 'Slow down.', { headers: { 'retry-after': '7' } });

  test.each([false, true])('before its first event is told by status (stream: %s)', async (stream) => {
    await start([limited()]);
    const reply = await create({ input: 'Hi', stream });
    expect([reply.status, reply.headers['retry-after']]).toEqual([429, '7']);
    expect(reply.json.error).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
    expect((await get('/responses')).json.data).toEqual([]);
  });

  test('mid-way ends the stream with response.failed, and the stored response says so', async () => {
    await start([...says('Hel'), apiError('service_unavailable', "Deployment 'my-model' went away.")]);
    const events = eventsOf(await create({ input: 'Hi', stream: true }));
    const { type, response } = events.at(-1) as SentEvent & { response: { id: string } };
    expect([type, response]).toMatchObject([
      'response.failed',
      { status: 'failed', error: { code: 'server_error', message: "Deployment 'my-model' went away." } },
    ]);
    expect((await get(`/responses/${response.id}`)).json).toEqual(response);
  });

  test('of an unknown kind tells nothing of the inside', async () => {
    await start([new Error('secret path /etc')]);
    const { status, text } = await create({ input: 'Hi' });
    expect([status, text]).toEqual([500, expect.not.stringContaining('secret')]);
  });
});

describe('continuing', () => {
  test('a response brings its input and output, not its instructions', async () => {
    const { requests } = await start(hello, hello, hello);
    const first = await create({ input: 'One', instructions: 'Only once.' });
    const second = await create({ input: 'Two', previous_response_id: first.json.id });
    await create({ input: 'Three', previous_response_id: second.json.id });
    expect(requests[2]?.messages).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'One' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello.' }] },
      { role: 'user', content: [{ type: 'text', text: 'Two' }] },
      { role: 'assistant', content: [{ type: 'text', text: 'Hello.' }] },
      { role: 'user', content: [{ type: 'text', text: 'Three' }] },
    ]);
  });

  test('needs the output of every call, and no other', async () => {
    const { requests } = await start([...calls('call_1', 'f', '{}'), finish('tool_calls')], hello);
    const tools = [{ type: 'function', name: 'f' }];
    const { json } = await create({ input: 'Hi', tools });
    const next = { previous_response_id: json.id };
    const pending = await create({ ...next, input: 'Well?' });
    expect([pending.status, pending.json.error?.message]).toEqual([
      400,
      expect.stringContaining('No tool output found for function call call_1'),
    ]);
    const stray = await create({
      ...next,
      input: [{ type: 'function_call_output', call_id: 'call_2', output: 'x' }],
    });
    expect(stray.json.error).toMatchObject({ code: 'invalid_payload', param: 'input[0].call_id' });
    const good = await create({
      ...next,
      input: [{ type: 'function_call_output', call_id: 'call_1', output: 'fine' }],
    });
    expect(good.json.status).toBe('completed');
    expect(requests[1]?.messages.at(-1)).toEqual({
      role: 'tool',
      callId: 'call_1',
      name: 'f',
      output: 'fine',
    });
  });

  test('a reference stands for the item of an earlier response', async () => {
    const { requests } = await start(hello, hello);
    const { json } = await create({ input: 'Hi' });
    const [message] = json.output as [{ id: string }];
    await create({
      input: [
        { role: 'user', content: 'A' },
        { type: 'item_reference', id: message.id },
        { role: 'user', content: 'B' },
      ],
    });
    expect(requests[1]?.messages[1]).toEqual({
      role: 'assistant',
      content: [{ type: 'text', text: 'Hello.' }],
    });
    const unknown = await create({ input: [{ id: 'msg_unknown' }] });
    expect([unknown.status, unknown.json.error?.param]).toEqual([404, 'input[0].id']);
  });

  test('ids that come twice in an input are told apart', async () => {
    await start(hello);
    const item = (id: string) => ({ type: 'message', role: 'user', content: 'x', id });
    const { json } = await create({ input: [item('x'), item('x'), item('y')] });
    const seen: string[] = [];
    for (let after = ''; seen.length < 10; ) {
      const page = (await get(`/responses/${json.id}/input_items?limit=1&order=asc${after}`)).json;
      seen.push(...(page.data as { id: string }[]).map(({ id }) => id));
      if (!page.has_more) break;
      after = `&after=${page.last_id}`;
    }
    expect([seen.length, new Set(seen).size]).toEqual([3, 3]);
  });

  test('a call that was cut off needs no output', async () => {
    const { requests } = await start([...calls('call_1', 'f', '{"a'), finish('length')], hello);
    const { json } = await create({ input: 'Hi', tools: [{ type: 'function', name: 'f' }] });
    expect((await create({ input: 'Go on.', previous_response_id: json.id })).status).toBe(200);
    expect(requests[1]?.messages.map(({ role }) => role)).toEqual(['user', 'user']);
  });

  test('has a bound', async () => {
    await start(...Array.from({ length: 30 }, () => hello));
    let id: unknown;
    let last: TestReply | undefined;
    for (let i = 0; i < 30 && last?.status !== 400; i++) {
      last = await create({ input: 'Hi', ...(id ? { previous_response_id: id } : {}) });
      id = last.json.id;
    }
    expect(last?.json.error).toMatchObject({
      code: 'context_length_exceeded',
      param: 'previous_response_id',
    });
  });

  test('truncation: auto drops the oldest turns until the context fits', async () => {
    const tooLong = () => apiError('context_length_exceeded', 'Too long.');
    const { requests } = await start([tooLong()], [tooLong()], hello, [tooLong()]);
    const input = ['1', '2', '3', '4'].map((content) => ({ role: 'user', content }));
    expect((await create({ input, truncation: 'auto', instructions: 'Stay.' })).json.status).toBe(
      'completed',
    );
    expect(requests.map(({ messages }) => messages.length)).toEqual([5, 3, 2]);
    expect(requests[2]?.messages[0]).toEqual({ role: 'system', content: 'Stay.' });
    expect((await create({ input })).json.error?.code).toBe('context_length_exceeded');
  });
});

describe('a request that cannot be', () => {
  const long = 'x'.repeat(513);
  test.each([
    [{ input: 'Hi', model: 'none' }, 404, 'DeploymentNotFound', 'model'],
    [{ input: 'Hi', model: null }, 400, 'missing_required_parameter', 'model'],
    [{}, 400, 'missing_required_parameter', 'input'],
    [{ input: 5 }, 400, 'invalid_payload', 'input'],
    [{ input: [{ type: 'message', role: 'nobody', content: 'x' }] }, 400, 'invalid_payload', 'input[0].role'],
    [{ input: [{ type: 'input_nonsense' }] }, 400, 'invalid_payload', 'input[0].type'],
    [{ input: 'Hi', temperature: 3 }, 400, 'invalid_payload', 'temperature'],
    [{ input: 'Hi', max_output_tokens: 1 }, 400, 'invalid_payload', 'max_output_tokens'],
    [{ input: 'Hi', max_tool_calls: 0 }, 400, 'invalid_payload', 'max_tool_calls'],
    [{ input: 'Hi', metadata: { a: long } }, 400, 'invalid_payload', 'metadata.a'],
    [
      { input: 'Hi', previous_response_id: 'resp_none' },
      404,
      'previous_response_not_found',
      'previous_response_id',
    ],
    [{ input: 'Hi', conversation: 'none' }, 400, 'invalid_payload', 'conversation'],
    [{ input: 'Hi', conversation: `conv_${'0'.repeat(46)}` }, 404, 'not_found', 'conversation'],
    [
      { input: 'Hi', conversation: `conv_${'0'.repeat(46)}`, previous_response_id: 'resp_1' },
      400,
      'invalid_payload',
      'previous_response_id',
    ],
    [{ input: 'Hi', tools: [{ type: 'function' }] }, 400, 'missing_required_parameter', 'tools[0].name'],
    [{ input: 'Hi', tools: [{ type: 'web_search' }] }, 400, 'unsupported_parameter', 'tools[0].type'],
    [{ input: 'Hi', tool_choice: { type: 'function', name: 'f' } }, 400, 'invalid_payload', 'tool_choice'],
    [
      { input: 'Hi', text: { format: { type: 'json_schema', name: 'x' } } },
      400,
      'missing_required_parameter',
      'text.format.schema',
    ],
    [
      { input: 'Hi', text: { format: { type: 'json_schema', name: 'x', schema: { type: 'nonsense' } } } },
      400,
      'invalid_payload',
      'text.format.schema',
    ],
    [{ input: 'Hi', agent: { name: 'a' }, agent_reference: { name: 'a' } }, 400, 'invalid_payload', 'agent'],
    [{ input: 'Hi', agent: 'a' }, 400, 'invalid_payload', 'agent'],
    [{ input: 'Hi', tool_choice: { type: 'foo', tools: 5 } }, 400, 'invalid_payload', 'tool_choice'],
    [
      { input: 'Hi', tool_choice: { type: 'function' } },
      400,
      'missing_required_parameter',
      'tool_choice.name',
    ],
    [{ input: 'Hi', reasoning: { mode: 'pro' } }, 400, 'unsupported_parameter', 'reasoning.mode'],
    [
      { input: 'Hi', agent_reference: { name: 'none' }, model: null },
      404,
      'not_found',
      'agent_reference.name',
    ],
    [{ input: 'Hi', service_tier: 'priority' }, 400, 'unsupported_parameter', 'service_tier'],
    [{ input: 'Hi', top_logprobs: 2 }, 400, 'unsupported_parameter', 'top_logprobs'],
    [{ input: 'Hi', prompt: { id: 'p' } }, 400, 'unsupported_parameter', 'prompt'],
    [{ input: 'Hi', background: true, store: false }, 400, 'invalid_payload', 'background'],
    [{ input: 'Hi', stream_options: {} }, 400, 'invalid_payload', 'stream_options'],
    [{ input: 'Hi', structured_inputs: { a: 1 } }, 400, 'invalid_payload', 'structured_inputs.a'],
  ])('%j is refused', async (body, status, code, param) => {
    const model = await start();
    const reply = await create(body);
    expect([reply.status, reply.json.error]).toMatchObject([status, { code, param }]);
    expect(model.requests).toEqual([]);
    expect((await get('/responses')).json.data).toEqual([]);
  });

  test.each(['?limit=0', '?limit=101', '?limit=x', '?order=up', '?after=resp_none'])(
    'listing with %s is refused',
    async (query) => {
      await start();
      const { status, json } = await get(`/responses${query}`);
      expect([status, json.error?.code]).toEqual([400, 'invalid_parameter']);
    },
  );

  test('cancelling what is not in the background is refused', async () => {
    await start(hello);
    const { json } = await create({ input: 'Hi' });
    const reply = await app.call('POST', `/openai/v1/responses/${json.id}/cancel`);
    expect([reply.status, reply.json.error?.code]).toEqual([400, 'not_cancellable']);
    expect((await app.call('POST', '/openai/v1/responses/resp_none/cancel')).status).toBe(404);
  });
});

describe('the end of a reader or of the server', () => {
  const streaming = async (signal?: AbortSignal) => {
    const base = await app.listen();
    return fetch(`${base}/openai/v1/responses`, {
      method: 'POST',
      headers: { 'api-key': 'key', 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'my-model', input: 'Hi', stream: true }),
      ...(signal === undefined ? {} : { signal }),
    });
  };

  test('a reader who leaves stops the model, and the response fails visibly', async () => {
    const aborted = Promise.withResolvers<void>();
    await start([
      ...says('Hel'),
      async (signal) => {
        signal.addEventListener('abort', () => aborted.resolve());
        await hangs(signal);
      },
    ]);
    const control = new AbortController();
    const response = await streaming(control.signal);
    await response.body?.getReader().read();
    control.abort();
    await aborted.promise;
    await app.drain(0);
    const [stored] = (await get('/responses')).json.data as [object];
    expect(stored).toMatchObject({ status: 'failed', error: { code: 'client_disconnected' } });
  });

  test('a stopping server ends streams by their last event', async () => {
    await start([...says('Hel'), hangs]);
    const response = await streaming();
    await app.drain(0);
    const text = await response.text();
    expect(text).toContain('event: response.failed');
    expect(text.endsWith('event: done\ndata: [DONE]\n\n')).toBe(true);
  });

  test('what a killed server was working on is failed by the next', async () => {
    await start([...says('Hel'), hangs]);
    const response = await streaming();
    await response.body?.getReader().read();
    const next = await app.restart();
    const [stored] = (await next.call('GET', '/openai/v1/responses')).json.data as [{ id: string }];
    expect(stored).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
    const events = eventsOf(await next.call('GET', `/openai/v1/responses/${stored.id}?stream=true`));
    expect(events.map(({ type }) => type)).toEqual([
      'response.created',
      'response.in_progress',
      'response.failed',
    ]);
  });
});

test('input tokens are counted for the whole prompt', async () => {
  await start(hello);
  const { json: first } = await create({ input: 'One' });
  const { json } = await app.call('POST', '/openai/v1/responses/input_tokens', {
    model: 'my-model',
    input: 'Two',
    previous_response_id: first.id,
    instructions: 'Brief.',
  });
  // The scripted model counts messages.
  expect(json).toEqual({ object: 'response.input_tokens', input_tokens: 4 });
});
