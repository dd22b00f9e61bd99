import { afterEach, describe, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { scriptedTool } from '../testing/scripted-tool.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';
import type { ResponseTrace } from './trace.ts';

let app: WholeApp;
afterEach(() => app.close());

async function start(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await wholeApp(
    { 'my-model': model.provider },
    { tools: [scriptedTool({ run: ({ n }) => `result ${n}` })] },
  );
  return model;
}

const hello: Turn = [...says('Hello.'), finish()];
const create = (body: object) => app.call('POST', '/openai/v1/responses', { model: 'my-model', ...body });
const traceOf = async (id: unknown) =>
  (await app.call('GET', `/responses/${id}/trace`)).json as unknown as ResponseTrace;

describe('a trace', () => {
  test('tells of every model call and tool call, and its phases sum up to the whole', async () => {
    await start([...calls('x', 'look', '{"n":1}'), finish('tool_calls')], hello);
    const { json } = await create({ input: 'Go.', tools: [{ type: 'scripted', functions: ['look'] }] });
    const trace = await traceOf(json.id);
    expect(trace.phases).toMatchObject([
      { phase: 'plan' },
      {
        phase: 'model_call',
        deployment: 'my-model',
        turn: 0,
        finish_reason: 'tool_calls',
        usage: { inputTokens: 11 },
      },
      {
        phase: 'tool_calls',
        calls: [{ name: 'look', arguments: '{"n":1}', output: 'result 1', status: 'completed' }],
      },
      { phase: 'model_call', turn: 1, finish_reason: 'stop' },
    ]);
    const sum = trace.phases.reduce((total, phase) => total + phase.duration_ms, 0);
    expect(sum).toBeCloseTo(trace.duration_ms, 2);
    for (const [i, phase] of trace.phases.entries()) {
      const next = trace.phases[i + 1];
      if (next !== undefined) expect(phase.start_ms + phase.duration_ms).toBeCloseTo(next.start_ms, 1);
    }
    const [call] = trace.phases.flatMap((phase) => (phase.phase === 'tool_calls' ? phase.calls : []));
    expect((json.output as [{ id: string }])[0].id).toBe(call?.item_id);
  });

  test('belongs to the caller’s own', async () => {
    await start(hello);
    const response = await fetch(`${await app.listen()}/openai/v1/responses`, {
      method: 'POST',
      body: JSON.stringify({ model: 'my-model', input: 'Hi' }),
      headers: {
        'api-key': 'key',
        'content-type': 'application/json',
        traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      },
    });
    const { id } = (await response.json()) as { id: string };
    expect(await traceOf(id)).toMatchObject({
      trace_id: '0af7651916cd43dd8448eb211c80319c',
      parent_span_id: 'b7ad6b7169203331',
    });
  });

  test('of nothing is 404', async () => {
    await start();
    expect((await app.call('GET', '/responses/resp_none/trace')).status).toBe(404);
  });
});

describe('reasoning that the caller carries', () => {
  const thinking: Turn = [{ type: 'reasoning', delta: 'Secret thought.' }, ...hello];
  const ask = { input: 'Hi', store: false, include: ['reasoning.encrypted_content'] };

  test('comes back to the model, sealed on its way', async () => {
    const { requests } = await start(thinking, hello);
    const { json } = await create(ask);
    const [reasoning] = json.output as [{ encrypted_content: string }];
    expect(Buffer.from(reasoning.encrypted_content, 'base64url').toString('latin1')).not.toContain('Secret');
    const carried = { ...reasoning, summary: [] };
    await create({
      ...ask,
      input: [{ role: 'user', content: 'Hi' }, carried, { role: 'user', content: 'And?' }],
    });
    expect(requests[1]?.messages[1]).toEqual({
      role: 'assistant',
      content: [{ type: 'reasoning', text: 'Secret thought.' }],
    });
  });

  test('is refused when it was changed, or comes from elsewhere', async () => {
    await start(thinking);
    const { json } = await create(ask);
    const [reasoning] = json.output as [{ encrypted_content: string }];
    for (const encrypted_content of [`${reasoning.encrypted_content.slice(0, -4)}AAAA`, 'gAAAAABo']) {
      const reply = await create({
        input: [
          { ...reasoning, encrypted_content },
          { role: 'user', content: 'And?' },
        ],
      });
      expect([reply.status, reply.json.error?.param]).toEqual([400, 'input[0].encrypted_content']);
    }
  });
});

describe('compaction', () => {
  const compact = (body: object) =>
    app.call('POST', '/openai/v1/responses/compact', { model: 'my-model', ...body });

  test('keeps what the user said, and seals a summary of the rest', async () => {
    const { requests } = await start(hello, [...says('They said hello.'), finish()], hello);
    const first = await create({ input: 'Hi' });
    const { status, json } = await compact({ previous_response_id: first.json.id, input: 'Go on.' });
    expect([status, json]).toMatchObject([
      200,
      {
        object: 'response.compaction',
        output: [
          { type: 'message', role: 'user', content: [{ text: 'Hi' }] },
          { type: 'message', role: 'user', content: [{ text: 'Go on.' }] },
          { type: 'compaction', id: expect.stringMatching(/^cmp_/), encrypted_content: expect.any(String) },
        ],
        usage: { total_tokens: 18 },
      },
    ]);
    expect(JSON.stringify(requests[1]?.messages)).toContain('User: Hi\\nAssistant: Hello.\\nUser: Go on.');
    await create({ input: [...(json.output as object[]), { role: 'user', content: 'Well?' }] });
    expect(requests[2]?.messages).toMatchObject([
      { role: 'user' },
      { role: 'user' },
      { role: 'assistant', content: [{ text: 'Summary of the conversation so far: They said hello.' }] },
      { role: 'user', content: [{ text: 'Well?' }] },
    ]);
  });

  test('needs a model and something to cut short', async () => {
    await start();
    expect((await compact({ model: undefined, input: 'x' })).json.error?.param).toBe('model');
    expect((await compact({})).json.error?.param).toBe('input');
    expect((await compact({ model: 'none', input: 'x' })).status).toBe(404);
  });
});
