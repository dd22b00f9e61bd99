import OpenAI from 'openai';
import { afterEach, expect, test } from 'vitest';
import { type Answer, events, status } from '../../providers/models/testing/fake-upstream.ts';
import { type UpstreamApp, upstreamApp } from '../audio/testing/upstream-app.ts';
import { testKey } from '../testing/test-app.ts';
import { imagesFamily } from './index.ts';

let app: UpstreamApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function start(answer: Answer): Promise<UpstreamApp> {
  app = await upstreamApp(imagesFamily, answer);
  return app;
}

const made = { created: 1, data: [{ b64_json: 'AAAA' }], usage: { total_tokens: 3 } };
const file = (name: string, bytes = 5) => new File([Buffer.alloc(bytes, 'i')], name, { type: 'image/png' });

const partial = { type: 'image_generation.partial_image', b64_json: 'AA', partial_image_index: 0 };
const completed = { type: 'image_generation.completed', b64_json: 'AAAA', usage: { total_tokens: 3 } };

test('images.generate', async () => {
  const { client, upstream } = await start(status(200, made));
  const request = { prompt: 'a cat', size: '1536x864', n: 2, quality: 'high' as const, background: null };
  expect(await client.images.generate({ ...request, model: 'mine' })).toEqual(made);
  expect(upstream.requests).toMatchObject([
    { path: '/v1/images/generations', body: { ...request, model: 'some-model' } },
  ]);
});

test('images.generate with stream', async () => {
  const { client, upstream } = await start(events([partial, completed]));
  const stream = await client.images.generate({
    model: 'mine',
    prompt: 'a cat',
    stream: true,
    partial_images: 1,
  });
  expect(await Array.fromAsync(stream)).toEqual([partial, completed]);
  expect(upstream.requests[0]?.body).toMatchObject({ stream: true, partial_images: 1 });
});

test('an event reaches the client before the next one is made', async () => {
  const seen = Promise.withResolvers<void>();
  const { client } = await start(async (response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(`data: ${JSON.stringify(partial)}\n\n`);
    await seen.promise;
    response.end(`data: ${JSON.stringify(completed)}\n\n`);
  });
  const stream = await client.images.generate({ model: 'mine', prompt: 'a cat', stream: true });
  const types: string[] = [];
  for await (const { type } of stream) {
    types.push(type);
    seen.resolve();
  }
  expect(types).toEqual([partial.type, completed.type]);
});

test('a stream that fails midway is raised by the client', async () => {
  const { client } = await start(events([partial, { error: { message: 'no more', code: 'overloaded' } }]));
  const stream = await client.images.generate({ model: 'mine', prompt: 'a cat', stream: true });
  await expect(Array.fromAsync(stream)).rejects.toMatchObject({ code: 'service_unavailable' });
});

test('a client that leaves a stream closes the one upstream', async () => {
  const { client, upstream } = await start(events([partial], 'hang'));
  const stream = await client.images.generate({ model: 'mine', prompt: 'a cat', stream: true });
  for await (const _ of stream) break;
  stream.controller.abort();
  await upstream.aborted;
});

test('images.edit with one file, and with several and a mask', async () => {
  const { client, upstream, form } = await start(status(200, made));
  const request = { model: 'mine', prompt: 'in a hat', n: 2, size: 'auto' as const };
  expect(await client.images.edit({ ...request, image: file('a.png') })).toEqual(made);
  expect(upstream.requests[0]?.path).toBe('/v1/images/edits');
  const one = await form();
  expect([one.get('model'), one.get('prompt'), one.get('n')]).toEqual(['some-model', 'in a hat', '2']);
  expect((one.get('image') as File).name).toBe('a.png');

  await client.images.edit({ ...request, image: [file('a.png'), file('b.png')], mask: file('m.png') });
  const several = await form();
  expect((several.getAll('image[]') as File[]).map(({ name }) => name)).toEqual(['a.png', 'b.png']);
  expect((several.get('mask') as File).size).toBe(5);
});

test('images.edit with stream', async () => {
  const { client } = await start(events([{ type: 'image_edit.completed', b64_json: 'AAAA' }]));
  const stream = await client.images.edit({
    model: 'mine',
    prompt: 'x',
    image: file('a.png'),
    stream: true,
  });
  expect(await Array.fromAsync(stream)).toEqual([{ type: 'image_edit.completed', b64_json: 'AAAA' }]);
});

test('a large file arrives byte for byte', async () => {
  const { client, form } = await start(status(200, made));
  const bytes = Buffer.from(Uint32Array.from({ length: 2_000_000 }, (_, i) => i * 2_654_435_761).buffer);
  const image = new File([bytes], 'a.png', { type: 'image/png' });
  await client.images.edit({ model: 'mine', prompt: 'x', image });
  const sent = Buffer.from(await ((await form()).get('image') as File).arrayBuffer());
  expect(sent.equals(bytes)).toBe(true);
});

test('images.createVariation', async () => {
  const { client, upstream, form } = await start(status(200, made));
  expect(
    await client.images.createVariation({ model: 'mine', image: file('a.png'), size: '256x256' }),
  ).toEqual(made);
  expect(upstream.requests[0]?.path).toBe('/v1/images/variations');
  expect((await form()).get('size')).toBe('256x256');
});

test('the errors of the upstream have their class, with what to wait for', async () => {
  const { client } = await start(status(429, { error: { message: 'busy' } }, { 'retry-after': '9' }));
  const failed = await client.images.generate({ model: 'mine', prompt: 'a cat' }).catch((error) => error);
  expect(failed).toBeInstanceOf(OpenAI.RateLimitError);
  expect(failed.headers.get('retry-after')).toBe('9');
  const edited = await client.images
    .edit({ model: 'mine', prompt: 'x', image: file('a.png') })
    .catch((error) => error);
  expect(edited).toBeInstanceOf(OpenAI.RateLimitError);
});

test.each([
  [{ prompt: undefined }, 'missing_required_parameter', 'prompt'],
  [{ model: undefined }, 'missing_required_parameter', 'model'],
  [{ prompt: 'x'.repeat(32_001) }, 'invalid_payload', 'prompt'],
  [{ n: 11 }, 'invalid_payload', 'n'],
  [{ size: 'large' }, 'invalid_payload', 'size'],
  [{ quality: 'best' }, 'invalid_payload', 'quality'],
  [{ output_compression: 101 }, 'invalid_payload', 'output_compression'],
  [{ partial_images: 4 }, 'invalid_payload', 'partial_images'],
  [{ stream: 'yes' }, 'invalid_payload', 'stream'],
  [{ model: 'builtin' }, 'unsupported_parameter', 'model'],
])('generations, case %#: a wrong value is refused by its name', async (fields, code, param) => {
  const { call, upstream } = await start(status(200, made));
  const body = { model: 'mine', prompt: 'a cat', ...fields };
  const { status: got, json } = await call('POST', '/openai/v1/images/generations', body);
  expect([got, json.error]).toMatchObject([400, { code, param }]);
  expect(upstream.requests).toEqual([]);
});

type Change = (form: FormData) => void;

test.each<[string, Change, number, string, string]>([
  ['no image', (form) => form.delete('image'), 400, 'missing_required_parameter', 'image'],
  ['no model', (form) => form.delete('model'), 400, 'missing_required_parameter', 'model'],
  ['a wrong count', (form) => form.set('n', '0'), 400, 'invalid_payload', 'n'],
  ['two prompts', (form) => form.append('prompt', 'y'), 400, 'invalid_payload', 'prompt'],
  ['a model that cannot', (form) => form.set('model', 'claude'), 400, 'unsupported_parameter', 'model'],
  ['an unknown model', (form) => form.set('model', 'nobody'), 404, 'DeploymentNotFound', 'model'],
  [
    '17 images',
    (form) => {
      form.delete('image');
      for (let i = 0; i < 17; i++) form.append('image[]', file('a.png'));
    },
    400,
    'invalid_payload',
    'image',
  ],
])('edits with %s are refused', async (_, change, code, error, param) => {
  const { url, upstream } = await start(status(200, made));
  const form = new FormData();
  form.append('model', 'mine');
  form.append('prompt', 'x');
  form.append('image', file('a.png'));
  change(form);
  const reply = await post(`${url}/openai/v1/images/edits`, form);
  expect([reply.status, await reply.json()]).toMatchObject([code, { error: { code: error, param } }]);
  expect(upstream.requests).toEqual([]);
});

test('edits take forms only, and generations none', async () => {
  const { url, call } = await start(status(200, made));
  expect((await call('POST', '/openai/v1/images/edits', {})).status).toBe(415);
  const form = new FormData();
  form.append('model', 'mine');
  expect((await post(`${url}/openai/v1/images/generations`, form)).status).toBe(415);
});

const post = (url: string, body: FormData): Promise<Response> =>
  fetch(url, { method: 'POST', body, headers: { 'api-key': testKey } });
