import { once } from 'node:events';
import { setTimeout } from 'node:timers/promises';
import OpenAI from 'openai';
import { afterEach, expect, test } from 'vitest';
import { type Answer, events, status } from '../../providers/models/testing/fake-upstream.ts';
import { testKey } from '../testing/test-app.ts';
import { audioFamily } from './index.ts';
import { type UpstreamApp, upstreamApp } from './testing/upstream-app.ts';

let app: UpstreamApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function start(answer: Answer): Promise<UpstreamApp> {
  app = await upstreamApp(audioFamily, answer);
  return app;
}

const bytes =
  (contentType: string, content: string | Buffer): Answer =>
  (response) =>
    response.writeHead(200, { 'content-type': contentType }).end(content);

const speech = { model: 'mine', input: 'Hello', voice: 'alloy' };
const file = () => new File([Buffer.alloc(1000, 's')], 'a.wav', { type: 'audio/wav' });

test('audio.speech.create', async () => {
  const sound = Buffer.alloc(3_000_000, 'x');
  const { client, upstream } = await start(bytes('audio/mpeg', sound));
  const reply = await client.audio.speech.create({ ...speech, response_format: 'mp3', speed: 1.5 });
  expect(reply.headers.get('content-type')).toBe('audio/mpeg');
  expect(reply.headers.get('x-request-id')).toMatch(/./);
  expect(Buffer.from(await reply.arrayBuffer()).equals(sound)).toBe(true);
  expect(upstream.requests).toMatchObject([
    { path: '/v1/audio/speech', body: { ...speech, model: 'some-model', speed: 1.5 } },
  ]);
});

test('speech is heard before it is finished', async () => {
  const heard = Promise.withResolvers<void>();
  const { client } = await start(async (response) => {
    response.writeHead(200, { 'content-type': 'audio/pcm' });
    response.write('first');
    await heard.promise;
    response.end('last');
  });
  const reply = await client.audio.speech.create(speech);
  const parts: string[] = [];
  for await (const part of reply.body as AsyncIterable<Uint8Array>) {
    parts.push(Buffer.from(part).toString());
    heard.resolve();
  }
  expect(parts).toEqual(['first', 'last']);
});

test('speech waits for a slow listener', async () => {
  const outcome = Promise.withResolvers<'held back' | 'all written'>();
  const { client, upstream } = await start(async (response) => {
    response.writeHead(200, { 'content-type': 'audio/pcm' });
    const piece = Buffer.alloc(1_000_000);
    for (let i = 0; i < 100; i++) {
      if (response.write(piece)) continue;
      const drained = once(response, 'drain').then(() => true);
      if (!(await Promise.race([drained, setTimeout(500, false)]))) return outcome.resolve('held back');
    }
    outcome.resolve('all written');
  });
  const reply = await client.audio.speech.create(speech);
  expect(await outcome.promise).toBe('held back');
  await reply.body?.cancel();
  await upstream.aborted;
});

test('speech that breaks off is no whole answer', async () => {
  const { client } = await start((response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' });
    response.write('first');
    setTimeout(20).then(() => response.destroy());
  });
  const reply = await client.audio.speech.create(speech);
  await expect(reply.arrayBuffer()).rejects.toThrow();
});

test('speech that fails before its first byte is an error', async () => {
  const { client } = await start((response) => {
    response.writeHead(200, { 'content-type': 'audio/mpeg' }).flushHeaders();
    setTimeout(20).then(() => response.destroy());
  });
  await expect(client.audio.speech.create(speech)).rejects.toMatchObject({
    status: 502,
    code: 'model_error',
  });
});

test('speech as events', async () => {
  const { client } = await start(events([{ type: 'speech.audio.delta', audio: 'AA' }]));
  const reply = await client.audio.speech.create({ ...speech, stream_format: 'sse' });
  expect(reply.headers.get('content-type')).toMatch(/^text\/event-stream/);
  expect(await reply.text()).toBe(
    'event: speech.audio.delta\ndata: {"type":"speech.audio.delta","audio":"AA"}\n\n',
  );
});

test('audio.transcriptions.create', async () => {
  const { client, upstream, form } = await start(status(200, { text: 'hello', usage: { seconds: 2 } }));
  const transcript = await client.audio.transcriptions.create({
    file: file(),
    model: 'mine',
    language: 'en',
    temperature: 0.5,
    response_format: 'verbose_json',
    timestamp_granularities: ['word', 'segment'],
    include: ['logprobs'],
    chunking_strategy: { type: 'server_vad', threshold: 0.3 },
  });
  expect(transcript).toEqual({ text: 'hello', usage: { seconds: 2 } });
  expect(upstream.requests[0]?.path).toBe('/v1/audio/transcriptions');
  const sent = await form();
  expect([sent.get('model'), sent.get('language'), sent.get('temperature')]).toEqual([
    'some-model',
    'en',
    '0.5',
  ]);
  expect(sent.getAll('timestamp_granularities[]')).toEqual(['word', 'segment']);
  expect(sent.get('chunking_strategy[threshold]')).toBe('0.3');
  const sound = sent.get('file') as File;
  expect([sound.name, sound.type, sound.size]).toEqual(['a.wav', 'audio/wav', 1000]);
});

test('a transcript as plain text', async () => {
  const { client } = await start(bytes('text/plain; charset=utf-8', '1\n00:00 hello\n'));
  const transcript = await client.audio.transcriptions.create({
    file: file(),
    model: 'mine',
    response_format: 'srt',
  });
  expect(transcript).toBe('1\n00:00 hello\n');
});

test('a transcript as events', async () => {
  const list = [
    { type: 'transcript.text.delta', delta: 'hel' },
    { type: 'transcript.text.done', text: 'hello' },
  ];
  const { client } = await start(events([...list, '[DONE]']));
  const stream = await client.audio.transcriptions.create({ file: file(), model: 'mine', stream: true });
  expect(await Array.fromAsync(stream)).toEqual(list);
});

test('audio.translations.create', async () => {
  const { client, upstream } = await start(status(200, { text: 'hello' }));
  expect(await client.audio.translations.create({ file: file(), model: 'mine' })).toEqual({ text: 'hello' });
  expect(upstream.requests[0]?.path).toBe('/v1/audio/translations');
});

test.each([
  [{ input: undefined }, 'missing_required_parameter', 'input'],
  [{ voice: undefined }, 'missing_required_parameter', 'voice'],
  [{ input: 'x'.repeat(4097) }, 'invalid_payload', 'input'],
  [{ speed: 0.2 }, 'invalid_payload', 'speed'],
  [{ response_format: 'midi' }, 'invalid_payload', 'response_format'],
  [{ stream_format: 'chunks' }, 'invalid_payload', 'stream_format'],
  [{ model: 'builtin' }, 'unsupported_parameter', 'model'],
])('speech, case %#: a wrong value is refused by its name', async (fields, code, param) => {
  const { call, upstream } = await start(status(200, {}));
  const { status: got, json } = await call('POST', '/openai/v1/audio/speech', { ...speech, ...fields });
  expect([got, json.error]).toMatchObject([400, { code, param }]);
  expect(upstream.requests).toEqual([]);
});

test.each<[Record<string, string>, string, string]>([
  [{ response_format: 'xml' }, 'invalid_payload', 'response_format'],
  [{ temperature: '1.1' }, 'invalid_payload', 'temperature'],
  [{ 'timestamp_granularities[]': 'letter' }, 'invalid_payload', 'timestamp_granularities[0]'],
  [{ 'known_speaker_references[]': 'https://a/b.wav' }, 'invalid_payload', 'known_speaker_references[0]'],
  [{ 'chunking_strategy[type]': 'none' }, 'invalid_payload', 'chunking_strategy.type'],
  [{ stream: '1' }, 'invalid_payload', 'stream'],
  [{ model: 'claude' }, 'unsupported_parameter', 'model'],
])('transcriptions, case %#: a wrong value is refused by its name', async (fields, code, param) => {
  const { url, upstream } = await start(status(200, {}));
  const form = new FormData();
  form.append('file', file());
  for (const [name, value] of Object.entries({ model: 'mine', ...fields })) form.append(name, value);
  const reply = await transcribe(url, form);
  expect([reply.status, await reply.json()]).toMatchObject([400, { error: { code, param } }]);
  expect(upstream.requests).toEqual([]);
});

test('the file must be there, and be a file', async () => {
  const { client, url } = await start(status(200, {}));
  const form = new FormData();
  form.append('model', 'mine');
  expect(await (await transcribe(url, form)).json()).toMatchObject({
    error: { code: 'missing_required_parameter', param: 'file' },
  });
  await expect(client.audio.transcriptions.create({ file: file(), model: 'nobody' })).rejects.toBeInstanceOf(
    OpenAI.NotFoundError,
  );
});

const transcribe = (url: string, body: FormData): Promise<Response> =>
  fetch(`${url}/openai/v1/audio/transcriptions`, { method: 'POST', body, headers: { 'api-key': testKey } });
