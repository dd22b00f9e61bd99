import OpenAI from 'openai';
import type { ResponsesServerEvent } from 'openai/resources/responses/responses';
import { ResponsesWS, type ResponsesWSClientOptions } from 'openai/resources/responses/ws';
import { afterEach, describe, expect, test } from 'vitest';
import { deployment, endpoint, freshName, openai, plainOpenAI, project } from './clients.ts';

const open: ResponsesWS[] = [];
afterEach(() => {
  for (const ws of open.splice(0)) ws.close();
});

function connect(client: OpenAI = plainOpenAI, options: ResponsesWSClientOptions = {}): ResponsesWS {
  const ws = new ResponsesWS(client, options);
  open.push(ws);
  return ws;
}

type Of<T extends string> = Extract<ResponsesServerEvent, { type: T }>;

/** The events of one response, up to the one that ends it. */
function responseEvents(ws: ResponsesWS, streamId?: string): Promise<ResponsesServerEvent[]> {
  const { promise, resolve, reject } = Promise.withResolvers<ResponsesServerEvent[]>();
  const events: ResponsesServerEvent[] = [];
  const listener = (event: ResponsesServerEvent) => {
    if (event.stream_id !== streamId) return;
    events.push(event);
    if (!/^response\.(completed|incomplete|failed)$/.test(event.type)) return;
    ws.off('event', listener);
    resolve(events);
  };
  ws.on('event', listener);
  ws.on('error', reject);
  return promise;
}

async function completed(ws: ResponsesWS, streamId?: string) {
  const last = (await responseEvents(ws, streamId)).at(-1);
  expect(last?.type).toBe('response.completed');
  return (last as Of<'response.completed'>).response;
}

const textOf = (events: ResponsesServerEvent[]): string =>
  events.map((event) => (event.type === 'response.output_text.delta' ? event.delta : '')).join('');

describe('a response', () => {
  test('comes as the events of a stream, numbered alike', async () => {
    const ws = connect();
    const reading = responseEvents(ws);
    ws.send({ type: 'response.create', model: deployment, input: 'Reply with exactly: pig iron' });
    const events = await reading;
    expect(events.map((event) => event.sequence_number)).toEqual(events.map((_, at) => at));
    expect(textOf(events)).toBe('pig iron');
    const { response } = events.at(-1) as Of<'response.completed'>;
    const replay = await openai.responses.retrieve(response.id, { stream: true });
    expect(await Array.fromAsync(replay)).toEqual(events);
  });

  test('goes on from the one before, as does one over HTTP', async () => {
    const ws = connect();
    const first = completed(ws);
    ws.send({ type: 'response.create', model: deployment, input: 'Hi' });
    const { id } = await first;
    const second = completed(ws);
    ws.send({ type: 'response.create', model: deployment, input: 'And now?', previous_response_id: id });
    expect((await second).previous_response_id).toBe(id);
    const third = await openai.responses.create({
      model: deployment,
      input: 'Again',
      previous_response_id: (await second).id,
    });
    expect(third.status).toBe('completed');
  });

  test('calls functions and takes their outputs', async () => {
    const ws = connect();
    const tools = [
      {
        type: 'function' as const,
        name: 'get_weather',
        description: 'Get the current weather of a place.',
        strict: true,
        parameters: {
          type: 'object',
          properties: { location: { type: 'string' } },
          required: ['location'],
          additionalProperties: false,
        },
      },
    ];
    const first = completed(ws);
    ws.send({ type: 'response.create', model: deployment, input: 'What is the weather in Lisbon?', tools });
    const { id, output } = await first;
    const call = output.find((item) => item.type === 'function_call');
    const second = responseEvents(ws);
    ws.send({
      type: 'response.create',
      model: deployment,
      previous_response_id: id,
      tools,
      input: [{ type: 'function_call_output', call_id: call?.call_id ?? '', output: '21 degrees' }],
    });
    expect(textOf(await second)).toContain('21 degrees');
  });

  test('of an agent comes at the agent’s own endpoint', async () => {
    const name = freshName('ws');
    await project.agents.createVersion(name, {
      kind: 'prompt',
      model: deployment,
      instructions: 'Reply with exactly: steel',
    });
    const client = new OpenAI({
      baseURL: `${endpoint}/agents/${name}/endpoint/protocols/openai`,
      defaultQuery: { 'api-version': 'v1' },
    });
    const ws = connect(client);
    const reading = responseEvents(ws);
    ws.send({ type: 'response.create', input: 'Hi' });
    const events = await reading;
    expect(textOf(events)).toBe('steel');
    const { response } = events.at(-1) as Of<'response.completed'>;
    expect(response).toMatchObject({ agent_reference: { name, version: '1' } });
    await project.agents.delete(name);
  });
});

test('lanes run side by side, and each in order', async () => {
  const ws = connect();
  const lanes = ['a', 'b', 'c'];
  const events: ResponsesServerEvent[] = [];
  const { promise: all, resolve } = Promise.withResolvers<void>();
  ws.on('event', (event) => {
    events.push(event);
    if (events.filter(({ type }) => type === 'response.completed').length === 6) resolve();
  });
  for (const turn of [1, 2]) {
    for (const lane of lanes) {
      const input = `Reply with exactly: ${lane}${turn}`;
      ws.send({ type: 'response.create', model: deployment, input, stream_id: lane });
    }
  }
  await all;
  for (const lane of lanes) {
    const own = events.filter((event) => event.stream_id === lane);
    const texts = own.flatMap((event) => (event.type === 'response.output_text.done' ? [event.text] : []));
    expect(texts).toEqual([`${lane}1`, `${lane}2`]);
    const half = own.findIndex(({ type }) => type === 'response.completed') + 1;
    const numbers = own.map((event) => event.sequence_number);
    expect(numbers.slice(0, half)).toEqual([...Array(half).keys()]);
    expect(numbers.slice(half)).toEqual([...Array(own.length - half).keys()]);
  }
});

test('the project’s client opens a connection with its token', async () => {
  // Its token is fetched by the first request, and connections take what is there.
  await openai.models.list();
  const ws = connect(openai);
  const reading = responseEvents(ws);
  ws.send({ type: 'response.create', model: deployment, input: 'Reply with exactly: token' });
  expect(textOf(await reading)).toBe('token');
});

describe('an error', () => {
  const errorOf = (ws: ResponsesWS): Promise<unknown> =>
    new Promise((resolve) => ws.on('error', (failure) => resolve(failure.error)));

  test.each([
    [{ model: 'none', input: 'Hi' }, 404, 'DeploymentNotFound', 'model'],
    [{ model: deployment, input: 7 }, 400, 'invalid_payload', 'input'],
    [{ model: deployment, input: 'Hi', background: true }, 400, 'unsupported_parameter', 'background'],
    [
      { model: deployment, input: 'Hi', previous_response_id: 'resp_none' },
      404,
      'previous_response_not_found',
      'previous_response_id',
    ],
  ])('of %j is told, and the connection goes on', async (body, status, code, param) => {
    const ws = connect();
    const failed = errorOf(ws);
    ws.send({ type: 'response.create', stream_id: 'lane', ...body } as never);
    expect(await failed).toMatchObject({ type: 'error', status, error: { code, param }, stream_id: 'lane' });
    const next = responseEvents(ws);
    ws.send({ type: 'response.create', model: deployment, input: 'Reply with exactly: on' });
    expect(textOf(await next)).toBe('on');
  });

  test('of a wrong key refuses the connection', async () => {
    const ws = connect(new OpenAI({ apiKey: 'wrong' }));
    const { promise, resolve } = Promise.withResolvers<string>();
    ws.on('error', (failure) => resolve(failure.message));
    expect(await promise).toContain('401');
  });
});

test('a connection that closes ends its response', async () => {
  const ws = connect();
  const { promise, resolve } = Promise.withResolvers<string>();
  ws.on('response.created', ({ response }) => resolve(response.id));
  ws.send({ type: 'response.create', model: deployment, input: 'Write 4000 words.' });
  const id = await promise;
  ws.close();
  let response = await openai.responses.retrieve(id);
  while (response.status === 'in_progress') response = await openai.responses.retrieve(id);
  expect(response).toMatchObject({ status: 'failed', error: { code: 'client_disconnected' } });
});
