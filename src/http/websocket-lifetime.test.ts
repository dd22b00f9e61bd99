import { once } from 'node:events';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { begun, type EchoServer, echoServer, ended, floodEvents, isError } from './testing/echo-server.ts';
import { connectionLimits } from './websocket-connection.ts';

describe('a connection', () => {
  let server: EchoServer;
  beforeAll(async () => {
    server = await echoServer();
  });
  afterEach(() => server.reset());
  afterAll(() => server.close());

  test('that closes ends its work', async () => {
    const { socket, create, until } = await server.connect();
    create('hold 1', { stream_id: 'a' });
    create('hold 2', { stream_id: 'b' });
    create('3', { stream_id: 'b' });
    await until(begun('hold 2'));
    socket.close();
    const reasons = await Promise.all([...server.calls.values()].map(({ aborted }) => aborted));
    expect(reasons).toMatchObject([{ code: 'client_disconnected' }, { code: 'client_disconnected' }]);
    expect(server.order).toEqual(['hold 1', 'hold 2']);
  });

  test('that breaks ends its work', async () => {
    const { socket, create, until } = await server.connect();
    create('hold');
    await until(begun('hold'));
    socket.terminate();
    expect(await server.calls.get('hold')?.aborted).toMatchObject({ code: 'client_disconnected' });
  });

  test('sets the pace of its events', async () => {
    const { socket, create, until } = await server.connect({ scheme: 'ws' });
    create('flood');
    await until(begun('flood'));
    socket.pause();
    let before = -1;
    while (server.order.length !== before) {
      before = server.order.length;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    expect(server.order.length).toBeLessThan(floodEvents * 0.75);
    socket.resume();
    const events = await until(ended('flood'));
    expect(events).toHaveLength(floodEvents + 2);
  });

  test('that sends no end of nonsense and reads nothing is closed, and others are served meanwhile', async () => {
    const { socket } = await server.connect({ scheme: 'ws' });
    socket.pause();
    for (let i = 0; i < 20_000; i++) socket.send('x');
    const other = await server.connect();
    other.create('Hi');
    await other.until(ended('Hi'));
    socket.resume();
    const answers: unknown[] = [];
    socket.on('message', (data) => answers.push(data));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1008);
    expect(answers).toHaveLength(connectionLimits.faultsInARow);
  });

  test('with a message over the limit is closed for that', async () => {
    const small = await echoServer({ bodyBytes: 1024 });
    const { socket, create } = await small.connect();
    create('x'.repeat(2000));
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
    await small.close();
  });
});

describe('a server', () => {
  let server: EchoServer;
  afterEach(() => server.close());

  test('at its limit refuses connections, and messages on those it has', async () => {
    server = await echoServer({ concurrentRequests: 2 });
    const one = await server.connect();
    one.create('hold');
    await one.until(begun('hold'));
    const { status, headers } = await server.refusal({});
    expect([status, headers['retry-after']]).toEqual([503, '1']);
    one.create('more', { stream_id: 'other' });
    const [error] = (await one.until(isError)).filter(isError);
    expect(error).toMatchObject({ status: 503, stream_id: 'other', error: { code: 'service_unavailable' } });
    server.calls.get('hold')?.end();
    await one.until(ended('hold'));
    one.create('again');
    await one.until(ended('again'));
    one.socket.close();
    await once(one.socket, 'close');
  });

  test('with as many connections as it may have refuses further ones until one closes', async () => {
    server = await echoServer({ webSockets: 2, projectSharePercent: 100 });
    const [one] = await Promise.all([server.connect(), server.connect()]);
    const { status, headers, body } = await server.refusal({});
    expect([status, headers['retry-after']]).toEqual([429, '1']);
    expect(body.error).toMatchObject({ code: 'rate_limit_exceeded', param: 'limits.webSockets' });
    one.create('Hi');
    await one.until(ended('Hi'));
    one.socket.close();
    await once(one.socket, 'close');
    const next = await server.connect();
    next.create('Hi');
    await next.until(ended('Hi'));
  });

  test('that stops ends what is under way, takes nothing more, and says that it goes', async () => {
    server = await echoServer();
    const [quiet, busy] = await Promise.all([server.connect(), server.connect()]);
    busy.create('hold');
    busy.create('waiting');
    await busy.until(begun('hold'));
    const quietEnd = once(quiet.socket, 'close');
    const busyEnd = once(busy.socket, 'close');
    server.drain();
    expect(await quietEnd).toEqual([1001, Buffer.from('stopping')]);
    const [waiting] = (await busy.until(isError)).filter(isError);
    expect(waiting).toMatchObject({ status: 503, error: { headers: { 'x-should-retry': 'true' } } });
    busy.create('late', { stream_id: 'late' });
    await busy.until((event) => isError(event) && event.stream_id === 'late');
    server.calls.get('hold')?.end();
    expect(await busyEnd).toEqual([1001, Buffer.from('stopping')]);
    expect(busy.events.some(ended('hold'))).toBe(true);
    expect((await server.refusal({})).status).toBe(503);
  });

  test('that interrupts its requests has connections end their work, tell so and close', async () => {
    server = await echoServer();
    const [quiet, busy] = await Promise.all([server.connect(), server.connect()]);
    busy.create('hold');
    await busy.until(begun('hold'));
    const closed = Promise.all([once(quiet.socket, 'close'), once(busy.socket, 'close')]);
    server.interrupt();
    expect(await server.calls.get('hold')?.aborted).toMatchObject({ code: 'service_unavailable' });
    const ends = await closed;
    expect(ends).toEqual(ends.map(() => [1001, Buffer.from('interrupted')]));
    expect(busy.events.some(ended('hold'))).toBe(true);
  });
});
