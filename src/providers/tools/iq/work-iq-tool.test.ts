import { afterEach, describe, expect, test } from 'vitest';
import type { ConnectionCredentials } from '../connections.ts';
import { answersMessage, type TestAgent, testAgent } from '../testing/a2a-agent.ts';
import { type AnswerRequest, type HttpServer, httpServer, json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import { workIqTool } from './work-iq-tool.ts';

const token = 'secret-token-1';
const bearer: ConnectionCredentials = { type: 'CustomKeys', keys: { Authorization: `Bearer ${token}` } };

const others: { close(): Promise<void> }[] = [];
afterEach(async () => {
  for (const other of others.splice(0)) await other.close();
});

const open = (target: string, credentials: ConnectionCredentials = bearer, id = 'my-work-iq') =>
  opened(
    workIqTool({
      outbound: loopbackOutbound,
      connections: fixedConnections({ 'my-work-iq': { target, credentials } }),
    }),
    { type: 'work_iq_preview', project_connection_id: id },
  );
const ask = async (target: string, signal?: AbortSignal) =>
  called(await open(target), 'my-work-iq', { message: 'Any mail?' }, signal);

async function agent(): Promise<TestAgent> {
  const made = await testAgent({ execute: answersMessage((question) => `You asked: ${question}`) });
  others.push(made);
  return made;
}
async function server(answer: AnswerRequest): Promise<HttpServer> {
  const made = await httpServer(answer);
  others.push(made);
  return made;
}

test('a message goes to the address of the connection, with its token and without a card', async () => {
  const { url, requests } = await agent();
  const { output, fields } = await ask(`${url}/a2a/`);
  expect(output).toBe('You asked: Any mail?');
  expect(fields).toEqual({ output });
  expect(requests.map(({ path, headers }) => [path, headers.authorization, headers['a2a-version']])).toEqual([
    ['/a2a/', `Bearer ${token}`, '1.0'],
  ]);
});

test('a token that comes back in an answer is not told', async () => {
  const made = await testAgent({ execute: answersMessage(() => `Your token is ${token}.`) });
  others.push(made);
  expect((await ask(`${made.url}/a2a/`)).output).toBe('Your token is [redacted].');
});

test('credentials of another scheme are sent as they are', async () => {
  const { url, requests } = await agent();
  const keys = { Authorization: 'Basic dXNlcjpwYXNz' };
  const tool = await open(`${url}/a2a/`, { type: 'CustomKeys', keys });
  await called(tool, 'my-work-iq', { message: 'Any mail?' });
  expect(requests[0]?.headers.authorization).toBe('Basic dXNlcjpwYXNz');
});

test('calls are told by the name of the connection', async () => {
  const tool = await open('http://127.0.0.1:9/');
  expect(tool.functions).toMatchObject([
    { name: 'my-work-iq', description: expect.stringContaining('Work IQ') },
  ]);
  const call = { name: 'my-work-iq', arguments: '{}' };
  expect([tool.fields(call), tool.outputFields?.(call)]).toEqual([call, { name: 'my-work-iq' }]);
});

describe('a gateway', () => {
  test.each<[string, AnswerRequest, RegExp]>([
    ['does not take the token', json({ message: 'no' }, 401), /could not be asked: .*401/],
    ['has had enough', json({}, 429), /could not be asked: .*429/],
    ['fails', json({}, 500), /could not be asked: .*500/],
    ['repeats the token', json({ error: `Bearer ${token} is not known` }, 403), /could not be asked: .*403/],
    ['answers with no JSON', (response) => void response.end('<html>'), /could not be asked/],
  ])('that %s makes a failed call without the token', async (_, answer, message) => {
    const { url } = await server(answer);
    const failed = ask(url);
    await expect(failed).rejects.toThrow(message);
    await expect(failed).rejects.not.toThrow(token);
  });

  test('that hangs ends with the signal of the call', async () => {
    const { url } = await server(() => {});
    await expect(ask(url, AbortSignal.timeout(100))).rejects.toThrow();
  });
});

test.each<[string, ConnectionCredentials, string, RegExp]>([
  [
    'http://a.example',
    bearer,
    'other',
    /No connection 'other' exists.*Add it with `bloomery connection set other`/,
  ],
  ['_', bearer, 'my-work-iq', /no address of Work IQ/],
  ['http://169.254.169.254/', bearer, 'my-work-iq', /may not reach/],
  ['http://a.example', { type: 'None' }, 'my-work-iq', /no token for Work IQ/],
  ['http://a.example', { type: 'ApiKey', apiKey: 'tok€n' }, 'my-work-iq', /characters that can't be sent/],
  ['http://a.example', { type: 'AAD' }, 'my-work-iq', /no token for Work IQ/],
])('the target %s with %j as %s is refused', async (target, credentials, id, message) => {
  await expect(open(target, credentials, id)).rejects.toMatchObject({
    status: 400,
    target: 'tools[0].project_connection_id',
    message: expect.stringMatching(message),
  });
});
