import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { createOutbound, type Lookup } from './create-outbound.ts';

let server: Server;
let port: number;
let opened = 0;
const sockets = new WebSocketServer({ noServer: true });

beforeAll(async () => {
  server = createServer((_, response) => void response.writeHead(200).end());
  server.on('upgrade', (request, socket, head) => {
    if (request.url === '/hangs') return;
    if (request.url === '/leads') {
      socket.end('HTTP/1.1 302 Found\r\nlocation: ws://169.254.169.254/\r\n\r\n');
      return;
    }
    sockets.handleUpgrade(request, socket, head, (each) => {
      opened++;
      each.on('message', (data) => each.send('x'.repeat(Number(String(data)))));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  ({ port } = server.address() as AddressInfo);
});
afterAll(() => {
  server.closeAllConnections();
  for (const client of sockets.clients) client.terminate();
  server.close();
});

const address = (value: string) => [{ address: value, family: 4 }];
const limits = () => ({ mostBytes: 100, signal: AbortSignal.timeout(5000) });
const local = (lookup: Lookup = async () => address('127.0.0.1')) =>
  createOutbound({ allowLoopback: true, allow: [] }, { lookup });
const strict = (lookup: Lookup) => createOutbound({ allowLoopback: false, allow: [] }, { lookup });

test('a WebSocket goes where its name leads', async () => {
  const socket = await local().webSocket(`ws://service.test:${port}/`, limits());
  socket.send('3');
  expect(String((await once(socket, 'message'))[0])).toBe('xxx');
  socket.terminate();
});

test.each([
  'ws://127.0.0.1/',
  'wss://[::ffff:127.0.0.1]/',
  'ws://2130706433/',
  'ws://inner.test/',
  'WS://inner.test/',
  'http://inner.test/',
  'ws://user:pass@public.test/',
  'file:///etc/passwd',
])('%s is not opened', async (url) => {
  const outbound = strict(async () => address('127.0.0.1'));
  await expect(outbound.webSocket(url, limits())).rejects.toMatchObject({ code: 'address_not_allowed' });
});

test('a name that is asked again and leads to loopback then is not opened', async () => {
  const answers = [address('93.184.216.34')];
  const outbound = strict(async () => answers.shift() ?? address('127.0.0.1'));
  const url = `ws://rebinding.test:${port}/`;
  const before = opened;
  await expect(outbound.check(url.replace('ws', 'http'), 'url')).resolves.toBeUndefined();
  await expect(outbound.webSocket(url, limits())).rejects.toMatchObject({ code: 'address_not_allowed' });
  expect(opened).toBe(before);
});

test('a message that is too long closes it', async () => {
  const socket = await local().webSocket(`ws://service.test:${port}/`, limits());
  let heard = 0;
  socket.on('message', () => heard++);
  socket.send('100');
  socket.send('101');
  await new Promise((resolve) => socket.once('close', resolve));
  expect(heard).toBe(1);
});

test('it is not redirected', async () => {
  await expect(local().webSocket(`ws://service.test:${port}/leads`, limits())).rejects.toThrow(/302/);
});

test('opening it ends with its signal', async () => {
  const signal = AbortSignal.timeout(50);
  const opening = local().webSocket(`ws://service.test:${port}/hangs`, { mostBytes: 100, signal });
  await expect(opening).rejects.toThrow(/timeout/);
});
