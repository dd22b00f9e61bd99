import { afterEach, describe, expect, test } from 'vitest';
import { calls, finish, hangs, says, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { type ScriptedToolOptions, scriptedTool, toolFailure } from '../testing/scripted-tool.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
afterEach(() => app.close());

async function start(options: Partial<ScriptedToolOptions>, ...turns: Turn[]) {
  const model = scriptedModel(...turns);
  const tool = scriptedTool({ run: ({ n }) => `result ${n}`, ...options });
  app = await wholeApp({ 'my-model': model.provider }, { tools: [tool] });
  return { model, tool };
}

const definition = (rest: object = {}) => ({ type: 'scripted', functions: ['look', 'book'], ...rest });
const create = (body: object = {}) =>
  app.call('POST', '/openai/v1/responses', {
    model: 'my-model',
    input: 'Go.',
    tools: [definition()],
    ...body,
  });
const call = (name: string, n: number | string, id = 'call_x'): Turn => [
  ...calls(id, name, typeof n === 'number' ? `{"n":${n}}` : n),
  finish('tool_calls'),
];
const done: Turn = [...says('Done.'), finish()];
const output = (json: Record<string, unknown>) => json.output as Record<string, unknown>[];

describe('the loop', () => {
  test('goes round until the model answers, and every turn knows what came before', async () => {
    const { model, tool } = await start({}, call('look', 1), call('look', 2), done);
    const { json } = await create();
    expect(output(json)).toMatchObject([
      { type: 'mcp_call', name: 'look', arguments: '{"n":1}', output: 'result 1', status: 'completed' },
      { type: 'mcp_call', arguments: '{"n":2}', output: 'result 2' },
      { type: 'message', content: [{ text: 'Done.' }] },
    ]);
    expect(json.usage).toMatchObject({ input_tokens: 33, output_tokens: 21 });
    expect(tool.calls).toEqual([{ n: 1 }, { n: 2 }]);
    expect(model.requests[2]?.messages.slice(1)).toMatchObject([
      {
        role: 'assistant',
        content: [{ type: 'tool_call', name: 'look', arguments: '{"n":1}' }, { type: 'tool_call' }],
      },
      { role: 'tool', name: 'look', output: 'result 1' },
      { role: 'tool', output: 'result 2' },
    ]);
  });

  test('runs calls made together at the same time, and keeps their order', async () => {
    const both = Promise.withResolvers<void>();
    let running = 0;
    await start(
      {
        async run({ n }) {
          if (++running === 2) both.resolve();
          await both.promise;
          return `result ${n}`;
        },
      },
      [...calls('a', 'look', '{"n":1}'), ...calls('b', 'look', '{"n":2}'), finish('tool_calls')],
      done,
    );
    const { json } = await create();
    expect(output(json).map((item) => item.output)).toEqual(['result 1', 'result 2', undefined]);
  });

  test('tells of calls by the events of their kind', async () => {
    await start({}, call('look', 1), done);
    const { text } = await create({ stream: true });
    const types = [...text.matchAll(/^event: response\.(.*)$/gm)].map(([, type]) => type);
    expect(types.slice(0, 9)).toEqual([
      'created',
      'in_progress',
      'output_item.added',
      'mcp_call.in_progress',
      'mcp_call_arguments.delta',
      'mcp_call_arguments.done',
      'mcp_call.completed',
      'output_item.done',
      'output_item.added',
    ]);
  });

  test.each([
    ['a failure of the tool', () => Promise.reject(toolFailure('No such place.')), 'No such place.'],
    ['a fault in the tool', () => Promise.reject(new Error('secret path')), 'The tool failed.'],
    ['a tool that hangs', (_: object, signal: AbortSignal) => hangs(signal), 'did not end within 0.05 s'],
  ])('%s is a failed item, and the model is told', async (_, run, message) => {
    const { model } = await start({ run, timeoutSeconds: 0.05 }, call('look', 1), done);
    const { json } = await create();
    expect(json.status).toBe('completed');
    expect(output(json)[0]).toMatchObject({
      status: 'failed',
      error: { type: 'tool_execution_error', message: expect.stringContaining(message) },
    });
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ output: expect.stringContaining(message) });
    expect(JSON.stringify(json)).not.toContain('secret');
  });

  test('arguments that are not JSON are a failed call', async () => {
    const { tool } = await start({}, call('look', '{"n":'), done);
    expect(output((await create()).json)[0]).toMatchObject({ status: 'failed' });
    expect(tool.calls).toEqual([]);
  });

  test('ends with a call of the client beside its own, and goes on with its output', async () => {
    const { model } = await start(
      {},
      [...calls('a', 'look', '{"n":1}'), ...calls('call_mine', 'mine', '{}'), finish('tool_calls')],
      done,
    );
    const tools = [definition(), { type: 'function', name: 'mine' }];
    const first = await create({ tools });
    expect(output(first.json).map(({ type, status }) => [type, status])).toEqual([
      ['mcp_call', 'completed'],
      ['function_call', 'completed'],
    ]);
    const second = await create({
      tools,
      previous_response_id: first.json.id,
      input: [{ type: 'function_call_output', call_id: 'call_mine', output: 'yes' }],
    });
    expect(second.json.status).toBe('completed');
    expect(model.requests[1]?.messages.slice(1).map(({ role }) => role)).toEqual([
      'assistant',
      'tool',
      'assistant',
      'tool',
    ]);
  });
});

describe('bounds', () => {
  test('max_tool_calls ends the calls, not the response', async () => {
    const { model, tool } = await start(
      {},
      [...calls('a', 'look', '{"n":1}'), ...calls('b', 'look', '{"n":2}'), finish('tool_calls')],
      done,
    );
    const { json } = await create({ max_tool_calls: 1 });
    expect(output(json).map(({ status }) => status)).toEqual(['completed', 'incomplete', 'completed']);
    expect(tool.calls).toHaveLength(1);
    expect(model.requests[1]?.tools).toEqual([]);
  });

  test('a call that is repeated without end is ended', async () => {
    const { model, tool } = await start({}, ...Array.from({ length: 4 }, () => call('look', 1)), done);
    const { json } = await create();
    expect([json.status, tool.calls.length]).toEqual(['completed', 4]);
    expect(model.requests.at(-1)?.tools).toEqual([]);
  });

  test('max_output_tokens counts over all turns', async () => {
    const { model } = await start({}, call('look', 1), call('look', 2), call('look', 3), done);
    const { json } = await create({ max_output_tokens: 16 });
    expect(json).toMatchObject({ status: 'incomplete', incomplete_details: { reason: 'max_output_tokens' } });
    expect(model.requests.map(({ maxOutputTokens }) => maxOutputTokens)).toEqual([16, 9, 2]);
  });

  test('what tool_choice demands is demanded once', async () => {
    const { model } = await start({}, call('look', 1), done);
    await create({ tool_choice: { type: 'scripted' } });
    expect(model.requests.map(({ toolChoice }) => toolChoice)).toEqual(['required', 'auto']);
  });
});

describe('approvals', () => {
  const tools = [definition({ require_approval: ['book'] })];
  const ask = async () => {
    const { json } = await create({ tools });
    return { id: json.id, request: output(json).at(-1) as { id: string } };
  };
  const answer = (approve: boolean, to: { id: unknown; request: { id: string } }, rest: object = {}) =>
    create({
      tools,
      previous_response_id: to.id,
      input: [{ type: 'mcp_approval_response', approval_request_id: to.request.id, approve, ...rest }],
    });

  test('a call waits for one, and is run on it', async () => {
    const { tool, model } = await start({}, call('book', 1), done);
    const asked = await ask();
    expect(asked.request).toMatchObject({ type: 'mcp_approval_request', name: 'book', arguments: '{"n":1}' });
    expect(tool.calls).toEqual([]);
    const { json } = await answer(true, asked);
    expect(output(json)).toMatchObject([
      { type: 'mcp_call', output: 'result 1', approval_request_id: asked.request.id },
      { type: 'message' },
    ]);
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: 'tool', output: 'result 1' });
  });

  test('a refusal is told to the model', async () => {
    const { tool, model } = await start({}, call('book', 1), done);
    await answer(false, await ask(), { reason: 'Too dear' });
    expect(tool.calls).toEqual([]);
    expect(model.requests[1]?.messages.at(-1)).toMatchObject({
      output: 'The user did not approve this call: Too dear',
    });
  });

  test('one is good for one call, also at the same time and after a restart', async () => {
    const { tool } = await start({}, call('book', 1), done, done, done);
    const asked = await ask();
    const replies = await Promise.all([answer(true, asked), answer(true, asked)]);
    expect(replies.map(({ status }) => status).sort()).toEqual([200, 409]);
    const good = replies.find(({ status }) => status === 200);
    const again = await answer(true, { id: good?.json.id, request: asked.request });
    expect([again.status, again.json.error]).toMatchObject([409, { code: 'conflict' }]);
    expect(tool.calls).toHaveLength(1);
  });

  test('one for nothing is refused', async () => {
    await start({}, call('book', 1));
    const asked = await ask();
    const { status, json } = await answer(true, { id: asked.id, request: { id: 'mcpr_none' } });
    expect([status, json.error]).toMatchObject([
      400,
      { code: 'invalid_payload', param: 'input[0].approval_request_id' },
    ]);
  });
});

test('a definition that is none of its tool is refused', async () => {
  await start({});
  const { status, json } = await create({ tools: [{ type: 'scripted', functions: [] }] });
  expect([status, json.error?.param]).toEqual([400, 'tools[0].functions']);
  const double = await create({ tools: [definition(), { type: 'function', name: 'look' }] });
  expect(double.json.error?.message).toContain("offer a function 'look'");
});
