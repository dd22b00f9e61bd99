import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { Agent, get, type IncomingMessage } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { ensureCertificates } from '../trust/certificates.ts';
import { listen } from './listener.ts';

let directory: string;
let tls: { key: string; cert: string };
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  const { key, certificate } = await ensureCertificates(directory, []);
  tls = { key, cert: certificate };
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const listener = () =>
  listen((_request, response) => response.end('ok'), { host: '127.0.0.1', port: 0, tls });
/** Long enough that only closing the connections by itself ends a stop. */
const anHour = 3_600_000;

test('idle connections of clients hold up no stop', async () => {
  const { port, close } = await listener();
  const agent = new Agent({ keepAlive: true });
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, host: '127.0.0.1', agent }, resolve).on('error', reject);
  });
  await once(answer.resume(), 'end');
  await expect(close(anHour)).resolves.toBeUndefined();
  agent.destroy();
});

test('neither do connections that have not said anything', async () => {
  const { port, close } = await listener();
  const socket = connect(port, '127.0.0.1');
  const closed = once(socket, 'close');
  await once(socket, 'connect');
  await expect(close(anHour)).resolves.toBeUndefined();
  await closed;
});

test('headers that do not end in time are 408', async () => {
  const { port, close } = await listen(() => {}, {
    ...{ host: '127.0.0.1', port: 0, tls },
    headersMilliseconds: 200,
  });
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nhost: a\r\nx-slow: ');
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  await once(socket, 'close');
  expect(said).toMatch(/^HTTP\/1\.1 408 /);
  expect(said).toContain('"code":"request_timeout"');
  await close(anHour);
});
