/** Who may use a recorder, and what it does for them once only. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, get } from 'node:http';
import { createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { front } from './front.ts';
import { relay } from './relay.ts';
import { Room } from './room.ts';
import { ask, exchangesOf, json, rig } from './testing/rig.ts';

let at: Awaited<ReturnType<typeof rig>>;
beforeAll(async () => {
  at = await rig();
});
afterEach(() => at.reset());
afterAll(() => at.close());

const credential = {
  header: ['api-key', 'planted-Key-0123456789'] as [string, string],
  localKey: 'local-Key-0123456789',
};

test('the key of the run is given to none who does not have it, and to no upstream', async () => {
  const seen: string[] = [];
  const upstream = await at.service(({ headers }, response) => {
    seen.push(JSON.stringify(headers));
    response.end('ok');
  });
  const recorder = await at.record(upstream, at.newFile(), credential);
  for (const path of ['/msi/token?resource=x&sig=y', '/msi/token?sig=y']) {
    const refused = await ask(recorder.port, { path });
    expect([refused.status, refused.text.includes(credential.localKey)]).toEqual([401, false]);
    const headers = { 'x-identity-header': credential.localKey };
    expect((await ask(recorder.port, { path, headers })).status).toBe(200);
  }
  const key = credential.localKey;
  const headers = {
    authorization: `Bearer ${key}`,
    'api-key': key,
    'x-api-key': key,
    'x-identity-header': key,
  };
  expect((await ask(recorder.port, { path: '/v1/blob?sig=abc', headers })).status).toBe(200);
  expect(seen).toHaveLength(1);
  expect(seen[0]).not.toContain(key);
});

test('pages of other sites are answered neither by a recorder nor by a replay', async () => {
  const upstream = await at.service((_request, response) => response.end('ok'));
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  const foreign = [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { origin: 'https://localhost.evil.example' },
    { 'sec-fetch-site': 'cross-site' },
  ];
  const own = [
    { origin: 'http://localhost:3000', 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'none' },
  ];
  for (const headers of foreign) expect((await ask(recorder.port, { headers })).status).toBe(400);
  expect(exchangesOf(file)).toEqual([]);
  for (const headers of own) expect((await ask(recorder.port, { headers })).status).toBe(200);
  const replay = await at.replay(file);
  for (const headers of foreign) expect((await ask(replay.port, { headers })).status).toBe(400);
  for (const headers of own) expect((await ask(replay.port, { headers })).status).toBe(200);
});

test('what came compressed is replayed as its client got it', async () => {
  const upstream = await at.service((_request, response) =>
    response
      .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
      .end(gzipSync('{"a":1}')),
  );
  const file = at.newFile();
  await ask((await at.record(upstream, file)).port);
  expect(JSON.stringify(exchangesOf(file)[0].answer.headers)).not.toContain('gzip');
  const again = await ask((await at.replay(file)).port);
  expect([again.text, again.headers['content-encoding']]).toEqual(['{"a":1}', undefined]);
});

test('a POST is sent once, whatever becomes of its connection', async () => {
  let posts = 0;
  const server = createServer((socket) => {
    let isFirst = true;
    socket.on('error', () => {});
    socket.on('data', (data) => {
      if (data.includes('POST ')) posts++;
      if (isFirst) socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
      else socket.resetAndDestroy();
      isFirst = false;
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const recorder = await at.record(new URL(`http://127.0.0.1:${port}/v1`), at.newFile());
  await ask(recorder.port);
  for (let i = 1; i < 4; i++) {
    expect((await ask(recorder.port, json({ n: i }))).status).toBe(200);
    expect(posts).toBe(i);
  }
  await at.reset();
  server.close();
});

test('of a client that leaves before the answer it is said that it left', async () => {
  const leaving = new AbortController();
  const upstream = await at.service(() => leaving.abort());
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  await fetch(`http://127.0.0.1:${recorder.port}/v1/x`, { signal: leaving.signal }).catch(() => {});
  await recorder.close();
  expect(at.lines).toEqual(['GET /v1/x: Its client left before the answer came, so it is not recorded.']);
  expect(exchangesOf(file)).toEqual([]);
});

test('any credential will do at replay, also one that is a word of the request', async () => {
  const upstream = await at.service((request, response) =>
    request.resume().on('end', () => response.end('ok')),
  );
  const file = at.newFile();
  const question = (key: string) =>
    json({ model: 'm', input: 'plan my travel by openai' }, { 'api-key': key });
  await ask((await at.record(upstream, file)).port, question('realkey-1234567890abcdef'));
  expect(readFileSync(file, 'utf8')).toContain('plan my travel');
  for (const key of ['travel', 'openai', 'plan my travel by openai', '/v1/responses']) {
    const replay = await at.replay(file);
    expect((await ask(replay.port, question(key))).status).toBe(200);
  }
});

test('bodies for which there is no room are refused, and leave none taken', async () => {
  const listener = await front({
    ...{ port: 0, tls: at.tls, token: null, room: new Room(100), refused() {} },
    answer: (_asked, response) => void response.end('ok'),
  });
  const post = (bytes: number) => ask(listener.port, { method: 'POST', body: 'x'.repeat(bytes) });
  for (const [bytes, status] of [
    [101, 429],
    [100, 200],
    [60, 200],
    [100, 200],
  ] as const) {
    expect((await post(bytes)).status).toBe(status);
  }
  await listener.close(0);
});

test('an answer for which there is no room reaches its client, and is not kept', async () => {
  const upstream = await at.service((_request, response) => response.end('x'.repeat(200)));
  const room = new Room(100);
  const server = createHttpServer((_request, response) => {
    get(upstream, async (reply) => {
      const between = { method: 'GET', from: upstream.origin, to: 'http://127.0.0.1:1', startedAt: 0 };
      const relayed = await relay(reply, response, between, room);
      expect([relayed.fault, relayed.bytes, relayed.chunks]).toEqual([
        expect.stringMatching(/under way/),
        0,
        [],
      ]);
      relayed.finish();
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  expect((await ask((server.address() as { port: number }).port)).text).toBe('x'.repeat(200));
  expect(room.take(100)).toBe(true);
  server.close();
});

test('a room has no more than there is', () => {
  const room = new Room(10);
  expect([room.take(6), room.take(5), room.take(4)]).toEqual([true, false, true]);
  room.free(6);
  expect(room.take(6)).toBe(true);
});
