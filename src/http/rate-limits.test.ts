import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { pino } from 'pino';
import Type from 'typebox';
import { afterEach, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { type Config, loadConfig } from '../config.ts';
import { apiError } from '../errors.ts';
import { EventStream, family, op } from '../kit/operation.ts';
import type { Principal } from '../trust/principal.ts';
import { everything } from '../trust/principal.ts';
import { watchDisk } from './disk-space.ts';

const result = Type.Object({});
const operations = {
  list: op({ method: 'GET', path: '/things', wire: 'foundry', summary: 'List things', result }),
  preview: op({
    method: 'GET',
    path: '/previews',
    wire: 'foundry',
    summary: 'List previews',
    result,
    preview: 'Things=V1Preview',
  }),
  make: op({ method: 'POST', path: '/things', wire: 'foundry', summary: 'Make a thing', result }),
  hold: op({ method: 'GET', path: '/holds', wire: 'openai', summary: 'Take long', result }),
  long: op({ method: 'GET', path: '/long', wire: 'openai', summary: 'Say much', result }),
  stream: op({
    method: 'GET',
    path: '/streams',
    wire: 'openai',
    summary: 'Stream',
    query: Type.Object({ stream: Type.Optional(Type.Boolean()) }),
    streams: true,
  }),
};

const principals: Record<string, Principal> = {
  one: { kind: 'key', id: 'one', name: 'one', grants: everything },
  two: { kind: 'key', id: 'two', name: 'two', grants: everything },
  user: { kind: 'key', id: 'user', name: 'user', grants: [{ role: 'Azure AI User', project: 'default' }] },
};

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
  close = undefined;
});

async function serve(
  rateLimits: Partial<Config['rateLimits']>,
  limits: Partial<Config['limits']> = {},
  freeBytes = Number.POSITIVE_INFINITY,
) {
  const config = loadConfig({ file: null, environment: {} });
  const holds: (() => void)[] = [];
  const holding = () => new Promise<void>((resolve) => holds.push(resolve));
  const app = await createApp({
    config: {
      ...config,
      projects: ['default', 'other'],
      rateLimits: { ...config.rateLimits, ...rateLimits },
      limits: { ...config.limits, ...limits },
    },
    credentials: {
      verifyKey: (key) => principals[key] ?? null,
      verifyToken() {
        throw apiError('invalid_credential', 'No tokens here.');
      },
    },
    families: [
      family('things', operations, {
        list: () => ({}),
        preview: () => ({}),
        make: () => ({}),
        long: () => ({ text: 'x'.repeat(16 * 2 ** 20) }),
        async hold() {
          await holding();
          return {};
        },
        stream(ctx) {
          async function* frames() {
            yield 'data: begun\n\n';
            await Promise.race([
              holding(),
              new Promise((_, reject) =>
                ctx.signal.addEventListener('abort', () => reject(ctx.signal.reason)),
              ),
            ]);
          }
          return new EventStream(frames(), (error) => `data: ${(error as Error).message}\n\n`);
        },
      }),
    ],
    log: pino({ level: 'silent' }),
    installPublicRoutes() {},
    disk: watchDisk('/', config.limits.diskFreeBytes, { freeBytes: () => freeBytes }),
  });
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  close = async () => {
    for (const end of holds) end();
    app.server.closeAllConnections();
    await app.close();
  };
  const ask = async (
    path: string,
    { project = 'default', key = 'one', ...init }: RequestInit & { project?: string; key?: string } = {},
  ) => {
    const version = path.includes('openai') ? '' : '?api-version=v1';
    const response = await fetch(`${origin}/api/projects/${project}${path}${version}`, {
      ...init,
      headers: { 'api-key': key, 'foundry-features': 'Things=V1Preview', ...init.headers },
    });
    return { status: response.status, headers: response.headers, response };
  };
  const body = async ({ response }: Awaited<ReturnType<typeof ask>>) =>
    ((await response.json()) as { error: { code: string; message: string; target: string } }).error;
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  return { origin, ask, body, holds, until };
}

const callers = (given: Partial<Config['rateLimits']['project']>) => ({
  requestsPerMinute: null,
  tokensPerMinute: null,
  concurrency: null,
  ...given,
});

test('requests of a project: told from the first, refused beyond, with when to repeat', async () => {
  const { ask, body } = await serve({ project: callers({ requestsPerMinute: 2 }) });
  const first = await ask('/things');
  expect([first.status, first.headers.get('x-ratelimit-remaining-requests')]).toEqual([200, '1']);
  expect(first.headers.get('x-ratelimit-limit-requests')).toBe('2');
  expect((await ask('/things', { key: 'two' })).status).toBe(200);
  const refused = await ask('/things');
  expect(refused.status).toBe(429);
  const error = await body(refused);
  expect(error).toMatchObject({
    code: 'rate_limit_exceeded',
    target: 'rateLimits.project.requestsPerMinute',
    message: expect.stringMatching(
      /^Project 'default' may make 2 requests a minute; the 2 are used up\. Repeat/,
    ),
  });
  const milliseconds = Number(refused.headers.get('retry-after-ms'));
  expect(milliseconds).toBeGreaterThan(50_000);
  expect(refused.headers.get('retry-after')).toBe(String(Math.ceil(milliseconds / 1000)));
  expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
  expect(Number(refused.headers.get('x-ratelimit-reset-requests'))).toBeGreaterThan(50);
  // Others are not concerned.
  expect((await ask('/things', { project: 'other' })).status).toBe(200);
});

test('a project may have limits of its own', async () => {
  const { ask, body } = await serve({
    project: callers({ requestsPerMinute: 100 }),
    projects: { other: callers({ requestsPerMinute: 1 }) },
  });
  await ask('/things', { project: 'other' });
  const refused = await ask('/things', { project: 'other' });
  expect((await body(refused)).target).toBe('rateLimits.projects.other.requestsPerMinute');
  expect((await ask('/things')).headers.get('x-ratelimit-limit-requests')).toBe('100');
});

test('requests of a key, in whichever project', async () => {
  const { ask, body } = await serve({ key: callers({ requestsPerMinute: 2 }) });
  await ask('/things');
  await ask('/things', { project: 'other' });
  const refused = await ask('/things');
  expect([refused.status, (await body(refused)).target]).toEqual([429, 'rateLimits.key.requestsPerMinute']);
  expect((await ask('/things', { key: 'two' })).status).toBe(200);
});

test('the preview and the whole server have limits besides, and a refused request counts nowhere', async () => {
  const { ask, body } = await serve({
    previewRequestsPerMinute: 1,
    regionRequestsPerMinute: 3,
    project: callers({ requestsPerMinute: 100 }),
  });
  expect((await ask('/previews')).status).toBe(200);
  const preview = await ask('/previews');
  expect((await body(preview)).target).toBe('rateLimits.preview.requestsPerMinute');
  expect((await ask('/things')).headers.get('x-ratelimit-remaining-requests')).toBe('1');
  expect((await ask('/things')).status).toBe(200);
  const all = await ask('/things');
  expect((await body(all)).message).toContain(
    'This server takes 3 requests a minute from all projects together',
  );
});

test('requests under way at once', async () => {
  const { ask, body, holds, until } = await serve({ key: callers({ concurrency: 1 }) });
  const first = ask('/openai/v1/holds');
  await until(() => holds.length === 1);
  const refused = await ask('/openai/v1/holds');
  expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '1']);
  expect(await body(refused)).toMatchObject({
    target: 'rateLimits.key.concurrency',
    type: 'rate_limit_error',
  });
  expect((await ask('/things', { key: 'two' })).status).toBe(200);
  holds[0]?.();
  expect((await first).status).toBe(200);
  expect((await ask('/things')).status).toBe(200);
});

test('what is answered is not under way, however slowly it is read', async () => {
  const { origin, ask } = await serve({ project: callers({ concurrency: 1 }) });
  const sent = httpRequest(`${origin}/api/projects/default/openai/v1/long`, {
    headers: { 'api-key': 'one' },
  });
  sent.end();
  const [unread] = await once(sent, 'response');
  expect(unread.statusCode).toBe(200);
  expect((await ask('/things')).status).toBe(200);
  unread.on('error', () => {}).destroy();
});

test('exactly as many as allowed get through, however many ask at once', async () => {
  const { ask } = await serve(
    { project: callers({ requestsPerMinute: 300 }) },
    { concurrentRequests: 5000, projectSharePercent: 100 },
  );
  const answers = await Promise.all(Array.from({ length: 1000 }, () => ask('/things')));
  const statuses = Map.groupBy(answers, ({ status }) => status);
  expect([statuses.get(200)?.length, statuses.get(429)?.length]).toEqual([300, 700]);
});

test('a noisy project leaves room for others', async () => {
  const { ask, body, holds, until } = await serve({}, { concurrentRequests: 10, projectSharePercent: 80 });
  const noisy = Array.from({ length: 12 }, () => ask('/openai/v1/holds'));
  await until(() => holds.length === 8);
  const more = await ask('/openai/v1/holds');
  expect(await body(more)).toMatchObject({
    code: 'rate_limit_exceeded',
    target: 'limits.concurrentRequests',
    message: expect.stringContaining("Project 'default' holds 8 requests at once, its share of 10"),
  });
  expect((await ask('/things', { project: 'other' })).status).toBe(200);
  for (const end of holds) end();
  const statuses = (await Promise.all(noisy)).map(({ status }) => status);
  expect(statuses.filter((status) => status === 200)).toHaveLength(8);
});

test('streams have a bound of their own, and an end', async () => {
  const { ask, body, until } = await serve({}, { concurrentStreams: 1, streamSeconds: 1 });
  const path = '/openai/v1/streams?stream=true';
  const first = await ask(path);
  const second = await ask(path);
  expect((await body(second)).target).toBe('limits.concurrentStreams');
  expect(await first.response.text()).toBe(
    'data: begun\n\ndata: A stream may last 1 seconds (limits.streamSeconds). Retrieve the response, or ask for it in the background.\n\n',
  );
  await until(async () => {
    const { status, response } = await ask(path);
    await response.body?.cancel();
    return status === 200;
  });
});

test('a full disk keeps what brings something away, and nothing else', async () => {
  const { ask, body } = await serve({}, {}, 1000);
  const refused = await ask('/things', { method: 'POST' });
  expect([refused.status, refused.headers.get('x-should-retry')]).toEqual([507, 'false']);
  expect(await body(refused)).toMatchObject({ code: 'insufficient_storage', target: 'limits.diskFreeBytes' });
  expect((await ask('/things')).status).toBe(200);
});

test('a client that goes away before it is let in leaves nothing behind', async () => {
  const { origin, ask, holds, until } = await serve({ project: callers({ concurrency: 1 }) });
  const url = `${origin}/api/projects/default/openai/v1/holds`;
  const sent = httpRequest(url, { headers: { 'api-key': 'one' } }).on('error', () => {});
  sent.end();
  await until(() => holds.length === 1);
  sent.destroy();
  await until(async () => (await ask('/things')).status === 200);
});

test('the figures are for loopback clients and those who administer the server', async () => {
  const { origin, ask } = await serve({ project: callers({ requestsPerMinute: 1 }) });
  await ask('/things');
  await ask('/things');
  const figures = await fetch(`${origin}/metrics`);
  expect(figures.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  const text = await figures.text();
  expect(text).toContain('bloomery_requests_total{operation="GET /things",status="2xx"} 1');
  expect(text).toContain('bloomery_requests_total{operation="GET /things",status="4xx"} 1');
  expect(text).toContain('bloomery_request_seconds_count{operation="GET /things"} 2');
  expect(text).toContain('bloomery_limit_refusals_total{layer="project",unit="requests"} 1');
  expect(text).toContain('bloomery_under_way_limit{kind="streams"} 1000');
  const afar = async (headers: Record<string, string> = {}) =>
    (await fetch(`${origin}/metrics`, { headers: { 'x-forwarded-for': '203.0.113.9', ...headers } })).status;
  expect(await afar()).toBe(401);
  expect(await afar({ 'api-key': 'user' })).toBe(403);
  expect(await afar({ 'api-key': 'one' })).toBe(200);
  const statusWith = (headers: Record<string, string>) =>
    new Promise((resolve, reject) => {
      const sent = httpRequest(`${origin}/metrics`, { headers }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end();
    });
  const proxies: Record<string, string>[] = [
    { via: '1.1 proxy' },
    { 'x-real-ip': '203.0.113.9' },
    { 'x-forwarded-proto': 'https' },
    { forwarded: 'for=203.0.113.9' },
    { host: 'ai.example.com' },
    { host: 'localhost.example.com:80' },
  ];
  for (const headers of proxies) expect([headers, await statusWith(headers)]).toEqual([headers, 401]);
  for (const host of ['localhost', 'LOCALHOST:80', '127.0.0.1', '[::1]:8443']) {
    expect(await statusWith({ host })).toBe(200);
  }
});
