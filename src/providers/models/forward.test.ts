import { afterEach, expect, test } from 'vitest';
import { createModelGateway } from './gateway.ts';
import type { ForwardAnswer, ForwardRequest } from './model.ts';
import {
  type Answer,
  events,
  type FakeUpstream,
  fakeUpstream,
  recordedLog,
  status,
  upstreamAt,
} from './testing/fake-upstream.ts';
import type { Upstream } from './upstream.ts';

let running: FakeUpstream | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

const log = recordedLog();

async function start(answer: Answer): Promise<FakeUpstream> {
  running = await fakeUpstream(answer);
  return running;
}

async function forwardTo(upstream: Upstream) {
  const config = { deployments: [upstream], discovery: false, scenarios: [] };
  const models = await createModelGateway({ config, environment: {}, log });
  return async (request: Partial<ForwardRequest> = {}, signal = new AbortController().signal) => {
    const { forward } = models.resolve(upstream.name).provider;
    if (forward === undefined) throw new Error('The provider passes nothing on.');
    const body = { model: 'my-model', prompt: 'a cat' };
    return forward(
      { path: '/images/generations', input: 'prompt', answers: ['json'], body, ...request },
      signal,
    );
  };
}

const read = async (answer: ForwardAnswer): Promise<unknown> => {
  if (answer.kind === 'json') return answer.text;
  if (answer.kind === 'events') return Array.fromAsync(answer.frames);
  return Buffer.concat(await Array.fromAsync(answer.bytes)).toString();
};

test('the key and the model are those of the upstream, the rest is as it came', async () => {
  const { url, requests } = await start(status(200, '{"created": 1,  "data": []}'));
  const forward = await forwardTo(upstreamAt(`${url}/v1`));
  const answer = await forward({ body: { model: 'my-model', prompt: 'a cat', odd: [null, 1] } });
  expect(answer).toEqual({ kind: 'json', text: '{"created": 1,  "data": []}' });
  expect(requests).toMatchObject([
    {
      path: '/v1/images/generations',
      headers: { authorization: 'Bearer secret-key-of-the-upstream', 'content-type': 'application/json' },
      body: { model: 'some-model', prompt: 'a cat', odd: [null, 1] },
    },
  ]);
});

test('a form goes on with its length and its files', async () => {
  const { url, requests } = await start(status(200, { text: 'hello' }));
  const forward = await forwardTo(upstreamAt(`${url}/v1`, { apiKey: null }));
  const body = new FormData();
  body.append('model', 'my-model');
  body.append('file', new Blob(['sound'], { type: 'audio/wav' }), 'a.wav');
  await forward({ path: '/audio/transcriptions', body });
  const [request] = requests;
  expect(request?.headers['content-length']).toBe(String(request?.bytes.length));
  expect(request?.headers.authorization).toBeUndefined();
  const sent = await new Response(request?.bytes as Uint8Array<ArrayBuffer>, {
    headers: { 'content-type': request?.headers['content-type'] ?? '' },
  }).formData();
  const file = sent.get('file') as File;
  expect([sent.get('model'), file.name, file.type, await file.text()]).toEqual([
    'some-model',
    'a.wav',
    'audio/wav',
    'sound',
  ]);
});

test.each([
  [null, '/openai/v1/audio/speech'],
  ['v1', '/openai/v1/audio/speech'],
  ['preview', '/openai/v1/audio/speech?api-version=preview'],
  ['2025-03-01-preview', '/openai/deployments/some%20model/audio/speech?api-version=2025-03-01-preview'],
])('Azure of version %s is asked at %s', async (apiVersion, path) => {
  const { url, requests } = await start(status(200, {}));
  const forward = await forwardTo(
    upstreamAt(`${url}/openai`, { provider: 'azure-openai', model: 'some model', apiVersion }),
  );
  await forward({ path: '/audio/speech' });
  expect(requests).toMatchObject([{ path, headers: { 'api-key': 'secret-key-of-the-upstream' } }]);
  expect(requests[0]?.headers.authorization).toBeUndefined();
});

test('the model of a JSON answer is the deployment', async () => {
  const { url } = await start(status(200, { id: 'm', model: 'some-model', data: { model: 'inner' } }));
  const answer = await (await forwardTo(upstreamAt(url)))();
  expect(JSON.parse((await read(answer)) as string)).toEqual({
    id: 'm',
    model: 'my-model',
    data: { model: 'inner' },
  });
});

test('events come frame by frame', async () => {
  const { url } = await start(events([{ type: 'a' }, { type: 'b' }, '[DONE]']));
  const answer = await (await forwardTo(upstreamAt(url)))({ answers: ['events', 'json'] });
  expect(await read(answer)).toEqual([
    'event: a\ndata: {"type":"a"}\n\n',
    'event: b\ndata: {"type":"b"}\n\n',
    'data: [DONE]\n\n',
  ]);
});

test('bytes come before the upstream is done', async () => {
  const more = Promise.withResolvers<void>();
  const { url } = await start(async (response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' });
    response.write('first');
    await more.promise;
    response.end('last');
  });
  const answer = await (await forwardTo(upstreamAt(url)))({ answers: ['audio'] });
  if (answer.kind !== 'audio') throw new Error(`It is ${answer.kind}.`);
  const source = answer.bytes[Symbol.asyncIterator]();
  expect(Buffer.from((await source.next()).value).toString()).toBe('first');
  more.resolve();
  expect(Buffer.from((await source.next()).value).toString()).toBe('last');
  expect((await source.next()).done).toBe(true);
  expect(answer.contentType).toBe('audio/mpeg');
});

const secret = { error: { message: 'key secret-key-of-the-upstream is busy', code: 'x' } };

test.each<[number, object, Record<string, string>, object]>([
  [
    429,
    secret,
    { 'retry-after': '7' },
    { status: 429, code: 'rate_limit_exceeded', headers: { 'retry-after': '7' } },
  ],
  [401, secret, {}, { status: 503, code: 'service_unavailable' }],
  [404, {}, {}, { status: 502, code: 'model_error' }],
  [302, {}, { location: 'http://127.0.0.1:1/' }, { status: 502, code: 'model_error' }],
  [500, secret, {}, { status: 502, code: 'model_error' }],
  [503, secret, {}, { status: 503, code: 'service_unavailable' }],
  [
    400,
    { error: { message: 'no', param: 'response_format' } },
    {},
    { status: 400, code: 'invalid_payload', target: 'response_format' },
  ],
  [
    400,
    { error: { message: 'no', param: 'x', code: 'content_policy_violation' } },
    {},
    { status: 400, code: 'content_filter', target: 'prompt' },
  ],
])('an upstream that answers %i is told of in our own terms', async (code, body, headers, expected) => {
  const { url } = await start(status(code, body, headers));
  const failed = await (await forwardTo(upstreamAt(url)))().catch((error) => error);
  expect(failed).toMatchObject(expected);
  expect(failed.message).toContain("'my-model'");
  expect(`${failed.message} ${log.lines.join()}`).not.toMatch(/secret-key|127\.0\.0\.1/);
});

test('an upstream that is not there is 503', async () => {
  const { url, close } = await fakeUpstream(status(200, {}));
  await close();
  await expect((await forwardTo(upstreamAt(url)))()).rejects.toMatchObject({
    status: 503,
    message: expect.stringContaining('refused the connection'),
  });
});

test('an upstream that keeps silent is 503', async () => {
  const { url } = await start(() => {});
  const forward = await forwardTo(upstreamAt(url, { timeoutSeconds: 0.1 }));
  await expect(forward()).rejects.toMatchObject({ status: 503, code: 'service_unavailable' });
});

test.each<[string, Answer]>([
  ['a web page', (response) => response.writeHead(200, { 'content-type': 'text/html' }).end('<html>')],
  ['broken JSON', status(200, '{"model": "x')],
  ['an error with status 200', status(200, { error: { message: 'it failed' } })],
  ['bytes where JSON was asked for', (response) => response.writeHead(200).end('x')],
])('%s is an unusable answer', async (_, answer) => {
  const { url } = await start(answer);
  await expect((await forwardTo(upstreamAt(url)))()).rejects.toMatchObject({
    status: 502,
    code: 'model_error',
  });
});

test.each<[string, Answer, object]>([
  ['breaks off', events([{ type: 'a' }], 'break'), { code: 'model_error' }],
  [
    'complains',
    events([{ type: 'a' }, { error: { message: 'slow down', code: 'rate_limit_exceeded' } }]),
    { code: 'rate_limit_exceeded' },
  ],
])('a stream that %s ends in an error of ours', async (_, answer, expected) => {
  const { url } = await start(answer);
  const { frames } = (await (
    await forwardTo(upstreamAt(url))
  )({ answers: ['events'] })) as ForwardAnswer & { kind: 'events' };
  const seen: string[] = [];
  const reading = (async () => {
    for await (const frame of frames) seen.push(frame);
  })();
  await expect(reading).rejects.toMatchObject(expected);
  expect(seen).toEqual(['event: a\ndata: {"type":"a"}\n\n']);
});

test('a caller that leaves closes the connection, before the answer and within it', async () => {
  const waiting = await start(() => {});
  const forward = await forwardTo(upstreamAt(waiting.url));
  const leaving = new AbortController();
  const call = forward({}, leaving.signal);
  const reason = new Error('gone');
  while (waiting.requests.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
  leaving.abort(reason);
  await expect(call).rejects.toBe(reason);
  await waiting.aborted;
  await waiting.close();

  const { url, aborted } = await start(events([{ type: 'a' }], 'hang'));
  const answer = await (await forwardTo(upstreamAt(url)))({ answers: ['events'] });
  if (answer.kind !== 'events') throw new Error(`It is ${answer.kind}.`);
  for await (const _ of answer.frames) break;
  await aborted;
});
