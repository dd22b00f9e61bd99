import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import { newId } from '../../kit/ids.ts';
import { calls, finish, says, scriptedGateway, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { type TestApp, testKey } from '../testing/test-app.ts';
import { completionPosition, newCompletionId } from './ids.ts';
import { chatApp } from './testing/chat-app.ts';

let app: TestApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const path = '/openai/v1/chat/completions';
const messages = [{ role: 'user', content: 'Hello' }];

async function start(...turns: Turn[]): Promise<TestApp> {
  const model = scriptedModel(...turns);
  app = await chatApp(scriptedGateway({ mine: model.provider, other: model.provider }));
  return app;
}

const greetings = (count: number): Turn[] =>
  Array.from({ length: count }, (_, i) => [...says(`Hi ${i}`), finish()]);

async function create(on: TestApp, body: object = {}) {
  const { status, json } = await on.call('POST', path, { model: 'mine', messages, store: true, ...body });
  expect(status).toBe(200);
  return json as typeof json & { id: string };
}

const idsIn = ({ json }: { json: Record<string, unknown> }) =>
  (json.data as { id: string }[]).map(({ id }) => id);

test('what was answered is what is stored', async () => {
  const on = await start([...says('Hi ', 'there'), finish('length')]);
  const created = await create(on, { metadata: { topic: 'tests' }, service_tier: 'auto' });
  const { status, json } = await on.call('GET', `${path}/${created.id}`);
  expect(status).toBe(200);
  expect(json).toEqual(created);
  expect(json.metadata).toEqual({ topic: 'tests' });
});

test('stored completions always have metadata', async () => {
  const on = await start(...greetings(1));
  const created = await create(on);
  expect((await on.call('GET', `${path}/${created.id}`)).json).toEqual({ ...created, metadata: {} });
});

test.each([{ store: false }, { store: null }, { store: undefined }])('%j stores nothing', async (body) => {
  const on = await start(...greetings(1));
  const { id } = await create(on, body);
  expect((await on.call('GET', `${path}/${id}`)).status).toBe(404);
  expect((await on.call('GET', path)).json).toEqual({
    object: 'list',
    data: [],
    first_id: null,
    last_id: null,
    has_more: false,
  });
});

test('a stream is stored as the answer it amounts to', async () => {
  const turn = [
    ...says('Let me ', 'see.'),
    ...calls('c1', 'weather', '{"city":', '"Oslo"}'),
    ...calls('c2', 'note', '{"input":"milk"}'),
    finish('tool_calls', { inputTokens: 3 }),
  ];
  const on = await start(turn, turn);
  const tools = [
    { type: 'function', function: { name: 'weather' } },
    { type: 'custom', custom: { name: 'note' } },
  ];
  const body = { model: 'mine', messages, store: true, tools, metadata: { a: 'b' } };
  const reply = await on.call('POST', path, { ...body, stream: true });
  expect(reply.text.endsWith('data: [DONE]\n\n')).toBe(true);
  const { id } = JSON.parse(reply.text.slice('data: '.length, reply.text.indexOf('\n')));
  const whole = await create(on, body);
  expect((await on.call('GET', `${path}/${id}`)).json).toEqual({
    ...whole,
    id,
    created: expect.any(Number),
  });
});

test.each([
  ['a failure', [...says('Hal'), apiError('model_error', 'It broke.')]],
  ['no end', says('Hal')],
])('a stream with %s is not stored, nor is such an answer', async (_, turn) => {
  const on = await start(turn, turn);
  for (const stream of [true, false])
    await on.call('POST', path, { model: 'mine', messages, store: true, stream });
  expect(idsIn(await on.call('GET', path))).toEqual([]);
});

test('lists are paged, oldest first unless asked otherwise', async () => {
  const on = await start(...greetings(25));
  const ids: string[] = [];
  for (let i = 0; i < 25; i++) ids.push((await create(on)).id);
  const first = await on.call('GET', path);
  expect(idsIn(first)).toEqual(ids.slice(0, 20));
  expect(first.json).toMatchObject({ first_id: ids[0], last_id: ids[19], has_more: true });
  const second = await on.call('GET', `${path}?after=${ids[19]}`);
  expect(idsIn(second)).toEqual(ids.slice(20));
  expect(second.json).toMatchObject({ has_more: false });
  expect(idsIn(await on.call('GET', `${path}?order=desc&limit=2&after=${ids[5]}`))).toEqual([ids[4], ids[3]]);
  expect(idsIn(await on.call('GET', `${path}?limit=2&before=${ids[5]}`))).toEqual([ids[3], ids[4]]);
});

test('a cursor outlives its completion', async () => {
  const on = await start(...greetings(2));
  const [gone, kept] = [await create(on), await create(on)];
  await on.call('DELETE', `${path}/${gone.id}`);
  expect(idsIn(await on.call('GET', `${path}?after=${gone.id}`))).toEqual([kept.id]);
});

test('lists are filtered by model and by all the metadata named, letter by letter', async () => {
  const on = await start(...greetings(5));
  const a = await create(on, { metadata: { topic: 'x', lang: 'en' } });
  const b = await create(on, { metadata: { topic: 'x', lang: 'de' }, model: 'other' });
  const c = await create(on, { metadata: { topic: 'X', lang: "'; --" } });
  await create(on, { metadata: { topic: 'xy', text: '"topic":"x"' } });
  await create(on);
  const listed = async (query: string) => idsIn(await on.call('GET', `${path}?${query}`));
  expect(await listed('metadata[topic]=x')).toEqual([a.id, b.id]);
  expect(await listed('metadata%5Btopic%5D=x&metadata%5Blang%5D=de')).toEqual([b.id]);
  expect(await listed('metadata[topic]=X')).toEqual([c.id]);
  expect(await listed(`metadata[lang]=${encodeURIComponent("'; --")}`)).toEqual([c.id]);
  expect(await listed('metadata[nothing]=x')).toEqual([]);
  expect(await listed('model=other')).toEqual([b.id]);
  expect(await listed('model=mine&metadata[topic]=x')).toEqual([a.id]);
  expect(await listed('metadata[topic]=x&limit=1&order=desc')).toEqual([b.id]);
});

test('an update replaces the metadata, for the filters too', async () => {
  const on = await start(...greetings(1));
  const { id } = await create(on, { metadata: { topic: 'old', lang: 'en' } });
  const updated = await on.call('POST', `${path}/${id}`, { metadata: { topic: 'new' } });
  expect(updated.status).toBe(200);
  expect(updated.json).toMatchObject({ id, object: 'chat.completion', metadata: { topic: 'new' } });
  expect((await on.call('GET', `${path}/${id}`)).json).toEqual(updated.json);
  expect(idsIn(await on.call('GET', `${path}?metadata[topic]=new`))).toEqual([id]);
  expect(idsIn(await on.call('GET', `${path}?metadata[topic]=old`))).toEqual([]);
  expect(idsIn(await on.call('GET', `${path}?metadata[lang]=en`))).toEqual([]);
  expect((await on.call('POST', `${path}/${id}`, { metadata: null })).json.metadata).toEqual({});
  expect(idsIn(await on.call('GET', `${path}?metadata[topic]=new`))).toEqual([]);
});

test('what is deleted is gone', async () => {
  const on = await start(...greetings(1));
  const { id } = await create(on, { metadata: { topic: 'x' } });
  const { status, json } = await on.call('DELETE', `${path}/${id}`);
  expect(status).toBe(200);
  expect(json).toEqual({ object: 'chat.completion.deleted', id, deleted: true });
  expect(idsIn(await on.call('GET', `${path}?metadata[topic]=x`))).toEqual([]);
  for (const [method, suffix, body] of [
    ['GET', ''],
    ['POST', '', { metadata: {} }],
    ['DELETE', ''],
    ['GET', '/messages'],
  ] as const) {
    const gone = await on.call(method, `${path}/${id}${suffix}`, body);
    expect(gone.status).toBe(404);
    expect(gone.json.error).toMatchObject({ code: 'not_found', param: 'completion_id' });
  }
});

test('the messages are those of the request, with ids', async () => {
  const on = await start(...greetings(1));
  const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } };
  const parts = [{ type: 'text', text: 'Look' }, image];
  const tool_calls = [{ id: 'c1', type: 'function', function: { name: 'f', arguments: '{}' } }];
  const { id } = await create(on, {
    messages: [
      { role: 'developer', content: 'Be brief.' },
      { role: 'user', content: parts, name: 'Ada' },
      { role: 'assistant', tool_calls },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
      { role: 'assistant', refusal: 'No.' },
    ],
  });
  const { json } = await on.call('GET', `${path}/${id}/messages`);
  const plain = { content: null, content_parts: null, name: null, refusal: null };
  expect(json).toEqual({
    object: 'list',
    data: [
      { ...plain, id: `${id}-0`, role: 'developer', content: 'Be brief.' },
      { ...plain, id: `${id}-1`, role: 'user', content_parts: parts, name: 'Ada' },
      { ...plain, id: `${id}-2`, role: 'assistant', tool_calls },
      { ...plain, id: `${id}-3`, role: 'tool', tool_call_id: 'c1', content: 'done' },
      { ...plain, id: `${id}-4`, role: 'assistant', refusal: 'No.' },
    ],
    first_id: `${id}-0`,
    last_id: `${id}-4`,
    has_more: false,
  });
  expect(idsIn(await on.call('GET', `${path}/${id}/messages?limit=2&after=${id}-1`))).toEqual([
    `${id}-2`,
    `${id}-3`,
  ]);
  expect(idsIn(await on.call('GET', `${path}/${id}/messages?order=desc&limit=1`))).toEqual([`${id}-4`]);
});

test.each([
  ['limit=0', 'limit'],
  ['limit=101', 'limit'],
  ['order=up', 'order'],
  ['after=nothing', 'after'],
  [`after=${newId('chatcmpl')}`, 'after'],
  ['metadata=x', 'metadata'],
  [`metadata[k]=${'x'.repeat(513)}`, 'metadata.k'],
])('%s is wrong', async (query, param) => {
  const on = await start();
  const { status, json } = await on.call('GET', `${path}?${query}`);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: 'invalid_parameter', param });
});

test.each([
  [{}, 'missing_required_parameter', 'metadata'],
  [{ metadata: { a: 1 } }, 'invalid_payload', 'metadata.a'],
])('an update with %j is refused', async (body, code, param) => {
  const on = await start(...greetings(1));
  const { id } = await create(on);
  const { status, json } = await on.call('POST', `${path}/${id}`, body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code, param });
});

test('whom one acts for decides what one sees', async () => {
  const on = await start(...greetings(2));
  const base = `${await on.listen()}${path}`;
  const as = async (user: string | null, method: string, suffix = '', body?: object) => {
    const response = await fetch(base + suffix, {
      method,
      headers: {
        'api-key': testKey,
        'content-type': 'application/json',
        ...(user === null ? {} : { 'x-ms-user-identity': user }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, json: (await response.json()) as Record<string, unknown> };
  };
  const body = { model: 'mine', messages, store: true, metadata: { topic: 'x' } };
  const { json } = await as('ada', 'POST', '', body);
  for (const user of [null, 'bob']) {
    for (const query of ['', '?metadata[topic]=x']) expect(idsIn(await as(user, 'GET', query))).toEqual([]);
    expect((await as(user, 'GET', `/${json.id}`)).status).toBe(404);
    expect((await as(user, 'GET', `/${json.id}/messages`)).status).toBe(404);
    expect((await as(user, 'POST', `/${json.id}`, { metadata: {} })).status).toBe(404);
    expect((await as(user, 'DELETE', `/${json.id}`)).status).toBe(404);
  }
  expect(idsIn(await as('ada', 'GET', '?metadata[topic]=x'))).toEqual([json.id]);
  const own = await as(null, 'POST', '', body);
  expect(idsIn(await as('ada', 'GET'))).toEqual([json.id]);
  expect(idsIn(await as(null, 'GET'))).toEqual([own.json.id]);
});

test('only ids as they are made are positions', () => {
  const id = newCompletionId();
  expect(completionPosition(id)).toBe(id);
  expect(newCompletionId() > id).toBe(true);
  for (const other of [`${id}0`, id.slice(0, -1), id.replace('-', '_'), id.replace('chatcmpl', 'cmpl'), ''])
    expect(completionPosition(other)).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => completionPosition(`chatcmpl-${text}`) === undefined));
});
