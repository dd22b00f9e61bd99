import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { originMark, secretMark } from './format.ts';
import { ask, exchangesOf, json, rig } from './testing/rig.ts';

let at: Awaited<ReturnType<typeof rig>>;
beforeAll(async () => {
  at = await rig();
});
afterEach(() => at.reset());
afterAll(() => at.close());

const events = ['event: a\ndata: {"n":1}\n\n', 'event: b\ndata: {"n":2,"é":"ü"}\n\n', 'data: [DONE]\n\n'];

test('a stream comes through chunk by chunk, and is replayed so when its service is gone', async () => {
  const upstream = await at.service(async (request, response) => {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'set-cookie': 'session=abcdefgh',
      'x-request-id': 'r1',
    });
    for (const event of events) {
      response.write(event);
      await sleep(5);
    }
    response.end();
    request.resume();
  });
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  const question = json({ model: 'm', stream: true });
  const live = await ask(recorder.port, question);
  await at.reset();
  const replay = await at.replay(file);
  const again = await ask(replay.port, question);
  expect(again.chunks).toEqual(live.chunks);
  expect(again.chunks.map((chunk) => Buffer.from(chunk, 'latin1').toString())).toEqual(events);
  expect([again.status, again.headers['content-type'], again.headers['x-request-id']]).toEqual([
    200,
    'text/event-stream',
    'r1',
  ]);
  expect(again.headers['set-cookie']).toBeUndefined();
  expect(replay.unserved).toBe(0);
});

test('with its timing it waits as long as its service did', async () => {
  const upstream = await at.service(async (_request, response) => {
    response.write('a');
    await sleep(30);
    response.end('b');
  });
  const file = at.newFile();
  await ask((await at.record(upstream, file)).port);
  const [{ answer }] = exchangesOf(file);
  expect(answer.chunks.map(([, text]: [number, string]) => text)).toEqual(['a', 'b']);
  const waits: number[] = [];
  const replay = await at.replay(file, { isTimed: true, wait: async (time) => waits.push(time) });
  expect((await ask(replay.port)).text).toBe('ab');
  expect(waits).toEqual(answer.chunks.map(([after]: [number]) => after).filter((after: number) => after > 0));
  expect(waits.at(-1)).toBeGreaterThan(0);
});

test('an answer that breaks off breaks off again', async () => {
  const upstream = await at.service((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: {}\n\n', () => response.destroy());
  });
  const file = at.newFile();
  const live = await ask((await at.record(upstream, file)).port);
  expect([live.isCut, live.text]).toEqual([true, 'data: {}\n\n']);
  const again = await ask((await at.replay(file)).port);
  expect([again.isCut, again.text]).toEqual([true, 'data: {}\n\n']);
});

test('bodies of a known length, empty ones, compressed ones and bytes that are no text', async () => {
  const bytes = Buffer.from([0, 1, 0xff, 0xfe, 0x80]);
  const upstream = await at.service(({ url, method }, response) => {
    if (url === '/v1/bytes') response.writeHead(200, { 'content-length': 5 }).end(bytes);
    else if (url === '/v1/none') response.writeHead(204).end();
    else if (method === 'HEAD') response.writeHead(200, { 'content-length': 77 }).end();
    else
      response
        .writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
        .end(gzipSync('{"a":1}'));
  });
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  const questions = [
    { path: '/v1/bytes' },
    { path: '/v1/none' },
    { method: 'HEAD', path: '/v1/x' },
    { path: '/v1/zip' },
  ];
  const told = async (port: number) => {
    const all = [];
    for (const question of questions) all.push(await ask(port, question));
    return all;
  };
  const live = await told(recorder.port);
  const again = await told((await at.replay(file)).port);
  for (const [i, one] of again.entries()) {
    expect([one.status, one.text, one.headers['content-length']]).toEqual([
      live[i]?.status,
      live[i]?.text,
      live[i]?.headers['content-length'],
    ]);
  }
  expect(Buffer.from(again[0]?.chunks.join('') ?? '', 'latin1')).toEqual(bytes);
  expect(again[2]?.headers['content-length']).toBe('77');
  expect(again[3]?.text).toBe('{"a":1}');
});

test('addresses in answers lead to whoever serves them, and the upstream is named nowhere', async () => {
  const upstream = await at.service((request, response) => {
    const own = `http://${request.headers.host}`;
    if (request.url === '/v1/list') {
      response.writeHead(200, {
        'content-type': 'application/json',
        'operation-location': `${own}/v1/jobs/1`,
      });
      response.write(`{"nextLink":"${own.slice(0, 12)}`);
      setTimeout(
        () => response.end(`${own.slice(12)}/v1/list?skip=1","escaped":"${own.replaceAll('/', '\\/')}\\/x"}`),
        10,
      );
      return;
    }
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () => response.writeHead(200, { 'content-type': 'text/plain' }).end(`heard ${body}`));
  });
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  const here = `http://127.0.0.1:${recorder.port}`;
  const list = await ask(recorder.port, { path: '/v1/list' });
  expect(JSON.parse(list.text)).toEqual({ nextLink: `${here}/v1/list?skip=1`, escaped: `${here}/x` });
  expect(list.headers['operation-location']).toBe(`${here}/v1/jobs/1`);
  const echo = await ask(recorder.port, json({ url: `${here}/v1/file` }));
  expect(echo.text).toBe(`heard {"url":"${here}/v1/file"}`);
  const written = readFileSync(file, 'utf8');
  expect(written).toContain(`nextLink\\":\\"${originMark}`);
  for (const port of [upstream.port, String(recorder.port)]) expect(written).not.toContain(port);
  const replay = await at.replay(file);
  const there = `http://127.0.0.1:${replay.port}`;
  expect(JSON.parse((await ask(replay.port, { path: '/v1/list' })).text).nextLink).toBe(
    `${there}/v1/list?skip=1`,
  );
  expect((await ask(replay.port, json({ url: `${there}/v1/file` }))).status).toBe(200);
});

describe('secrets', () => {
  const key = 'planted-Key-0123456789';

  test('of the client are in no body, even where a stream says them piece by piece', async () => {
    const upstream = await at.service((request, response) => {
      request.resume();
      response.writeHead(200, { 'content-type': 'text/event-stream', 'x-echo': key });
      const delta = (text: string) =>
        `data: ${JSON.stringify({ type: 'response.output_text.delta', item_id: 'i', delta: text })}\n\n`;
      for (const piece of ['It is pla', 'nted-Key-', '0123456789', '.']) response.write(delta(piece));
      response.end(`data: ${JSON.stringify({ text: `It is ${key}.` })}\n\n`);
    });
    const file = at.newFile();
    const recorder = await at.record(upstream, file);
    const question = json(
      { input: `My key is ${key}`, api_key: 'other-secret' },
      { authorization: `Bearer ${key}`, cookie: 'sid=cookie-value-1' },
    );
    const live = await ask(recorder.port, question);
    expect(live.text).toContain(key);
    const written = readFileSync(file, 'utf8');
    for (const secret of [key, 'nted-Key-', '0123456789', 'other-secret', 'cookie-value-1'])
      expect(written).not.toContain(secret);
    const again = await ask((await at.replay(file)).port, question);
    const said = again.text.split('\n\n').flatMap((one) => (one === '' ? [] : [JSON.parse(one.slice(6))]));
    expect(said.map(({ delta }) => delta ?? '').join('')).toBe(`It is ${secretMark}.`);
    expect(said.at(-1)).toEqual({ text: `It is ${secretMark}.` });
  });

  test('match whatever stands in their place at replay', async () => {
    const upstream = await at.service((_request, response) => response.end('ok'));
    const file = at.newFile();
    await ask(
      (await at.record(upstream, file)).port,
      json({ input: `Say ${key}, please` }, { 'api-key': key }),
    );
    const replay = await at.replay(file);
    expect((await ask(replay.port, json({ input: `Say ${key}, kindly` }))).status).toBe(404);
    expect((await ask(replay.port, json({ input: `Say ${key}, please` }))).status).toBe(200);
  });

  test('of the recorder go to the upstream only, for clients that have the key of the run', async () => {
    const seen: unknown[] = [];
    const upstream = await at.service(({ headers }, response) => {
      seen.push([headers['api-key'], headers.authorization]);
      response.end(`your key is ${headers['api-key']}`);
    });
    const file = at.newFile();
    const credential = { header: ['api-key', key] as [string, string], localKey: 'local-key-of-the-run' };
    const recorder = await at.record(upstream, file, credential);
    expect((await ask(recorder.port)).status).toBe(401);
    expect((await ask(recorder.port, { headers: { 'api-key': 'wrong' } })).status).toBe(401);
    expect(seen).toEqual([]);
    const path = '/msi/token?resource=https://ai.azure.com&api-version=2019-08-01';
    expect((await ask(recorder.port, { path })).status).toBe(401);
    const proof = { 'x-identity-header': credential.localKey };
    const token = JSON.parse((await ask(recorder.port, { path, headers: proof })).text);
    expect(
      (await ask(recorder.port, { headers: { authorization: `Bearer ${token.access_token}` } })).status,
    ).toBe(200);
    expect(seen).toEqual([[key, undefined]]);
    expect((await ask(recorder.port, { path: '/v1/blob?sig=abc' })).status).toBe(200);
    expect(seen.at(-1)).toEqual([undefined, undefined]);
    for (const secret of [key, credential.localKey]) expect(readFileSync(file, 'utf8')).not.toContain(secret);
  });
});

test('requests of every kind are matched by what they say: forms, text, bytes, JSON without a type or an end', async () => {
  const upstream = await at.service((request, response) => {
    request.resume().on('end', () => response.end('ok'));
  });
  const form = (boundary: string, text: string) => ({
    method: 'POST',
    headers: { 'content-type': `multipart/form-data; boundary=${boundary}` },
    body: `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="a.txt"\r\n\r\n${text}\r\n--${boundary}--\r\n`,
  });
  const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
  const questions = [
    form('one', 'content'),
    form('one', 'x'.repeat(100_000)),
    { method: 'POST', headers: { 'content-type': 'text/plain' }, body: 'text' },
    {
      method: 'PUT',
      headers: { 'content-type': 'application/octet-stream' },
      body: Buffer.from([0xff, 0, 1]),
    },
    { method: 'POST', path: '/v1/bare', body: '{"a":1}' },
    { ...json({}), body: deep },
    { ...json({}), body: '{"a":' },
  ];
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  for (const question of questions) expect((await ask(recorder.port, question)).status).toBe(200);
  const written = exchangesOf(file);
  expect(written[0].request.body.form).toEqual([
    { name: 'file', filename: 'a.txt', contentType: 'text/plain', content: 'content' },
  ]);
  expect(written[1].request.body.form[0].content).toEqual({ sha256: expect.any(String), bytes: 100_000 });
  const replay = await at.replay(file);
  const again = [form('other', 'content'), form('another', 'x'.repeat(100_000)), ...questions.slice(2)];
  for (const question of again) expect((await ask(replay.port, question)).status).toBe(200);
  const other = await ask(replay.port, form('one', 'y'.repeat(100_000)));
  expect([other.status, other.text.includes('body[0].content')]).toEqual([404, true]);
});

test('what is compressed in a way that cannot be looked into is passed on, and not recorded', async () => {
  const upstream = await at.service((request, response) => {
    request.resume();
    if (request.url === '/v1/odd') response.writeHead(200, { 'content-encoding': 'odd' });
    response.end('ok');
  });
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  expect((await ask(recorder.port, { path: '/v1/odd' })).text).toBe('ok');
  expect(at.lines).toEqual(['GET /v1/odd is not recorded: its answer is compressed as odd.']);
  const packed = {
    method: 'POST',
    headers: { 'content-encoding': 'gzip' },
    body: gzipSync('{"api_key":"abc"}'),
  };
  await ask(recorder.port, packed);
  const [{ request }] = exchangesOf(file);
  expect(request.body.content).toEqual({ sha256: expect.any(String), bytes: packed.body.length });
});

test('what cannot be passed on is said, and is not recorded', async () => {
  const upstream = await at.service((_request, response) => response.end('ok'));
  const file = at.newFile();
  const recorder = await at.record(new URL('http://127.0.0.1:1/v1'), file);
  const gone = await ask(recorder.port, { path: '/api/projects/p/agents' });
  expect(gone.status).toBe(503);
  expect(JSON.parse(gone.text).error).toMatchObject({
    code: 'service_unavailable',
    message: expect.stringContaining('ECONNREFUSED'),
  });
  expect(exchangesOf(file)).toEqual([]);
  const socket = { headers: { connection: 'Upgrade', upgrade: 'websocket' } };
  expect((await ask(recorder.port, socket)).status).toBe(501);
  expect((await ask(recorder.port, { host: 'evil.example' })).status).toBe(400);
  expect(at.lines).toHaveLength(3);
  await expect(at.record(upstream, file)).rejects.toThrow(/exists already. Name another file/);
});

test('a client that leaves is no reason to lose what it has got', async () => {
  const upstream = await at.service((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write('data: 1\n\n');
  });
  const file = at.newFile();
  const recorder = await at.record(upstream, file);
  const leaving = new AbortController();
  const reply = await fetch(`http://127.0.0.1:${recorder.port}/v1/x`, { signal: leaving.signal });
  await reply.body?.getReader().read();
  leaving.abort();
  await recorder.close();
  expect(exchangesOf(file)[0].answer).toMatchObject({
    end: 'cut',
    chunks: [[expect.any(Number), 'data: 1\n\n']],
  });
});
