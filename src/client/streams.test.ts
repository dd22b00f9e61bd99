import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Client, FoundryError } from './index.ts';
import { endpoint, events, frame, json, scriptedService } from './testing/scripted-service.ts';

const response = { id: 'resp_1', store: true };
const log = (texts: string[]) => [
  { type: 'response.created', sequence_number: 0, response },
  ...texts.map((delta, at) => ({ type: 'response.output_text.delta', delta, sequence_number: at + 1 })),
  { type: 'response.completed', sequence_number: texts.length + 1, response },
];
const done = 'event: done\ndata: [DONE]\n\n';
const whole = (from: object[]) => [...from.map(frame), done];
const input = { body: { model: 'm', input: 'hi' } };

async function read(client: Client) {
  const found: unknown[] = [];
  let error: unknown = null;
  try {
    for await (const event of await client.responses.create.stream(input)) found.push(event);
  } catch (thrown) {
    error = thrown;
  }
  return { found, error: error as Error | null };
}

describe('the stream of a response', () => {
  const all = log(['a', 'b', 'c']);

  test('is asked for and read to its end', async () => {
    const { client, received } = scriptedService([events(whole(all))]);
    expect(await read(client)).toEqual({ found: all, error: null });
    expect(received[0]?.headers.get('accept')).toBe('text/event-stream');
    expect(JSON.parse(received[0]?.body ?? '')).toEqual({ ...input.body, stream: true });
  });

  test('that is cut goes on behind its last event', async () => {
    const { client, received } = scriptedService([
      events(all.slice(0, 2).map(frame), 'broken'),
      json({}, 503),
      events(whole(all.slice(2))),
    ]);
    expect(await read(client)).toEqual({ found: all, error: null });
    expect(received.slice(1).map(({ method, url }) => `${method} ${url}`)).toEqual(
      Array(2).fill(`GET ${endpoint}/openai/v1/responses/resp_1?stream=true&starting_after=1`),
    );
  });

  test('that is cut before its first event is asked for again, by the same id', async () => {
    const { client, received } = scriptedService([
      events([': ping\n\ndata: {"ty'], 'broken'),
      events(whole(all)),
    ]);
    expect(await read(client)).toEqual({ found: all, error: null });
    expect(received.map(({ method }) => method)).toEqual(['POST', 'POST']);
    expect(new Set(received.map(({ headers }) => headers.get('idempotency-key'))).size).toBe(1);
  });

  test('lacks no event, has none twice, and garbage is a cut', async () => {
    const [created, a, b, c, end] = all.map(frame) as [string, string, string, string, string];
    const { client } = scriptedService([
      events([created, a, a, c]),
      events([a, b, 'data: {"type": garbage\n\n', c]),
      events([c, end, 'data: garbage after the end\n\n'], 'broken'),
    ]);
    expect(await read(client)).toEqual({ found: all, error: null });
  });

  test('numbers that the service itself leaves out are no gap', async () => {
    const sparse = all.filter(({ sequence_number }) => sequence_number !== 2);
    const { client, received } = scriptedService([events(whole(sparse)), events(whole(sparse.slice(2)))]);
    expect(await read(client)).toEqual({ found: sparse, error: null });
    expect(received).toHaveLength(2);
  });

  test('that is not kept gives what came, and says how far that was', async () => {
    const created = { type: 'response.created', sequence_number: 0, response: { id: 'r', store: false } };
    const { client, received } = scriptedService([events([frame(created)], 'broken')]);
    const { found, error } = await read(client);
    expect(found).toEqual([created]);
    expect(error).toMatchObject({ name: 'BrokenStreamError', lastSequenceNumber: 0, responseId: 'r' });
    expect(received).toHaveLength(1);
  });

  test('that the service will not go on with ends so', async () => {
    const { client } = scriptedService([
      events([frame(all[0] ?? {})], 'broken'),
      json({ error: { code: 'invalid_parameter', message: 'Not kept.' } }, 400),
    ]);
    const { error } = await read(client);
    expect(error?.cause).toBeInstanceOf(FoundryError);
    expect(error?.message).toContain('Not kept.');
  });

  test('that brings nothing new any more is given up', async () => {
    const { client, received, waits } = scriptedService(
      [events([frame(all[0] ?? {})], 'broken'), events([': nothing\n\n', frame(all[0] ?? {})])],
      { retry: { attempts: 4 } },
    );
    expect((await read(client)).error?.name).toBe('BrokenStreamError');
    expect(received).toHaveLength(4);
    expect(waits).toEqual([250, 500, 1000]);
  });

  test('an error in it is an error, unless it only says that the stream broke', async () => {
    const [created = {}] = all;
    const told = { type: 'error', code: 'server_error', message: 'It broke.', sequence_number: 1 };
    const broke = scriptedService([events(whole([created, told])), events(whole(all.slice(1)))]);
    expect(await read(broke.client)).toEqual({ found: all, error: null });
    const limited = scriptedService([events(whole([created, { ...told, code: 'rate_limit_exceeded' }]))]);
    const { found, error } = await read(limited.client);
    expect(found).toHaveLength(1);
    expect(error).toMatchObject({ name: 'FoundryError', code: 'rate_limit_exceeded', message: 'It broke.' });
    expect(limited.received).toHaveLength(1);
  });

  test('is not over with [DONE] alone', async () => {
    const { client, received } = scriptedService([
      events(whole(all.slice(0, 4))),
      events(whole(all.slice(4))),
    ]);
    expect(await read(client)).toEqual({ found: all, error: null });
    expect(received).toHaveLength(2);
  });

  test('an answer that is no stream is an error', async () => {
    const { client, received } = scriptedService([json({ id: 'r' })]);
    expect((await read(client)).error).toMatchObject({ code: 'not_a_stream' });
    expect(received).toHaveLength(1);
  });

  test('leaving it ends its connection', async () => {
    let left = false;
    const open = () =>
      new Response(
        new ReadableStream({
          start: (controller) => controller.enqueue(Buffer.from(all.map(frame).slice(0, 2).join(''))),
          cancel: () => {
            left = true;
          },
        }),
        { headers: { 'content-type': 'text/event-stream' } },
      );
    const { client } = scriptedService([open]);
    for await (const _ of await client.responses.create.stream(input)) break;
    expect(left).toBe(true);
  });

  test('a replay goes on, too', async () => {
    const { client, received } = scriptedService([events([], 'broken'), events(whole(all))]);
    const stream = await client.responses.retrieve.stream({ params: { response_id: 'resp_1' } });
    expect(await Array.fromAsync(stream)).toEqual(all);
    expect(received.map(({ method }) => method)).toEqual(['GET', 'GET']);
  });

  test('comes whole however often and wherever it is cut', async () => {
    const anyCuts = fc.array(fc.nat({ max: 400 }), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 8 }),
        anyCuts,
        async (texts, cuts) => {
          const written = log(texts);
          const left = [...cuts];
          const { client, received } = scriptedService(
            [
              ({ url }) => {
                const after = Number(new URL(url).searchParams.get('starting_after') ?? -1);
                const bytes = Buffer.from(whole(written.slice(after + 1)).join(''));
                const at = left.shift() ?? bytes.length;
                return events([bytes.subarray(0, at)], at < bytes.length ? 'broken' : 'whole')();
              },
            ],
            { retry: { attempts: 20 } },
          );
          expect(await read(client)).toEqual({ found: written, error: null });
          expect(received.length).toBeLessThanOrEqual(cuts.length + 1);
        },
      ),
      { numRuns: 200 },
    );
  });
});

describe('other streams', () => {
  const chunk = { object: 'chat.completion.chunk', choices: [] };
  const ask = { body: { model: 'm', messages: [{ role: 'user' as const, content: 'hi' }] } };

  test('end with [DONE], and without it they broke', async () => {
    const { client } = scriptedService([events([frame(chunk), 'data: [DONE]\n\n']), events([frame(chunk)])]);
    expect(await Array.fromAsync(await client.chatCompletions.create.stream(ask))).toEqual([chunk]);
    const broken = await client.chatCompletions.create.stream(ask);
    await expect(Array.fromAsync(broken)).rejects.toMatchObject({
      name: 'BrokenStreamError',
      responseId: null,
    });
  });

  test('may tell an error in their middle', async () => {
    const { client } = scriptedService([
      events([frame(chunk), frame({ error: { message: 'No.', code: 'c' } })]),
    ]);
    const stream = await client.chatCompletions.create.stream(ask);
    await expect(Array.fromAsync(stream)).rejects.toMatchObject({ name: 'FoundryError', code: 'c' });
  });

  test('of speech end with their own last event', async () => {
    const told = [{ type: 'speech.audio.delta', audio: '' }, { type: 'speech.audio.done' }];
    const { client, received } = scriptedService([events(told.map(frame))]);
    const stream = await client.audio.createSpeech.stream({ body: { model: 'm', input: 'hi', voice: 'v' } });
    expect(await Array.fromAsync(stream)).toEqual(told);
    expect(JSON.parse(received[0]?.body ?? '')).toMatchObject({ stream_format: 'sse' });
  });
});
