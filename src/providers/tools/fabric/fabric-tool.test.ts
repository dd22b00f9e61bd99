import { afterEach, describe, expect, test, vi } from 'vitest';
import type { ConnectionCredentials } from '../connections.ts';
import { type FabricService, type FabricServiceOptions, fabricService } from '../testing/fabric-service.ts';
import { type AnswerRequest, type HttpServer, httpServer, json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import { fabricTool } from './fabric-tool.ts';

const token = 'secret-token-1';
const ids = { 'workspace-id': 'ws-1', 'artifact-id': 'agent-1' };

const servers: HttpServer[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.close();
});

type Connection = { target?: string; credentials: ConnectionCredentials };
const openWith = (connection: Connection, list: unknown = [{ project_connection_id: 'sales' }]) =>
  opened(fabricTool({ outbound: loopbackOutbound, connections: fixedConnections({ sales: connection }) }), {
    type: 'fabric_dataagent_preview',
    fabric_dataagent_preview: { project_connections: list },
  });
const keys = (url: string): ConnectionCredentials => ({
  type: 'CustomKeys',
  keys: { ...ids, Authorization: `Bearer ${token}`, fabric_url: url },
});

async function start(options: Partial<FabricServiceOptions> = {}): Promise<FabricService> {
  const service = await fabricService({ token, answer: (question) => `Of '${question}': 42.`, ...options });
  servers.push(service);
  return service;
}
const ask = async (url: string, question: string, signal?: AbortSignal) =>
  called(await openWith({ credentials: keys(url) }), 'fabric_dataagent', { question }, signal);

describe('a question', () => {
  test('is asked in a thread of its own, waited for, and cleaned up behind', async () => {
    const service = await start();
    const { output, fields } = await ask(service.url, 'How many were sold?');
    expect(output).toBe("Of 'How many were sold?': 42.");
    expect(fields).toEqual({ output });
    await vi.waitFor(() => expect(service.threads).toBe(0));
    expect(service.requests.map(({ method, url }) => `${method} ${url.replace(/^.*openai/, '')}`)).toEqual([
      'POST /assistants?api-version=2024-05-01-preview',
      'POST /threads?api-version=2024-05-01-preview',
      'POST /threads/thread_1/messages?api-version=2024-05-01-preview',
      'POST /threads/thread_1/runs?api-version=2024-05-01-preview',
      'GET /threads/thread_1/runs/run_1?api-version=2024-05-01-preview',
      'GET /threads/thread_1/messages?api-version=2024-05-01-preview&order=asc&limit=100',
      'DELETE /threads/thread_1?api-version=2024-05-01-preview',
    ]);
    const activities = new Set(service.requests.map(({ headers }) => headers.activityid));
    expect([...activities]).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/)]);
  });

  test('goes to the published address where the target is one', async () => {
    const service = await start();
    const target = `${service.url}/workspaces/ws-1/dataagents/agent-1/aiassistant/openai/`;
    const tool = await openWith({ target, credentials: { type: 'ApiKey', apiKey: token } });
    expect((await called(tool, 'fabric_dataagent', { question: 'Sold?' })).output).toBe("Of 'Sold?': 42.");
  });

  test('that is none is not asked', async () => {
    const service = await start();
    await expect(ask(service.url, ' ')).rejects.toThrow("'question' is missing");
    expect(service.requests).toEqual([]);
  });
});

describe('a data agent', () => {
  test.each<[object, RegExp]>([
    [
      { status: 'failed', last_error: { message: 'Capacity is paused.' } },
      /ended as 'failed'\. Capacity is paused/,
    ],
    [{ status: 'incomplete', incomplete_details: { reason: 'max_tokens' } }, /'incomplete'\. max_tokens/],
    [{ status: 'expired' }, /ended as 'expired'\.$/],
    [{}, /ended as 'unknown'/],
  ])('whose run ends as %j makes a failed call, and no thread is left', async (state, message) => {
    const service = await start({ states: [state] });
    await expect(ask(service.url, 'Sold?')).rejects.toThrow(message);
    await vi.waitFor(() => expect(service.threads).toBe(0));
  });

  test('that never ends is left with the signal of the call, and no thread is left', async () => {
    const service = await start({ states: [{ status: 'in_progress' }] });
    await expect(ask(service.url, 'Sold?', AbortSignal.timeout(300))).rejects.toThrow(/aborted/);
    await vi.waitFor(() => expect(service.threads).toBe(0));
  });

  test('that says nothing makes a failed call', async () => {
    const service = await start({ answer: () => '' });
    await expect(ask(service.url, 'Sold?')).rejects.toThrow(/without an answer/);
  });

  test('that does not take the token makes a failed call without it', async () => {
    const service = await start({ token: 'another' });
    await expect(ask(service.url, 'Sold?')).rejects.toThrow(
      /^The Fabric data agent answered 401\. Unauthorized$/,
    );
  });

  test.each<[string, AnswerRequest, RegExp]>([
    [
      'has had enough',
      (r) => void r.writeHead(429, { 'retry-after': '9' }).end(),
      /429\. It asks to wait 9 s/,
    ],
    ['fails', json({ error: { message: `Broken by ${token}` } }, 500), /500\. Broken by \[redacted\]/],
    ['answers with no JSON', (response) => void response.end('hello'), /not the JSON/],
    ['makes nothing', json({}), /without an id/],
  ])('that %s makes a failed call', async (_, answer, message) => {
    const server = await httpServer(answer);
    servers.push(server);
    await expect(ask(server.url, 'Sold?')).rejects.toThrow(message);
  });
});

describe('a definition that cannot be', () => {
  const place = 'tools[0].fabric_dataagent_preview.project_connections';
  const id = `${place}[0].project_connection_id`;
  const custom = (given: Record<string, string>): Connection => ({
    target: '_',
    credentials: { type: 'CustomKeys', keys: given },
  });
  test.each<[unknown, Connection, string, RegExp]>([
    [[], custom(ids), place, /must name the connection/],
    [[{ project_connection_id: 'other' }], custom(ids), id, /No connection 'other'/],
    [undefined, custom({ 'workspace-id': 'ws-1' }), id, /names no data agent/],
    [undefined, custom({ ...ids, 'artifact-id': '../..' }), id, /names no data agent/],
    [undefined, custom(ids), id, /no token for Microsoft Fabric/],
    [
      undefined,
      custom({ ...ids, authorization: 'x', fabric_url: 'http://169.254.169.254' }),
      id,
      /may not reach/,
    ],
  ])('%j with %j is refused at its place', async (list, connection, target, message) => {
    await expect(openWith(connection, list)).rejects.toMatchObject({
      status: 400,
      target,
      message: expect.stringMatching(message),
    });
  });
});
