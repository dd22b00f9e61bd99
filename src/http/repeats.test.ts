import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { finish, says, scriptedModel } from '../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../families/testing/whole-app.ts';

let app: WholeApp;
let model: ReturnType<typeof scriptedModel>;
beforeEach(async () => {
  model = scriptedModel(...Array.from({ length: 5 }, (_, i) => [...says(`Answer ${i}.`), finish()]));
  app = await wholeApp({ 'my-model': model.provider });
});
afterEach(() => app.close());

const ask = { model: 'my-model', input: 'Hello' };
const respond = (headers: Record<string, string>, body: object = ask, to: WholeApp = app) =>
  to.call('POST', '/openai/v1/responses', body, headers);
const agent = { definition: { kind: 'prompt', model: 'my-model' } };

test.each(['operation-id', 'idempotency-key', 'repeatability-request-id'])(
  'a write that is repeated with the same %s has one effect and the same answer',
  async (header) => {
    const first = await respond({ [header]: 'one' });
    const second = await respond({ [header]: 'one' });
    expect(first.status).toBe(200);
    expect(first.headers).not.toHaveProperty('idempotent-replayed');
    expect(second.text).toBe(first.text);
    expect(second.headers['idempotent-replayed']).toBe('true');
    expect((await respond({ [header]: 'two' })).json.id).not.toBe(first.json.id);
  },
);

test('the same id with another body or at another address is refused and changes nothing', async () => {
  await respond({ 'idempotency-key': 'one' });
  const other = await respond({ 'idempotency-key': 'one' }, { ...ask, input: 'Goodbye' });
  expect([other.status, other.json.error?.code, other.json.error?.param]).toEqual([
    409,
    'conflict',
    'idempotency-key',
  ]);
  const elsewhere = await app.call('POST', '/openai/v1/conversations', ask, { 'idempotency-key': 'one' });
  expect(elsewhere.status).toBe(409);
});

test('versions of an agent are made once, with the status and headers of the first time', async () => {
  const make = () => app.call('POST', '/agents/scout/versions', agent, { 'operation-id': 'a' });
  const answers = await Promise.all([make(), make(), make()]);
  expect(answers.map(({ status, json }) => [status, json.version])).toEqual([
    [200, '1'],
    [200, '1'],
    [200, '1'],
  ]);
  const { json } = await app.call('GET', '/agents/scout/versions');
  expect(json.data).toHaveLength(1);
});

test('a stream is repeated whole', async () => {
  const first = await respond({ 'idempotency-key': 's' }, { ...ask, stream: true });
  const second = await respond({ 'idempotency-key': 's' }, { ...ask, stream: true });
  expect(first.text).toContain('[DONE]');
  expect(second.text).toBe(first.text);
});

test('what was refused may be sent again', async () => {
  const wrong = await respond({ 'idempotency-key': 'f' }, { ...ask, model: 'nobody' });
  expect(wrong.status).toBe(404);
  expect((await respond({ 'idempotency-key': 'f' })).status).toBe(200);
});

test.each(['', 'with space', 'é', 'x'.repeat(256)])('the id %j is refused by name', async (id) => {
  const { status, json } = await respond({ 'idempotency-key': id });
  expect([status, json.error?.param]).toEqual([400, 'idempotency-key']);
});

test('an id survives a restart; what was under way then is refused', async () => {
  const first = await respond({ 'idempotency-key': 'r' });
  const again = await app.restart();
  try {
    expect((await respond({ 'idempotency-key': 'r' }, ask, again)).text).toBe(first.text);
  } finally {
    await again.drain(0);
  }
});

test('the answer goes with what it shows', async () => {
  const made = await respond({ 'idempotency-key': 'd' });
  await app.call('DELETE', `/openai/v1/responses/${made.json.id}`);
  const again = await respond({ 'idempotency-key': 'd' });
  expect(again.json.id).not.toBe(made.json.id);
});

test('a deletion that is repeated has the answer of the first time', async () => {
  const { json } = await app.call('POST', '/openai/v1/conversations', {});
  const remove = () =>
    app.call('DELETE', `/openai/v1/conversations/${json.id}`, undefined, { 'idempotency-key': 'x' });
  const [first, second] = [await remove(), await remove()];
  expect([first.status, second.status, second.text]).toEqual([200, 200, first.text]);
});

test('the answer goes with what its address names', async () => {
  const { json } = await app.call('POST', '/openai/v1/conversations', {});
  const path = `/openai/v1/conversations/${json.id}/items`;
  const items = { items: [{ type: 'message', role: 'user', content: 'a secret' }] };
  const add = () => app.call('POST', path, items, { 'idempotency-key': 'i' });
  expect((await add()).status).toBe(200);
  await app.call('DELETE', `/openai/v1/conversations/${json.id}`);
  expect((await add()).status).toBe(404);
});

test('an id is that of one user', async () => {
  const make = (user: string) =>
    app.call('POST', '/openai/v1/conversations', {}, { 'idempotency-key': 'u', 'x-ms-user-identity': user });
  const [ada, bob, again] = [await make('ada'), await make('bob'), await make('ada')];
  expect(bob.json.id).not.toBe(ada.json.id);
  expect(again.text).toBe(ada.text);
});

describe('forms', () => {
  const send = (content: string, boundary: string) =>
    app.call(
      'POST',
      '/openai/v1/files',
      [
        `--${boundary}`,
        'content-disposition: form-data; name="purpose"',
        '',
        'assistants',
        `--${boundary}`,
        'content-disposition: form-data; name="file"; filename="a.txt"',
        'content-type: text/plain',
        '',
        content,
        `--${boundary}--`,
        '',
      ].join('\r\n'),
      { 'idempotency-key': 'form', 'content-type': `multipart/form-data; boundary=${boundary}` },
    );

  test('are the same when their parts are', async () => {
    const first = await send('one', 'aaaa');
    const second = await send('one', 'bbbb');
    expect([first.status, second.status, second.text]).toEqual([200, 200, first.text]);
    const other = await send('two', 'cccc');
    expect([other.status, other.json.error?.param]).toEqual([409, 'idempotency-key']);
    expect((await app.call('GET', '/openai/v1/files')).json.data).toHaveLength(1);
  });
});

test('a background response whose reader left is not made again', async () => {
  const base = await app.listen();
  const gone = new AbortController();
  const start = (signal?: AbortSignal) =>
    fetch(`${base}/openai/v1/responses`, {
      method: 'POST',
      headers: { 'api-key': 'key', 'content-type': 'application/json', 'idempotency-key': 'b' },
      body: JSON.stringify({ ...ask, stream: true, background: true }),
      signal: signal ?? null,
    });
  const first = await start(gone.signal);
  await first.body?.getReader().read();
  gone.abort();
  const second = await start();
  // Either the first was whole before its reader left, or it is told that it was carried out.
  const text = await second.text();
  expect([200, 409]).toContain(second.status);
  expect(second.status === 200 ? second.headers.get('idempotent-replayed') : text).toMatch(
    /true|carried out/,
  );
  expect(model.requests).toHaveLength(1);
});
