import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { testKey } from '../families/testing/test-app.ts';
import { type WholeApp, wholeApp } from '../families/testing/whole-app.ts';

let app: WholeApp;
let directory: string;
let port: number;
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-stalled-'));
  app = await wholeApp({}, { directory, limits: { bodyIdleSeconds: 1 } });
  port = Number(new URL(await app.listen()).port);
});
afterAll(() => app.close());

/** Sends what is given and no more; answers all that the server says until it ends the connection. */
async function begin(
  path: string,
  headers: Record<string, string>,
  body: string,
  meanwhile?: (s: Socket) => void,
) {
  const socket = connect(port, '127.0.0.1');
  const lines = Object.entries({ host: 'localhost', 'api-key': testKey, ...headers });
  socket.write(`POST /api/projects/default${path} HTTP/1.1\r\n`);
  socket.write(`${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n${body}`);
  let said = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  meanwhile?.(socket);
  await once(socket, 'close');
  const [head = '', json = ''] = said.split('\r\n\r\n');
  return { status: Number(head.split(' ')[1]), head, error: json === '' ? null : JSON.parse(json).error };
}

const form = { 'content-type': 'multipart/form-data; boundary=edge', 'content-length': '100000' };
const half =
  '--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nthe beginning of a file';
const json = { 'content-type': 'application/json', 'content-length': '1000' };
const filesIn = (folder: string) =>
  existsSync(join(directory, folder)) ? readdirSync(join(directory, folder), { recursive: true }) : [];

test.each([
  ['a form', '/openai/v1/files', form, half],
  ['a form that has not begun', '/openai/v1/files', form, ''],
  ['JSON under /openai/v1', '/openai/v1/responses', json, '{"model":'],
  ['JSON on a native route', '/agents?api-version=v1', json, '{"name":'],
  [
    'a body in chunks',
    '/openai/v1/responses',
    { 'content-type': 'application/json', 'transfer-encoding': 'chunked' },
    '9\r\n{"model":\r\n',
  ],
])('%s that stops midway is 408 and ends the connection', async (_, path, headers, body) => {
  const { status, head, error } = await begin(path, headers, body);
  expect([status, error?.code]).toEqual([408, 'request_timeout']);
  expect(head.toLowerCase()).toContain('connection: close');
  expect(error.type).toBe(path.startsWith('/openai') ? 'invalid_request_error' : undefined);
  expect(filesIn('files').filter((name) => name !== 'drafts')).toEqual([]);
});

test('bytes that trickle are not taken for a body that moves on', async () => {
  let trickle: NodeJS.Timeout | undefined;
  const { status } = await begin('/openai/v1/files', form, half, (socket) => {
    trickle = setInterval(() => socket.writable && socket.write('x'), 100);
    socket.on('error', () => {});
  });
  clearInterval(trickle);
  expect(status).toBe(408);
  expect(filesIn('files').filter((name) => name !== 'drafts')).toEqual([]);
});

test('a body that was refused, and then stops, ends its connection', async () => {
  const { status } = await begin('/openai/v1/files', { ...form, 'api-key': 'wrong' }, half);
  expect(status).toBe(401);
});

test('a slow body that moves on is taken', async () => {
  const { status } = await begin(
    '/openai/v1/files',
    { ...form, connection: 'close', 'content-length': '16000' },
    half,
    (socket) => {
      const tail =
        '\r\n--edge\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n--edge--\r\n';
      let left = 16_000 - half.length - tail.length;
      const slowly = setInterval(() => {
        const size = Math.min(left, 2000);
        left -= size;
        socket.write('x'.repeat(size));
        if (left > 0) return;
        clearInterval(slowly);
        socket.write(tail);
      }, 300);
    },
  );
  expect(status).toBe(200);
});
