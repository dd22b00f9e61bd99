import { request as httpRequest, type ServerResponse } from 'node:http';
import { pino } from 'pino';
import Type from 'typebox';
import { afterEach, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { loadConfig } from '../config.ts';
import { family, op } from '../kit/operation.ts';
import { refuse } from '../providers/blobs/embedded/embedded-blobs.ts';
import { everything } from '../trust/principal.ts';
import { installBlobRoutes } from './blob-routes.ts';
import { watchDisk } from './disk-space.ts';

let close: (() => Promise<void>) | undefined;
afterEach(async () => {
  await close?.();
  close = undefined;
});

const operations = {
  list: op({
    method: 'GET',
    path: '/things',
    wire: 'foundry',
    summary: 'List things',
    result: Type.Object({}),
  }),
};

/** A server of ten requests at once, whose blob service answers when it is told to. */
async function serve({ most = 5, freeBytes = Number.POSITIVE_INFINITY } = {}) {
  const config = loadConfig({ file: null, environment: {} });
  const held: ServerResponse[] = [];
  let refusals = 0;
  let asked = 0;
  const gate = Promise.withResolvers<void>();
  const app = await createApp({
    config: { ...config, limits: { ...config.limits, concurrentRequests: 10 } },
    credentials: {
      verifyKey: () => ({ kind: 'key', id: 'one', name: 'one', grants: everything }),
      verifyToken() {
        throw new Error('No tokens here.');
      },
    },
    families: [
      family('things', operations, {
        async list() {
          asked++;
          await gate.promise;
          return {};
        },
      }),
    ],
    log: pino({ level: 'silent' }),
    installPublicRoutes(to) {
      installBlobRoutes(to, {
        account: 'blobs',
        serve: (_, response) => held.push(response),
        refuse,
        most,
        refused: () => refusals++,
        disk: watchDisk('/', 1000, { freeBytes: () => freeBytes }),
      });
    },
  });
  const origin = await app.listen({ port: 0, host: '127.0.0.1' });
  close = async () => {
    app.server.closeAllConnections();
    await app.close();
  };
  const until = async (isSo: () => boolean | Promise<boolean>) => {
    while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const list = async () =>
    (await fetch(`${origin}/api/projects/default/things?api-version=v1`, { headers: { 'api-key': 'key' } }))
      .status;
  return {
    url: `${origin}/blobs/c/b`,
    held,
    refusals: () => refusals,
    asked: () => asked,
    answer: gate.resolve,
    until,
    list,
  };
}

test('uploads that take their time leave the API all its places', async () => {
  const { url, held, refusals, asked, answer, until, list } = await serve({ most: 5 });
  const slow = Array.from({ length: 5 }, () => {
    const sent = httpRequest(url, { method: 'PUT', headers: { 'content-length': 1000 } });
    sent.on('error', () => {}).write('a');
    return sent;
  });
  await until(() => held.length === 5);
  for (let i = 0; i < 2; i++) {
    const refused = await fetch(url, { method: 'PUT', body: 'a' });
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1']);
    expect(refused.headers.get('x-ms-error-code')).toBe('ServerBusy');
    expect(await refused.text()).toContain('<Code>ServerBusy</Code>');
  }
  expect(refusals()).toBe(2);
  let ended = 0;
  const lists = Array.from({ length: 8 }, () => list().finally(() => ended++));
  await until(() => asked() + ended === 8);
  answer();
  expect(await Promise.all(lists)).toEqual(Array(8).fill(200));
  // Of those that go away, and of those that end, the places are free again.
  slow[0]?.destroy();
  held[1]?.end();
  const next = [0, 1].map(async () => {
    let reply = await fetch(url);
    while (reply.status === 503) reply = await fetch(url);
    return reply.status;
  });
  await until(() => held.length === 7);
  for (const response of held) response.end();
  expect(await Promise.all(next)).toEqual([200, 200]);
  expect(await list()).toBe(200);
});

test('a full disk keeps uploads away, and nothing else', async () => {
  const { url, held, until } = await serve({ freeBytes: 1500 });
  const refused = await fetch(url, { method: 'PUT', body: 'x'.repeat(501) });
  expect([refused.status, refused.headers.get('x-ms-error-code')]).toEqual([507, 'InsufficientStorage']);
  expect(await refused.text()).toContain('limits.diskFreeBytes');
  expect(held).toHaveLength(0);
  const others = [
    fetch(url, { method: 'PUT', body: 'x'.repeat(500) }),
    fetch(url),
    fetch(url, { method: 'DELETE' }),
  ];
  await until(() => held.length === 3);
  for (const response of held) response.end();
  for (const { status } of await Promise.all(others)) expect(status).toBe(200);
});
