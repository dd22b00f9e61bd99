import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import {
  answer,
  type ClientOptions,
  type EchoServer,
  echoPath,
  echoServer,
  ended,
} from './testing/echo-server.ts';

let server: EchoServer;
beforeAll(async () => {
  server = await echoServer();
});
afterEach(() => server.reset());
afterAll(() => server.close());

describe('a handshake', () => {
  test.each(['ws', 'wss'] as const)('opens a %s connection and is given its id', async (scheme) => {
    const socket = server.client({ scheme, headers: { 'api-key': 'key', 'x-ms-client-request-id': 'mine' } });
    const [response] = (await once(socket, 'upgrade')) as [IncomingMessage];
    expect(response.statusCode).toBe(101);
    expect(response.headers['x-request-id']).toMatch(/^[0-9a-f]{32}$/);
    expect(response.headers['x-ms-client-request-id']).toBe('mine');
  });

  test.each([
    [{ headers: { authorization: 'Bearer key' } }, ''],
    [{ headers: { authorization: 'Bearer good.token' } }, ''],
    [{ headers: {}, protocols: ['realtime', 'openai-insecure-api-key.key'] }, 'realtime'],
    [{ headers: {}, protocols: ['openai-insecure-api-key.key'] }, 'openai-insecure-api-key.key'],
  ])('with %j is let in', async (options: ClientOptions, protocol) => {
    const { socket } = await server.connect(options);
    expect(socket.protocol).toBe(protocol);
  });

  test.each([
    [{ headers: {} }, 401, 'invalid_credential'],
    [{ headers: { authorization: 'Bearer bad.token' } }, 401, 'invalid_credential'],
    [{ headers: {}, protocols: ['openai-insecure-api-key.wrong'] }, 401, 'invalid_credential'],
    [{ at: echoPath.replace('default', 'other') }, 404, 'not_found'],
    [{ at: `${echoPath}/none` }, 404, 'not_found'],
    [{ at: '/none?api-version=v1' }, 404, 'not_found'],
  ])('with %j is refused with %i', async (options: ClientOptions, status, code) => {
    const { headers, body, ...reply } = await server.refusal(options);
    expect([reply.status, body.error.code]).toEqual([status, code]);
    expect(headers['x-request-id']).toBe(body.error.additionalInfo.request_id);
    expect(headers.connection).toBe('close');
  });

  test('for another user is for those who may act for users', async () => {
    const guarded = await echoServer(
      {},
      {
        grants: {
          user: [{ role: 'Azure AI User', project: 'default' }],
          impersonator: [
            { role: 'Azure AI User', project: 'default' },
            { role: 'Bloomery Impersonator', project: 'default' },
          ],
        },
      },
    );
    try {
      const headers = (key: string) => ({ 'api-key': key, 'x-ms-user-identity': 'eve' });
      const { status, body } = await guarded.refusal({ headers: headers('user') });
      expect([status, body.error.code]).toEqual([403, 'PermissionDenied']);
      const { create, until } = await guarded.connect({ headers: headers('impersonator') });
      create('Hi');
      expect((await until(ended('Hi')))[0]).toMatchObject({ user: 'eve' });
    } finally {
      await guarded.close();
    }
  });

  test('is refused in the envelope of its half', async () => {
    const openai = await server.refusal({ headers: {} });
    expect(openai.body.error.type).toBe('authentication_error');
    const native = await server.refusal({ headers: {}, at: '/api/projects/default/none?api-version=v1' });
    expect(native.body.error).not.toHaveProperty('type');
  });

  test('needs an api-version at an agent’s endpoint only', async () => {
    const at = '/api/projects/default/agents/ada/endpoint/protocols/openai/echoes';
    const { status, body } = await server.refusal({ at });
    expect([status, body.error.target]).toEqual([400, 'api-version']);
    const headers = { 'api-key': 'key', 'x-ms-user-identity': 'eve' };
    const { create, until } = await server.connect({ at: `${at}?api-version=v1`, headers });
    create('Hi');
    const [first] = await until(ended('Hi'));
    expect(first).toMatchObject({ agent: 'ada', project: 'default', user: 'eve' });
  });

  test.each([
    [{ 'sec-websocket-version': '7' }, 'Sec-WebSocket-Version'],
    [{ 'sec-websocket-key': 'short' }, 'Sec-WebSocket-Key'],
    [{ 'sec-websocket-protocol': 'a,,b' }, 'Sec-WebSocket-Protocol'],
  ])('that is malformed by %j is refused', async (wrong, target) => {
    const sent = httpRequest(server.origin + echoPath, {
      headers: {
        'api-key': 'key',
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...wrong,
      },
    }).end();
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const { status, body } = await answer(response);
    expect([status, body.error.target]).toEqual([400, target]);
  });

  test('for another protocol is a plain request, with its body', async () => {
    const sent = httpRequest(server.origin + echoPath, {
      method: 'POST',
      headers: { 'api-key': 'key', connection: 'Upgrade, HTTP2-Settings', upgrade: 'h2c' },
    }).end('{"text":1}');
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const { status, body } = await answer(response);
    expect([status, body.error.target]).toEqual([400, 'text']);
  });
});
