import { afterEach, describe, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import { calls, finish, says, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
afterEach(() => app.close());

async function start(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await wholeApp({ 'my-model': model.provider });
  return model;
}

const post = (path: string, body?: object) => app.call('POST', `/openai/v1${path}`, body);
const get = (path: string) => app.call('GET', `/openai/v1${path}`);
const remove = (path: string) => app.call('DELETE', `/openai/v1${path}`);
const respond = (body: object) => post('/responses', { model: 'my-model', ...body });
const conversation = async (body?: object) => (await post('/conversations', body)).json.id as string;
const items = async (id: string) =>
  (await get(`/conversations/${id}/items?order=asc&limit=100`)).json.data as Record<string, unknown>[];

const user = (content: string) => ({ role: 'user', content });
const texts = (list: Record<string, unknown>[]) =>
  list.map(({ content }) => (content as [{ text: string }])[0].text);

describe('a conversation', () => {
  test('is created, changed, listed and deleted', async () => {
    await start();
    const { status, json } = await post('/conversations', { metadata: { a: '1' }, items: [user('Hi')] });
    expect([status, json]).toEqual([
      200,
      {
        id: expect.stringMatching(/^conv_[0-9a-f]{46}$/),
        object: 'conversation',
        created_at: expect.any(Number),
        metadata: { a: '1' },
      },
    ]);
    const path = `/conversations/${json.id}`;
    expect((await get(path)).json).toEqual(json);
    expect((await post(path, { metadata: { b: '2' } })).json).toEqual({ ...json, metadata: { b: '2' } });
    expect((await get('/conversations')).json.data).toEqual([{ ...json, metadata: { b: '2' } }]);
    expect((await remove(path)).json).toEqual({
      id: json.id,
      object: 'conversation.deleted',
      deleted: true,
    });
    expect((await get(path)).status).toBe(404);
    expect((await get(`${path}/items`)).status).toBe(404);
  });

  test('needs no body', async () => {
    await start();
    expect((await post('/conversations')).json.metadata).toEqual({});
  });

  test('keeps items in order, and answers them as parts', async () => {
    await start();
    const id = await conversation({ items: [user('one')] });
    const created = await post(`/conversations/${id}/items`, {
      items: [user('two'), { role: 'assistant', content: 'three' }],
    });
    expect(created.json).toMatchObject({ object: 'list', has_more: false });
    expect(created.json.data).toMatchObject([
      { type: 'message', status: 'completed', content: [{ type: 'input_text', text: 'two' }] },
      { content: [{ type: 'output_text', text: 'three', annotations: [], logprobs: [] }] },
    ]);
    expect(texts(await items(id))).toEqual(['one', 'two', 'three']);
    const [, second] = await items(id);
    expect((await get(`/conversations/${id}/items/${second?.id}`)).json).toEqual(second);
    expect((await remove(`/conversations/${id}/items/${second?.id}`)).json.id).toBe(id);
    expect((await get(`/conversations/${id}/items/${second?.id}`)).status).toBe(404);
    expect((await remove(`/conversations/${id}/items/${second?.id}`)).status).toBe(404);
    expect(texts(await items(id))).toEqual(['one', 'three']);
  });

  test('gives an item whose id is taken an id of its own', async () => {
    await start();
    const id = await conversation({ items: [{ ...user('one'), id: 'mine' }] });
    await post(`/conversations/${id}/items`, { items: [{ ...user('two'), id: 'mine' }] });
    const [first, second] = await items(id);
    expect([first?.id, second?.id]).toEqual(['mine', expect.stringMatching(/^msg_/)]);
  });

  test('is paged through while items come and go', async () => {
    await start();
    const id = await conversation();
    for (let i = 0; i < 3; i++) {
      await post(`/conversations/${id}/items`, {
        items: Array.from({ length: 10 }, (_, at) => user(String(i * 10 + at))),
      });
    }
    const seen: string[] = [];
    let after = '';
    for (let pages = 0; pages < 20; pages++) {
      const { json } = await get(`/conversations/${id}/items?order=asc&limit=7${after}`);
      const data = json.data as Record<string, unknown>[];
      seen.push(...texts(data));
      if (!json.has_more) break;
      after = `&after=${json.last_id}`;
      // The very item that the cursor names goes, and another comes.
      await remove(`/conversations/${id}/items/${json.last_id}`);
      await post(`/conversations/${id}/items`, { items: [user(`new ${pages}`)] });
    }
    expect(seen.slice(0, 30)).toEqual(Array.from({ length: 30 }, (_, i) => String(i)));
    expect(new Set(seen).size).toBe(seen.length);
  });
});

describe('a response in a conversation', () => {
  const hello: Turn = [...says('Hello.'), finish()];

  test('reads it and adds its input and output', async () => {
    const { requests } = await start(hello, hello);
    const id = await conversation({ items: [user('one')] });
    const { json } = await respond({ conversation: id, input: '' });
    expect(json.conversation).toEqual({ id });
    await respond({ conversation: { id }, input: 'two' });
    expect(texts(await items(id))).toEqual(['one', 'Hello.', 'two', 'Hello.']);
    expect(requests[1]?.messages.map(({ role }) => role)).toEqual(['user', 'assistant', 'user']);
    expect((await get(`/responses?conversation_id=${id}`)).json.data).toHaveLength(2);
  });

  test('can be continued outside of it, as it stood then', async () => {
    const { requests } = await start(hello, hello, hello);
    const id = await conversation({ items: [user('one')] });
    const first = await respond({ conversation: id, input: 'two' });
    await respond({ conversation: id, input: 'three' });
    await respond({ previous_response_id: first.json.id, input: 'four' });
    expect(requests[2]?.messages.map((message) => ('content' in message ? message.content : []))).toEqual([
      [{ type: 'text', text: 'one' }],
      [{ type: 'text', text: 'two' }],
      [{ type: 'text', text: 'Hello.' }],
      [{ type: 'text', text: 'four' }],
    ]);
  });

  test('that fails leaves it as it was, and free', async () => {
    await start(
      [apiError('service_unavailable', 'Gone.')],
      [...says('Hel'), apiError('model_error', 'Bad.')],
      hello,
    );
    const id = await conversation({ items: [user('one')] });
    expect((await respond({ conversation: id, input: 'two' })).status).toBe(503);
    expect((await respond({ conversation: id, input: 'two', stream: true })).text).toContain(
      'response.failed',
    );
    expect(texts(await items(id))).toEqual(['one']);
    expect((await respond({ conversation: id, input: 'two' })).status).toBe(200);
  });

  test('that is refused leaves it as it was, and free', async () => {
    await start(hello);
    const id = await conversation();
    const bad = { conversation: id, input: [{ type: 'function_call_output', call_id: 'x', output: '' }] };
    expect((await respond(bad)).status).toBe(400);
    expect((await respond({ conversation: id, input: 'one' })).status).toBe(200);
  });

  test('locks it against all other writers until it has ended', async () => {
    const go = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    await start(
      [
        async () => {
          reached.resolve();
          await go.promise;
        },
        ...hello,
      ],
      hello,
    );
    const id = await conversation({ items: [user('one')] });
    const [item] = await items(id);
    const first = respond({ conversation: id, input: 'two' });
    await reached.promise;
    const others = await Promise.all([
      respond({ conversation: id, input: 'three' }),
      post(`/conversations/${id}/items`, { items: [user('three')] }),
      remove(`/conversations/${id}/items/${item?.id}`),
      remove(`/conversations/${id}`),
    ]);
    expect(others.map(({ status, json }) => [status, json.error?.code])).toEqual(
      others.map(() => [409, 'conversation_locked']),
    );
    go.resolve();
    expect((await first).status).toBe(200);
    expect((await respond({ conversation: id, input: 'three' })).status).toBe(200);
    expect(texts(await items(id))).toEqual(['one', 'two', 'Hello.', 'three', 'Hello.']);
  });

  test('waits for it, where that is configured', async () => {
    const go = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    const model = scriptedModel(
      [
        async () => {
          reached.resolve();
          await go.promise;
        },
        ...hello,
      ],
      hello,
    );
    app = await wholeApp({ 'my-model': model.provider }, { limits: { conversationWaitSeconds: 30 } });
    const id = await conversation();
    const first = respond({ conversation: id, input: 'one' });
    await reached.promise;
    const second = respond({ conversation: id, input: 'two' });
    go.resolve();
    expect([(await first).status, (await second).status]).toEqual([200, 200]);
    expect(texts(await items(id))).toEqual(['one', 'Hello.', 'two', 'Hello.']);
  });

  test('keeps calls and their outputs together', async () => {
    await start([...calls('call_1', 'f', '{}'), finish('tool_calls')], hello);
    const id = await conversation();
    await respond({ conversation: id, input: 'one', tools: [{ type: 'function', name: 'f' }] });
    const pending = await respond({ conversation: id, input: 'two' });
    expect(pending.json.error?.message).toContain('No tool output found for function call call_1');
    await respond({
      conversation: id,
      input: [{ type: 'function_call_output', call_id: 'call_1', output: '1' }],
    });
    expect((await items(id)).map(({ type }) => type)).toEqual([
      'message',
      'function_call',
      'function_call_output',
      'message',
    ]);
  });
});

describe('what cannot be', () => {
  test.each([
    ['/conversations', { metadata: { a: 1 } }, 'metadata.a'],
    ['/conversations', { items: [{ role: 'user' }] }, 'items[0].content'],
    ['/conversations', { items: Array.from({ length: 21 }, () => user('x')) }, 'items'],
    ['/conversations', { items: [{ id: 'msg_none' }] }, 'items[0].id'],
  ])('POST %s %j is refused', async (path, body, param) => {
    await start();
    const { status, json } = await post(path, body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(json.error?.param).toBe(param);
    expect((await get('/conversations')).json.data).toEqual([]);
  });

  test('ids of another kind and unknown ones', async () => {
    await start();
    expect((await get('/conversations/resp_1')).json.error).toMatchObject({
      code: 'invalid_payload',
      param: 'conversation_id',
    });
    expect((await get(`/conversations/conv_${'0'.repeat(46)}`)).status).toBe(404);
  });
});
