import { AgentEvent } from '@a2a-js/sdk/server';
import { afterEach, describe, expect, test } from 'vitest';
import type { ApiError } from '../../../errors.ts';
import type { ConnectionCredentials } from '../connections.ts';
import {
  agentTask,
  answersMessage,
  questionIn,
  type TestAgent,
  type TestAgentOptions,
  testAgent,
} from '../testing/a2a-agent.ts';
import { httpServer, json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import type { ServerTool } from '../tool.ts';
import { a2aTools } from './a2a-tool.ts';

let agent: TestAgent;
const others: { close(): Promise<void> }[] = [];
afterEach(async () => {
  await agent?.close();
  for (const other of others.splice(0)) await other.close();
});

const echo = answersMessage((question) => `You asked: ${question}`);
const completed = 3;

interface Given extends Partial<TestAgentOptions> {
  definition?(url: string): object;
  credentials?: ConnectionCredentials;
}

async function start({ definition, credentials = { type: 'None' }, ...options }: Given = {}) {
  agent = await testAgent({ execute: echo, ...options });
  const connections = fixedConnections({ mine: { target: agent.url, credentials }, bare: { credentials } });
  const [tool] = a2aTools({ outbound: loopbackOutbound, connections }) as [ServerTool];
  const given = definition?.(agent.url) ?? { type: 'a2a', a2a_version: '1.0', base_url: agent.url };
  const open = await opened(tool, given);
  const name = open.functions[0]?.name ?? '';
  return {
    open,
    ask: (message: string, signal?: AbortSignal) => called(open, name, { message }, signal),
  };
}

const refusal = (made: Promise<unknown>) =>
  made.then(
    () => expect.fail('it was taken'),
    (error: ApiError) => error,
  );

describe('an agent', () => {
  test('is a function that its card describes', async () => {
    const skill = { id: 's', name: 'Forecast', description: 'Up to a week.' };
    const skills = [
      { ...skill, tags: [], examples: [], inputModes: [], outputModes: [], securityRequirements: [] },
    ];
    const { open } = await start({ card: { skills } });
    expect(open.functions).toMatchObject([
      {
        name: 'Weather_Agent',
        description: 'Ask the agent Weather Agent. Knows the weather.\nForecast: Up to a week.',
        parameters: { required: ['message'] },
      },
    ]);
    const call = { name: 'Weather_Agent', arguments: '{}' };
    expect([open.fields(call), open.outputFields?.(call)]).toEqual([call, { name: 'Weather_Agent' }]);
  });

  test.each(['JSONRPC', 'HTTP+JSON'] as const)('answers over %s', async (binding) => {
    const { ask } = await start({ binding });
    expect(await ask('Rain?')).toMatchObject({
      output: 'You asked: Rain?',
      fields: { output: 'You asked: Rain?' },
    });
  });

  test('that answers by a task is told by what it has made', async () => {
    const { ask } = await start({
      execute(context, bus) {
        bus.publish(
          AgentEvent.task(agentTask(context, completed, { says: 'Done.', made: ['Sun.', 'Warm.'] })),
        );
        bus.finished();
      },
    });
    expect((await ask('Rain?')).output).toBe('Sun.\n\nWarm.');
  });

  test('that answers before it is done is asked until it is', async () => {
    const states = ['TASK_STATE_WORKING', 'TASK_STATE_COMPLETED'];
    const methods: string[] = [];
    const server = await httpServer((response, request) => {
      const card = {
        name: 'Slow',
        supportedInterfaces: [{ url: server.url, protocolBinding: 'JSONRPC', protocolVersion: '1.0' }],
        capabilities: {},
        securitySchemes: {},
      };
      if (request.method === 'GET') return json(card)(response, request);
      const { id, method } = JSON.parse(String(request.body));
      methods.push(method);
      const parts = [{ text: 'At last.' }];
      const message = { messageId: 'm', contextId: 'c', taskId: 't', role: 'ROLE_AGENT', parts };
      const task = {
        id: 't',
        contextId: 'c',
        status: { state: states.shift() ?? 'TASK_STATE_FAILED', message },
      };
      json({ jsonrpc: '2.0', id, result: method === 'SendMessage' ? { task } : task })(response, request);
    });
    others.push(server);
    const { ask } = await start({ definition: () => ({ type: 'a2a_preview', base_url: server.url }) });
    expect((await ask('Rain?')).output).toBe('At last.');
    expect(methods).toEqual(['SendMessage', 'GetTask']);
  });

  test('that asks back is answered in the same task', async () => {
    const { ask } = await start({
      execute(context, bus) {
        const isSecond = context.task !== undefined;
        const says = isSecond ? `In ${questionIn(context)}: sun.` : 'Where?';
        bus.publish(AgentEvent.task(agentTask(context, isSecond ? completed : 6, { says })));
        bus.finished();
      },
    });
    expect((await ask('Rain?')).output).toBe('Where?');
    expect((await ask('Rome')).output).toBe('In Rome: sun.');
  });

  test.each([
    [4, 'The agent has failed the task. No.'],
    [5, 'The agent has canceled the task. No.'],
    [7, 'The agent has refused the task. No.'],
    [8, 'The agent asks for a sign-in. No.'],
  ])('whose task ends in state %i makes a failed call', async (state, message) => {
    const { ask } = await start({
      execute(context, bus) {
        bus.publish(AgentEvent.task(agentTask(context, state, { says: 'No.' })));
        bus.finished();
      },
    });
    await expect(ask('Rain?')).rejects.toThrow(message);
  });

  test('that hangs ends with the signal of the call', async () => {
    const { ask } = await start({ execute: () => new Promise(() => {}) });
    await expect(ask('Rain?', AbortSignal.timeout(100))).rejects.toThrow();
  });

  test('that says more than is taken makes a failed call', async () => {
    const { ask } = await start({ execute: answersMessage(() => 'x'.repeat(5_000_000)) });
    await expect(ask('Rain?')).rejects.toThrow(/longer than 4194304 bytes/);
  });

  test('without a message is not asked', async () => {
    const { open } = await start();
    await expect(called(open, 'Weather_Agent', {})).rejects.toThrow("'message' is missing");
  });
});

describe('where an agent is', () => {
  test('is said by a connection, whose credentials it gets, but its card does not', async () => {
    const { ask, open } = await start({
      definition: () => ({ type: 'a2a_preview', project_connection_id: 'mine' }),
      credentials: { type: 'CustomKeys', keys: { 'x-secret': 's' } },
    });
    await ask('Rain?');
    expect(open.functions[0]?.name).toBe('mine');
    expect(agent.requests.map(({ path, headers }) => [path, headers['x-secret']])).toEqual([
      ['/.well-known/agent-card.json', undefined],
      ['/a2a', 's'],
    ]);
  });

  test('is behind credentials where the definition says so', async () => {
    await start({
      definition: () => ({
        type: 'a2a_preview',
        project_connection_id: 'mine',
        send_credentials_for_agent_card: true,
      }),
      credentials: { type: 'ApiKey', apiKey: 'k' },
    });
    expect(agent.requests[0]?.headers.authorization).toBe('Bearer k');
  });

  test('a key goes into the header that the card names', async () => {
    const value = { description: '', location: 'header', name: 'X-Api-Key' };
    const { ask } = await start({
      definition: () => ({ type: 'a2a_preview', project_connection_id: 'mine' }),
      credentials: { type: 'ApiKey', apiKey: 'k' },
      card: { securitySchemes: { key: { apiKeySecurityScheme: value } } },
    });
    await ask('Rain?');
    expect(agent.requests.at(-1)?.headers).toMatchObject({ 'x-api-key': 'k' });
    expect(agent.requests.at(-1)?.headers).not.toHaveProperty('authorization');
  });

  test('credentials do not go where a card leads', async () => {
    const stranger = await testAgent({ execute: echo });
    others.push(stranger);
    const { ask } = await start({
      definition: () => ({ type: 'a2a_preview', project_connection_id: 'mine' }),
      credentials: { type: 'CustomKeys', keys: { 'x-secret': 's' } },
      interfaceUrl: () => `${stranger.url}/a2a`,
    });
    expect((await ask('Rain?')).output).toBe('You asked: Rain?');
    expect(stranger.requests.at(-1)?.headers).not.toHaveProperty('x-secret');
  });

  test('credentials that no header takes are not told', async () => {
    const error = await refusal(
      start({
        definition: () => ({ type: 'a2a_preview', project_connection_id: 'mine' }),
        credentials: { type: 'CustomKeys', keys: { 'x-secret': 's€cret' } },
      }),
    );
    expect(error).toMatchObject({
      status: 400,
      target: 'tools[0].project_connection_id',
      message: "The credentials of connection 'mine' have a name or value that can't be sent in a header.",
    });
  });

  test('is not said by base_url where the credentials of the connection belong elsewhere', async () => {
    const definition = () => ({
      type: 'a2a_preview',
      base_url: 'http://a.example',
      project_connection_id: 'mine',
      send_credentials_for_agent_card: true,
    });
    const error = await refusal(start({ definition, credentials: { type: 'ApiKey', apiKey: 'secret-key' } }));
    expect(error).toMatchObject({ status: 400, target: 'tools[0].base_url' });
    expect(error.message).toMatch(
      /^The connection 'mine' is for http:\/\/127.*; its credentials are not sent to http:\/\/a\.example\.$/,
    );
  });

  test('may be said by base_url where the connection has keys only', async () => {
    const { ask } = await start({
      definition: (url) => ({ type: 'a2a_preview', base_url: url, project_connection_id: 'bare' }),
      credentials: { type: 'CustomKeys', keys: { 'x-secret': 'secret-key' } },
    });
    expect((await ask('Hello')).output).toContain('Hello');
  });

  test('may be said by base_url along with a connection of the same origin', async () => {
    const { ask } = await start({
      definition: (url) => ({ type: 'a2a_preview', base_url: `${url}/`, project_connection_id: 'mine' }),
      credentials: { type: 'CustomKeys', keys: { 'x-secret': 's' } },
    });
    await ask('Rain?');
    expect(agent.requests.at(-1)?.headers).toMatchObject({ 'x-secret': 's' });
  });

  test('its card may be elsewhere', async () => {
    const { open } = await start({
      definition: (url) => ({
        type: 'a2a_preview',
        base_url: `${url}/elsewhere/`,
        agent_card_path: '/card.json',
      }),
    });
    expect(open.functions).toHaveLength(1);
  });
});

describe('credentials that an agent repeats are not told', () => {
  const token = 'secret-token-1';
  const asked = {
    definition: () => ({
      type: 'a2a_preview',
      project_connection_id: 'mine',
      send_credentials_for_agent_card: true,
    }),
    credentials: { type: 'CustomKeys', keys: { Authorization: `Bearer ${token}` } },
  } as const;

  test('in its answer', async () => {
    const { ask } = await start({ ...asked, execute: answersMessage(() => `You sent ${token}.`) });
    expect(await ask('Rain?')).toMatchObject({
      output: 'You sent [redacted].',
      fields: { output: 'You sent [redacted].' },
    });
  });

  test.each([
    [3, 'Done with [redacted].'],
    [4, 'The agent has failed the task. Done with [redacted].'],
    [8, 'The agent asks for a sign-in. Done with [redacted].'],
  ])('in a task that ends in state %i', async (state, words) => {
    const { ask } = await start({
      ...asked,
      execute(context, bus) {
        bus.publish(AgentEvent.task(agentTask(context, state, { says: `Done with ${token}.` })));
        bus.finished();
      },
    });
    const told = await ask('Rain?').then(
      ({ output }) => output,
      ({ message }: ApiError) => message,
    );
    expect(told).toBe(words);
  });

  test('in its card', async () => {
    const { open } = await start({ ...asked, card: { description: `For ${token}.` } });
    expect(open.functions[0]?.description).toContain('For [redacted].');
  });
});

describe('a definition that cannot be', () => {
  test.each<[object, string, string]>([
    [{ type: 'a2a', base_url: 'http://a' }, 'missing_required_parameter', 'tools[0].a2a_version'],
    [{ type: 'a2a', a2a_version: '2.0', base_url: 'http://a' }, 'invalid_payload', 'tools[0].a2a_version'],
    [{ type: 'a2a_preview' }, 'missing_required_parameter', 'tools[0].base_url'],
    [
      { type: 'a2a_preview', project_connection_id: 'bare' },
      'missing_required_parameter',
      'tools[0].base_url',
    ],
    [
      { type: 'a2a_preview', project_connection_id: 'none' },
      'invalid_payload',
      'tools[0].project_connection_id',
    ],
    [{ type: 'a2a_preview', base_url: 'ftp://a' }, 'address_not_allowed', 'tools[0].base_url'],
    [{ type: 'a2a_preview', base_url: 'http://169.254.169.254' }, 'address_not_allowed', 'tools[0].base_url'],
  ])('%j is refused at its place', async (definition, code, target) => {
    expect(await refusal(start({ definition: () => definition }))).toMatchObject({ code, target });
  });

  test.each([
    ['is not there', json({}, 404), /agent card at \S+agent-card\.json could not be had: .*404/],
    ['is no card', json({ hello: 1 }), /agent card at .* could not be had/],
  ])('a card that %s is refused', async (_, answer, message) => {
    const server = await httpServer(answer);
    others.push(server);
    const definition = () => ({ type: 'a2a_preview', base_url: server.url });
    const error = await refusal(start({ definition }));
    expect(error).toMatchObject({ status: 400, target: 'tools[0].base_url' });
    expect(error.message).toMatch(message);
  });

  test('with an identity that means nothing elsewhere is refused', async () => {
    const definition = () => ({ type: 'a2a_preview', project_connection_id: 'mine' });
    expect(await refusal(start({ definition, credentials: { type: 'AAD' } }))).toMatchObject({
      code: 'unsupported_parameter',
      target: 'tools[0].project_connection_id',
    });
  });
});
