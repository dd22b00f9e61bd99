import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { Agent, type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import Type from 'typebox';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { createApp } from '../app.ts';
import { loadConfig } from '../config.ts';
import { apiError } from '../errors.ts';
import { FormFile, formReader } from '../kit/form.ts';
import { family, multipart, op } from '../kit/operation.ts';
import { everything } from '../trust/principal.ts';

const limit = 200_000;
const schema = Type.Object({ file: FormFile, note: Type.Optional(Type.String()) });
const readForm = formReader(schema, { fieldBytes: 100, files: 1 });

const upload = op({
  method: 'POST',
  path: '/uploads',
  summary: 'Upload',
  wire: 'openai',
  consumes: multipart,
  body: schema,
});
const sizes = family(
  'sizes',
  { upload },
  {
    upload: (_ctx, { body }) =>
      readForm(body, async ({ data }) => ({ size: (data.get('file') as File).size }) as never),
  },
);

let app: Awaited<ReturnType<typeof createApp>>;
let temporary: string;
let port: number;

beforeEach(async () => {
  temporary = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  vi.stubEnv('TMPDIR', temporary);
  const config = loadConfig({ file: null, environment: {} });
  app = await createApp({
    config: { ...config, limits: { ...config.limits, bodyBytes: limit } },
    credentials: {
      verifyKey: () => ({ kind: 'key', id: 'test', name: 'test', grants: everything }),
      verifyToken() {
        throw apiError('invalid_credential', 'No tokens here.');
      },
    },
    families: [sizes],
    log: pino({ level: 'silent' }),
    installPublicRoutes() {},
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  port = (app.server.address() as AddressInfo).port;
});

afterEach(async () => {
  await app.close();
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});

const head = '--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n';
const tail = '\r\n--edge--\r\n';

function open(headers: Record<string, string | number> = {}, agent = new Agent()): ClientRequest {
  const sent = httpRequest({
    port,
    agent,
    method: 'POST',
    path: '/api/projects/default/openai/v1/uploads',
    headers: { 'api-key': 'key', 'content-type': 'multipart/form-data; boundary=edge', ...headers },
  });
  sent.on('error', () => {});
  return sent;
}

async function reply(sent: ClientRequest) {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const text = Buffer.concat(await Array.fromAsync(response)).toString();
  return { status: response.statusCode, body: JSON.parse(text), headers: response.headers };
}

const sized = (bytes: number): Buffer =>
  Buffer.concat([Buffer.from(head), Buffer.alloc(bytes), Buffer.from(tail)]);

test('a form of any size below the limit is taken, announced or chunked', async () => {
  const body = sized(limit - head.length - tail.length);
  const announced = open({ 'content-length': body.length });
  announced.end(body);
  expect(await reply(announced)).toMatchObject({
    status: 200,
    body: { size: limit - head.length - tail.length },
  });
  const chunked = open();
  for (let at = 0; at < body.length; at += 50_000) chunked.write(body.subarray(at, at + 50_000));
  chunked.end();
  expect(await reply(chunked)).toMatchObject({ status: 200 });
});

test.each(['announced', 'chunked'])('a form over the limit is 413, %s', async (how) => {
  const body = sized(limit);
  const sent = open(how === 'announced' ? { 'content-length': body.length } : {});
  sent.write(body);
  expect(await reply(sent)).toMatchObject({ status: 413, body: { error: { code: 'payload_too_large' } } });
  sent.destroy();
  expect(readdirSync(temporary)).toEqual([]);
});

test('a form that is refused while it still comes leaves the connection usable', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const body = Buffer.concat([
    Buffer.from(`--edge\r\nContent-Disposition: form-data; name="note"\r\n\r\n${'x'.repeat(101)}\r\n`),
    sized(100_000),
  ]);
  const refused = open({ 'content-length': body.length }, agent);
  refused.write(body.subarray(0, 1000));
  const answer = reply(refused);
  refused.end(body.subarray(1000));
  expect(await answer).toMatchObject({ status: 400, body: { error: { param: 'note' } } });
  const next = open({}, agent);
  next.end(sized(10));
  expect(await reply(next)).toMatchObject({ status: 200, body: { size: 10 } });
  expect(next.reusedSocket).toBe(true);
  agent.destroy();
});

test('a client that leaves midway leaves nothing behind', async () => {
  const sent = open({ 'content-length': 150_000 });
  sent.write(sized(100_000).subarray(0, 90_000));
  await vi.waitUntil(() => readdirSync(temporary).length === 1);
  sent.destroy();
  await vi.waitUntil(() => readdirSync(temporary).length === 0);
});

test('a form without a boundary, and an empty one, are 400', async () => {
  const unbounded = open({ 'content-type': 'multipart/form-data' });
  unbounded.end('x');
  expect(await reply(unbounded)).toMatchObject({ status: 400, body: { error: { param: 'Content-Type' } } });
  const empty = open({ 'content-length': 0 });
  empty.end();
  expect(await reply(empty)).toMatchObject({ status: 400, body: { error: { code: 'invalid_payload' } } });
});
