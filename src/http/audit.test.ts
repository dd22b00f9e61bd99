import { once } from 'node:events';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { AuditEntry } from '../trust/audit-log.ts';
import { auditRequest } from './audit.ts';
import { type EchoServer, echoPath, echoServer, ended } from './testing/echo-server.ts';

const entries: AuditEntry[] = [];
let wake = () => {};
const audit = {
  reads: false,
  append(entry: AuditEntry) {
    entries.push(entry);
    wake();
  },
};

let server: EchoServer;
beforeAll(async () => {
  server = await echoServer(
    {},
    { audit, grants: { reader: [{ role: 'Cognitive Services Data Reader', project: 'default' }] } },
  );
});
afterEach(() => {
  server.reset();
  entries.length = 0;
  audit.reads = false;
});
afterAll(() => server.close());

/** An answer may have reached its reader before the server knows that it has ended. */
async function written(count: number): Promise<AuditEntry[]> {
  while (entries.length < count) {
    await new Promise<void>((resolve) => {
      wake = resolve;
    });
  }
  return entries;
}

const call = (method: string, query = '', key = 'key', path = echoPath) =>
  fetch(`${server.origin}${path}${query}`, {
    method,
    headers: { 'api-key': key, 'content-type': 'application/json', 'x-ms-client-request-id': 'mine-1' },
    ...(method === 'POST' ? { body: JSON.stringify({ text: 'fail' }) } : {}),
  });

test('what changes something is kept: who, what, where, from where, and how it ended', async () => {
  const reply = await call('POST', '?sig=secret');
  expect(await written(1)).toEqual([
    {
      time: expect.any(Number),
      requestId: reply.headers.get('x-request-id'),
      clientRequestId: 'mine-1',
      principal: { kind: 'key', id: 'test', name: 'test' },
      project: 'default',
      operation: 'Create an echo',
      action: 'Microsoft.CognitiveServices/accounts/AIServices/agents/write',
      method: 'POST',
      path: echoPath,
      status: 400,
      address: expect.stringMatching(/127\.0\.0\.1|::1/),
      ms: expect.any(Number),
    },
  ]);
});

test('what only reads is kept if it is asked for', async () => {
  await call('GET');
  audit.reads = true;
  await call('GET');
  expect(await written(1)).toMatchObject([{ method: 'GET', status: 200 }]);
});

describe('refusals are kept even where nothing would have been changed', () => {
  test('of somebody known', async () => {
    const none = `${echoPath.replace('default', 'other')}`;
    await call('GET', '', 'reader', none);
    expect(await written(1)).toMatchObject([
      { status: 403, principal: { id: 'test' }, project: 'other', path: none },
    ]);
  });

  test('of nobody known, without the path where there is no such route', async () => {
    await call('GET', '?key=secret', 'wrong');
    await call('GET', '', 'wrong', '/a-key-in-the-wrong-place');
    expect(await written(2)).toMatchObject([
      { status: 401, principal: null, project: null, path: echoPath },
      { status: 401, principal: null, path: null, operation: null, action: null },
    ]);
    expect(JSON.stringify(entries)).not.toMatch(/secret|wrong/);
  });
});

test.each([
  ['what administers the server', { asked: { mount: 'admin', operation: {}, action: {} } }, 1],
  ['a download', { asked: { mount: 'openai', operation: { answersBytes: true }, action: {} } }, 1],
  ['another read', { asked: { mount: 'openai', operation: {}, action: {} } }, 0],
])('%s is kept as it should be, although it only reads', (_, config, count) => {
  const request = {
    method: 'GET',
    url: '/things',
    routeOptions: { config },
    exchange: { principal: { id: 'test' }, project: '', startedAt: 0 },
  } as unknown as FastifyRequest;
  const reply = { raw: { headersSent: true, statusCode: 200 }, getHeader() {} } as unknown as FastifyReply;
  auditRequest(audit, request, reply);
  expect(entries).toHaveLength(count);
});

test('whoever went away before the answer began was told nothing', () => {
  const request = {
    method: 'POST',
    url: '/api/projects/default/things',
    routeOptions: { config: { isPublic: true } },
    exchange: { principal: { id: '' }, project: '', startedAt: 0 },
  } as unknown as FastifyRequest;
  const reply = { raw: { headersSent: false, statusCode: 200 }, getHeader() {} } as unknown as FastifyReply;
  auditRequest(audit, request, reply);
  expect(entries).toMatchObject([{ status: 499, principal: null, project: null }]);
});

test('every message on a WebSocket is kept, under its own request id', async () => {
  const { create, until, socket } = await server.connect();
  create('one');
  await until(ended('one'));
  create('fail');
  const [first, second] = await written(2);
  expect(first).toMatchObject({ operation: 'Create an echo', method: 'POST', status: 200, path: echoPath });
  expect(second).toMatchObject({ status: 400, principal: { id: 'test' } });
  expect(first?.requestId).not.toBe(second?.requestId);
  socket.close();
  await once(socket, 'close');
});
