import { afterEach, describe, expect, test } from 'vitest';
import type { ServerTool, ToolContext } from '../../providers/tools/tool.ts';
import { calls, finish, hangs, says, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { type ScriptedToolOptions, scriptedTool } from '../testing/scripted-tool.ts';
import { keyOfRole } from '../testing/test-app.ts';
import { type WholeApp, type WholeAppOptions, wholeApp } from '../testing/whole-app.ts';

const apps: WholeApp[] = [];
let app: WholeApp;
afterEach(async () => {
  for (const each of apps.splice(0).reverse()) await each.close();
});

async function start(options: WholeAppOptions, ...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await wholeApp({ 'my-model': model.provider }, options);
  apps.push(app);
  return model;
}

/** As after `kill -9`: the one before is not told, and finds its model silent for ever. */
async function restart(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await app.restart({ 'my-model': model.provider });
  apps.push(app);
  return model;
}

const hello: Turn = [...says('Hel', 'lo.'), finish()];
const create = (body: object = {}) =>
  app.call('POST', '/openai/v1/responses', { model: 'my-model', input: 'Go.', background: true, ...body });
const get = (path: string) => app.call('GET', `/openai/v1${path}`);
const cancel = (id: unknown) => app.call('POST', `/openai/v1/responses/${id}/cancel`);

async function ended(id: unknown) {
  for (;;) {
    const { json } = await get(`/responses/${id}`);
    if (json.status !== 'queued' && json.status !== 'in_progress') return json;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

/** Reads a stream up to an event, and leaves it. */
async function readUntil(event: string): Promise<string> {
  const base = await app.listen();
  const control = new AbortController();
  const response = await fetch(`${base}/openai/v1/responses`, {
    method: 'POST',
    headers: { 'api-key': 'key', 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'my-model', input: 'Go.', background: true, stream: true }),
    signal: control.signal,
  });
  let seen = '';
  for await (const chunk of response.body ?? []) {
    seen += new TextDecoder().decode(chunk);
    if (seen.includes(event)) break;
  }
  control.abort();
  return seen;
}

const typesOf = (text: string) => [...text.matchAll(/^event: (.*)$/gm)].map(([, type]) => type);

describe('a background response', () => {
  test('is answered at once, and ends by itself', async () => {
    await start({}, hello);
    const { status, json } = await create();
    expect([status, json]).toMatchObject([200, { status: 'queued', background: true, output: [] }]);
    const end = await ended(json.id);
    expect(end).toMatchObject({ status: 'completed', output: [{ content: [{ text: 'Hello.' }] }] });
    const { text } = await get(`/responses/${json.id}?stream=true`);
    expect(typesOf(text).slice(0, 3)).toEqual([
      'response.created',
      'response.queued',
      'response.in_progress',
    ]);
  });

  test('is streamed, and goes on when its reader leaves', async () => {
    const go = Promise.withResolvers<void>();
    await start({}, [...says('Hel'), () => go.promise, ...says('lo.'), finish()]);
    const seen = await readUntil('output_text.delta');
    const id = /"id":"(resp_[0-9a-f]+)"/.exec(seen)?.[1];
    const rest = get(`/responses/${id}?stream=true&starting_after=2`);
    go.resolve();
    expect(await ended(id)).toMatchObject({ status: 'completed' });
    const { text } = await rest;
    expect((await get(`/responses/${id}?stream=true`)).text.endsWith(text)).toBe(true);
  });

  test('joins its conversation when it ends, which is locked until then', async () => {
    const go = Promise.withResolvers<void>();
    await start({}, [() => go.promise, ...hello], hello);
    const conversation = (await app.call('POST', '/openai/v1/conversations', {})).json.id;
    const { json } = await create({ conversation });
    expect((await create({ conversation, background: false })).status).toBe(409);
    go.resolve();
    await ended(json.id);
    expect((await get(`/conversations/${conversation}/items`)).json.data).toHaveLength(2);
    expect((await create({ conversation, background: false })).status).toBe(200);
  });

  test('whose model fails says so', async () => {
    await start({}, [new Error('secret')]);
    const { json } = await create();
    const end = await ended(json.id);
    expect(end).toMatchObject({ status: 'failed', error: { code: 'server_error' } });
    expect(JSON.stringify(end)).not.toContain('secret');
  });

  test('waits in a queue that has an end', async () => {
    await start({ limits: { backgroundConcurrency: 1, backgroundQueue: 1 } }, [hangs], hello);
    const first = await create();
    const second = await create();
    expect((await get(`/responses/${second.json.id}`)).json.status).toBe('queued');
    const third = await create();
    expect([third.status, third.headers['retry-after']]).toEqual([429, '5']);
    await cancel(first.json.id);
    expect(await ended(second.json.id)).toMatchObject({ status: 'completed' });
  });
});

describe('cancelling', () => {
  test('ends a response, again and again, and frees its conversation', async () => {
    await start({}, [...says('Hel'), hangs], hello);
    const conversation = (await app.call('POST', '/openai/v1/conversations', {})).json.id;
    const { json } = await create({ conversation });
    for (let i = 0; i < 2; i++) {
      const reply = await cancel(json.id);
      expect([reply.status, reply.json]).toMatchObject([200, { id: json.id, status: 'cancelled' }]);
    }
    const { text } = await get(`/responses/${json.id}?stream=true`);
    expect(typesOf(text).at(-2)).toBe('response.incomplete');
    expect((await get(`/conversations/${conversation}/items`)).json.data).toEqual([]);
    expect((await create({ conversation, background: false })).status).toBe(200);
  });

  test('takes one out of the queue', async () => {
    await start({ limits: { backgroundConcurrency: 1 } }, [hangs]);
    await create();
    const { json } = await create();
    expect((await cancel(json.id)).json.status).toBe('cancelled');
  });

  test('comes too late for one that has ended, and is not for one in the foreground', async () => {
    await start({}, hello, hello);
    const { json } = await create();
    await ended(json.id);
    expect((await cancel(json.id)).json.error?.code).toBe('conflict');
    const waited = await create({ background: false });
    expect((await cancel(waited.json.id)).json.error?.code).toBe('not_cancellable');
  });

  test('deleting one under way ends it', async () => {
    await start({}, [hangs]);
    const { json } = await create();
    expect((await app.call('DELETE', `/openai/v1/responses/${json.id}`)).json.deleted).toBe(true);
    expect((await get(`/responses/${json.id}`)).status).toBe(404);
  });
});

describe('after the process has died', () => {
  const definition = { type: 'scripted', functions: ['look'] };
  const call = (n: number): Turn => [...calls('x', 'look', `{"n":${n}}`), finish('tool_calls')];
  const tool = (options: Partial<ScriptedToolOptions> = {}) =>
    scriptedTool({ run: ({ n }) => `result ${n}`, ...options });
  const never: Turn = [(signal) => hangs(signal)];

  test('what was queued or had just begun is done', async () => {
    await start({ limits: { backgroundConcurrency: 1 } }, never);
    const first = await create();
    const second = await create();
    const after = await restart(hello, hello);
    for (const { json } of [first, second])
      expect(await ended(json.id)).toMatchObject({ status: 'completed' });
    expect(after.callers).toMatchObject(Array(2).fill({ project: 'default', key: 'test', isPatient: true }));
  });

  test('a loop goes on behind its last call', async () => {
    const scripted = tool();
    const before = await start({ tools: [scripted] }, call(1), never);
    const { json } = await create({ tools: [definition] });
    while (before.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    const after = await restart(hello);
    const end = await ended(json.id);
    expect(end.output).toMatchObject([
      { type: 'mcp_call', output: 'result 1' },
      { type: 'message', content: [{ text: 'Hello.' }] },
    ]);
    expect(end.usage).toMatchObject({ input_tokens: 22 });
    expect(scripted.calls).toEqual([{ n: 1 }]);
    expect(after.requests[0]?.messages.at(-1)).toMatchObject({ role: 'tool', output: 'result 1' });
  });

  test('a tool acts with the roles, and for the key, of whoever asked before', async () => {
    const contexts: ToolContext[] = [];
    const scripted = tool();
    const watched: ServerTool = {
      ...scripted,
      open: (definition, context) => {
        contexts.push(context);
        return scripted.open(definition, context);
      },
    };
    const before = await start({ tools: [watched] }, call(1), never);
    const body = { model: 'my-model', input: 'Go.', background: true, tools: [definition] };
    const headers = { 'api-key': keyOfRole('Azure AI User') };
    const { json } = await app.call('POST', '/openai/v1/responses', body, headers);
    while (before.requests.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(contexts).toHaveLength(1);
    await restart(hello);
    expect((await ended(json.id)).status).toBe('completed');
    expect(contexts.map(({ roles, key }) => ({ roles, key }))).toEqual(
      Array(2).fill({ roles: ['Azure AI User'], key: 'Azure AI User' }),
    );
  });

  test.each([true, false])(
    'a call that was begun is run again only if that is safe (%s)',
    async (idempotent) => {
      const begun = Promise.withResolvers<void>();
      let count = 0;
      const scripted = tool({
        idempotent,
        async run(_, signal) {
          if (++count > 1) return 'second';
          begun.resolve();
          return hangs(signal);
        },
      });
      await start({ tools: [scripted] }, call(1));
      const { json } = await create({ tools: [definition] });
      await begun.promise;
      await restart(hello);
      const end = await ended(json.id);
      expect(end.status).toBe('completed');
      expect(end.output).toMatchObject([
        idempotent ? { output: 'second' } : { status: 'failed' },
        { type: 'message' },
      ]);
      expect(count).toBe(idempotent ? 2 : 1);
    },
  );

  test('what readers of a stream have seen stays as it was, and goes on', async () => {
    await start({}, [...says('Hel'), hangs]);
    const seen = await readUntil('output_text.delta');
    const id = /"id":"(resp_[0-9a-f]+)"/.exec(seen)?.[1];
    await restart(hello);
    expect(await ended(id)).toMatchObject({
      status: 'completed',
      output: [
        { status: 'incomplete', content: [{ text: 'Hel' }] },
        { status: 'completed', content: [{ text: 'Hello.' }] },
      ],
    });
    const { text } = await get(`/responses/${id}?stream=true`);
    expect(text.startsWith(seen)).toBe(true);
    const numbers = [...text.matchAll(/"sequence_number":(\d+)\}\n/g)].map(([, n]) => Number(n));
    expect(numbers).toEqual(numbers.map((_, n) => n));
  });
});

describe('old event logs', () => {
  test('are reduced to what the response is', async () => {
    await start({ limits: { eventLogDays: 0 } }, hello);
    const { json } = await create({ background: false });
    await new Promise((resolve) => setTimeout(resolve, 5));
    await restart();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect((await get(`/responses/${json.id}`)).json).toEqual(json);
    const stream = await get(`/responses/${json.id}?stream=true`);
    expect([stream.status, stream.json.error?.param]).toEqual([400, 'stream']);
  });
});

test('a stream beyond the last event is refused', async () => {
  await start({}, hello);
  const { json } = await create({ background: false });
  const reply = await get(`/responses/${json.id}?stream=true&starting_after=99`);
  expect([reply.status, reply.json.error?.param]).toEqual([400, 'starting_after']);
});
