import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { begun, type EchoServer, echoPath, echoServer, ended, isError } from './testing/echo-server.ts';

let server: EchoServer;
beforeAll(async () => {
  server = await echoServer();
});
afterEach(() => server.reset());
afterAll(() => server.close());

describe('messages', () => {
  test('are answered with the events of the operation, one frame each', async () => {
    const { create, until } = await server.connect();
    create('Hi');
    const events = await until(ended('Hi'));
    expect(events).toEqual([
      { type: 'echo.begun', text: 'Hi', agent: null, project: 'default', user: null },
      { type: 'echo.ended', text: 'Hi' },
    ]);
  });

  test('of a lane are answered in order, and their events name it', async () => {
    const { create, until } = await server.connect();
    create('hold 1', { stream_id: 'a' });
    create('2', { stream_id: 'a' });
    create('3', { stream_id: 'b' });
    const before = [...(await until(ended('3')))];
    expect(before.map((event) => [event.text, event.stream_id])).toEqual([
      ['hold 1', 'a'],
      ['3', 'b'],
      ['3', 'b'],
    ]);
    server.calls.get('hold 1')?.end();
    const after = await until(ended('2'));
    expect(after.slice(3).map((event) => [event.type, event.text, event.stream_id])).toEqual([
      ['echo.ended', 'hold 1', 'a'],
      ['echo.begun', '2', 'a'],
      ['echo.ended', '2', 'a'],
    ]);
  });

  test('without a lane share one', async () => {
    const { create, until } = await server.connect();
    create('hold 1');
    create('2');
    await until(begun('hold 1'));
    expect(server.order).toEqual(['hold 1']);
    server.calls.get('hold 1')?.end();
    await until(ended('2'));
  });

  test('beyond what may wait are refused, and the connection goes on', async () => {
    const { create, until, events } = await server.connect();
    create('hold');
    for (let i = 0; i < 64; i++) create(`w${i}`);
    create('one too many', { stream_id: 'other' });
    create('two too many');
    const [error] = (await until(isError)).filter(isError);
    expect(error).toMatchObject({ status: 429, error: { code: 'rate_limit_exceeded' } });
    expect(error?.error.headers).toMatchObject({ 'retry-after': '1' });
    server.calls.get('hold')?.end();
    await until(ended('w63'));
    expect(events.filter(isError)).toHaveLength(1);
    expect(events.some(ended('one too many'))).toBe(true);
  });

  test.each([
    ['{', 'invalid_json', 'body', undefined],
    ['', 'invalid_json', 'body', undefined],
    ['{"__proto__":{}}', 'invalid_json', 'body', undefined],
    ['[]', 'invalid_payload', 'body', undefined],
    ['null', 'invalid_payload', 'body', undefined],
    ['{"text":"a","stream_id":"l"}', 'missing_required_parameter', 'type', 'l'],
    ['{"type":"response.cancel","stream_id":"l"}', 'invalid_payload', 'type', 'l'],
    ['{"type":"toString"}', 'invalid_payload', 'type', undefined],
    ['{"type":"echo.create","text":"a","stream_id":"a b"}', 'invalid_payload', 'stream_id', undefined],
    ['{"type":"echo.create","text":"a","stream_id":""}', 'invalid_payload', 'stream_id', undefined],
    ['{"type":"echo.create","stream_id":"l"}', 'missing_required_parameter', 'text', 'l'],
    ['{"type":"echo.create","text":1}', 'invalid_payload', 'text', undefined],
    ['{"type":"echo.create","text":"a","background":true}', 'unsupported_parameter', 'background', undefined],
    ['{"type":"echo.create","text":"a","stream":false}', 'invalid_payload', 'stream', undefined],
    ['{"type":"echo.create","text":"a","generate":false}', 'unsupported_parameter', 'generate', undefined],
    ['{"type":"echo.create","text":"fail","stream_id":"l"}', 'invalid_payload', 'text', 'l'],
  ])('such as %s are answered with an error, and the connection goes on', async (text, code, param, lane) => {
    const { socket, create, until, events } = await server.connect();
    socket.send(text);
    create('Hi');
    await until(ended('Hi'));
    const [error] = events.filter(isError);
    const type = 'invalid_request_error';
    expect(error).toMatchObject({ status: 400, error: { type, code, param, message: expect.any(String) } });
    expect(error?.stream_id).toBe(lane);
  });

  test('of bytes are refused', async () => {
    const { socket, until } = await server.connect();
    socket.send(Buffer.from('{"type":"echo.create","text":"a"}'));
    const [error] = await until(isError);
    expect(error).toMatchObject({ status: 400, error: { code: 'invalid_json' } });
  });

  test('are refused as POST refuses them', async () => {
    const { create, until } = await server.connect();
    create('Hi', { text: ['a'] });
    const [event] = await until(isError);
    const response = await fetch(server.origin + echoPath, {
      method: 'POST',
      headers: { 'api-key': 'key', 'content-type': 'application/json' },
      body: '{"text":["a"]}',
    });
    const { error } = (await response.json()) as { error: { additionalInfo: object } };
    expect(event?.status).toBe(response.status);
    expect(event?.error).toMatchObject({ ...error, additionalInfo: expect.anything() });
  });

  test('whose events break off end in an error with the next number, and nothing of the inside', async () => {
    const { create, until } = await server.connect();
    create('break', { stream_id: 'l' });
    const events = await until(isError);
    expect(events.at(-1)).toMatchObject({
      status: 500,
      sequence_number: 1,
      stream_id: 'l',
      error: { type: 'server_error', code: 'server_error' },
    });
    expect(JSON.stringify(events)).not.toContain('broken');
  });

  test('of any content are answered, by events or an error', { timeout: 60_000 }, async () => {
    const { socket, create, until, events } = await server.connect();
    const member = fc.constantFrom('type', 'stream_id', 'text', 'stream', 'background', '__proto__', 'x');
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom('echo.create', 'l', true));
    const message = fc.oneof(
      fc.string(),
      fc.json(),
      fc.dictionary(member, value).map((o) => JSON.stringify(o)),
    );
    let count = 0;
    await fc.assert(
      fc.asyncProperty(message, async (text) => {
        socket.send(text);
        const mark = `mark ${count++}`;
        create(mark, { stream_id: 'marks' });
        const from = events.length;
        await until(ended(mark));
        const answers = events.slice(from).filter((event) => event.stream_id !== 'marks');
        for (const answer of answers.filter(isError)) expect(answer.status).toBeLessThan(500);
      }),
      { numRuns: 300 },
    );
    expect(socket.readyState).toBe(WebSocket.OPEN);
  });
});
