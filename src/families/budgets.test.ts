import { afterEach, expect, test } from 'vitest';
import type { Limits } from '../config.ts';
import type { ModelProvider } from '../providers/models/model.ts';
import { steadyModel } from './projects/testing/project-app.ts';
import { finish, says } from './testing/scripted-model.ts';
import { askingOf, type StoreAppOptions, storeApp } from './testing/store-app.ts';
import { type WholeApp, wholeApp } from './testing/whole-app.ts';

let app: WholeApp | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

const open = async (limits: Partial<Limits>) => {
  app = await wholeApp({}, { limits });
  return app;
};

const refused = (name: string, message: RegExp) => ({
  status: 403,
  headers: expect.objectContaining({ 'x-should-retry': 'false' }),
  json: {
    error: expect.objectContaining({
      code: 'quota_exceeded',
      target: `limits.${name}`,
      message: expect.stringMatching(message),
    }),
  },
});

const agent = { definition: { kind: 'prompt', model: 'm' } };

test('agents of a project, and versions of an agent', async () => {
  const { call } = await open({ agents: 2, agentVersions: 2 });
  for (const name of ['a', 'b']) await call('POST', '/agents', { name, ...agent });
  expect(await call('POST', '/agents', { name: 'c', ...agent })).toMatchObject(
    refused('agents', /^A project has 2 agents at most \(limits\.agents\)\. Delete/),
  );
  expect((await call('GET', '/agents/c')).status).toBe(404);
  expect((await call('POST', '/agents/a/versions', agent)).status).toBe(200);
  const third = await call('POST', '/agents/a/versions', agent);
  expect(third).toMatchObject(refused('agentVersions', /^An? agent has 2 versions at most/));
  // What is deleted makes room.
  await call('DELETE', '/agents/a/versions/1');
  expect((await call('POST', '/agents/a/versions', agent)).status).toBe(200);
  await call('DELETE', '/agents/b');
  expect((await call('POST', '/agents', { name: 'c', ...agent })).status).toBe(200);
});

test('as many agents as there is room for, however many come at once', async () => {
  const { call } = await open({ agents: 5 });
  const made = await Promise.all(
    Array.from({ length: 20 }, (_, i) => call('POST', '/agents', { name: `a${i}`, ...agent })),
  );
  expect(made.filter(({ status }) => status === 200)).toHaveLength(5);
});

test('files of a project, by number and by bytes', async () => {
  const started = await open({ projectFiles: 2, projectFilesBytes: 1024 });
  const base = await started.listen();
  const upload = async (text: string) => {
    const form = new FormData();
    form.set('purpose', 'user_data');
    form.set('file', new File([text], 'a.txt'));
    const response = await fetch(`${base}/openai/v1/files`, {
      method: 'POST',
      headers: { 'api-key': 'key' },
      body: form,
    });
    return (await response.json()) as { id: string; error?: { code: string; target: string } };
  };
  await upload('a'.repeat(1000));
  expect((await upload('b'.repeat(25))).error).toMatchObject({ target: 'limits.projectFilesBytes' });
  const { id } = await upload('c'.repeat(24));
  expect((await upload('')).error).toMatchObject({ code: 'quota_exceeded', target: 'limits.projectFiles' });
  await started.call('DELETE', `/openai/v1/files/${id}`);
  expect((await upload('d')).error).toBeUndefined();
});

test('uploads that have not ended', async () => {
  const { call } = await open({ uploads: 1 });
  const upload = { filename: 'a.txt', purpose: 'user_data', bytes: 3, mime_type: 'text/plain' };
  const { json } = await call('POST', '/openai/v1/uploads', upload);
  expect(await call('POST', '/openai/v1/uploads', upload)).toMatchObject(refused('uploads', /not ended/));
  await call('POST', `/openai/v1/uploads/${json.id}/cancel`);
  expect((await call('POST', '/openai/v1/uploads', upload)).status).toBe(200);
});

test('items of a conversation', async () => {
  const { call } = await open({ conversationItems: 3 });
  const { json } = await call('POST', '/openai/v1/conversations', {});
  const path = `/openai/v1/conversations/${json.id}/items`;
  const items = (count: number) => ({
    items: Array.from({ length: count }, () => ({ type: 'message', role: 'user', content: 'Hi' })),
  });
  expect((await call('POST', path, items(2))).status).toBe(200);
  expect(await call('POST', path, items(2))).toMatchObject(refused('conversationItems', /3 items/));
  expect((await call('POST', path, items(1))).status).toBe(200);
});

test('datasets, indexes and models share one', async () => {
  const { call } = await open({ assets: 1 });
  const connection = {
    type: 'CognitiveSearch',
    target: 'https://search.example',
    credentials: { type: 'None' },
  };
  await call('PUT', '/connections/search', connection);
  const put = (name: string) =>
    call('PATCH', `/indexes/${name}/versions/1`, {
      type: 'AzureSearch',
      connectionName: 'search',
      indexName: 'i',
    });
  const first = await put('a');
  expect([first.status, first.text]).toEqual([201, expect.any(String)]);
  expect(await put('b')).toMatchObject(refused('assets', /datasets, indexes and models/));
});

test('vector stores of a project', async () => {
  const options: StoreAppOptions = { limits: { projectVectorStores: 1 } };
  const stores = await storeApp(options);
  app = stores;
  const { store } = askingOf(stores);
  const id = await store();
  expect(await stores.call('POST', '/openai/v1/vector_stores', {})).toMatchObject(
    refused('projectVectorStores', /1 vector stores/),
  );
  await stores.call('DELETE', `/openai/v1/vector_stores/${id}`);
  await store();
});

test('conversations and containers of a project', async () => {
  const { call } = await open({ conversations: 2, containers: 2 });
  const kinds = [
    ['conversations', '/openai/v1/conversations', {}],
    ['containers', '/openai/v1/containers', { name: 'c' }],
  ] as const;
  for (const [name, path, body] of kinds) {
    const made = await Promise.all(Array.from({ length: 4 }, () => call('POST', path, body)));
    expect(made.map(({ status }) => status).toSorted()).toEqual([200, 200, 403, 403]);
    expect(await call('POST', path, body)).toMatchObject(refused(name, /^A project has 2 con/));
    // What is deleted makes room.
    await call('DELETE', `${path}/${made.find(({ status }) => status === 200)?.json.id}`);
    expect((await call('POST', path, body)).status).toBe(200);
    expect((await call('POST', path, body)).status).toBe(403);
  }
});

test('stored responses and chat completions of a project, before a model is asked', async () => {
  let asked = 0;
  const model: ModelProvider = {
    async *generate() {
      asked++;
      yield* says('Hello.');
      yield finish();
    },
    countTokens: () => 1,
  };
  app = await wholeApp({ m: model }, { limits: { storedResponses: 2, storedCompletions: 2 } });
  const { call } = app;
  const kinds = [
    ['storedResponses', '/openai/v1/responses', { model: 'm', input: 'Hi' }],
    [
      'storedCompletions',
      '/openai/v1/chat/completions',
      { model: 'm', messages: [{ role: 'user', content: 'Hi' }], store: true },
    ],
  ] as const;
  for (const [name, path, body] of kinds) {
    const made = [await call('POST', path, body), await call('POST', path, body)];
    expect(made.map(({ status }) => status)).toEqual([200, 200]);
    asked = 0;
    for (const more of [{}, { stream: true }]) {
      expect(await call('POST', path, { ...body, ...more })).toMatchObject(
        refused(name, /^A project has 2 stored/),
      );
    }
    expect(asked).toBe(0);
    expect((await call('POST', path, { ...body, store: false })).status).toBe(200);
    // What is deleted makes room.
    await call('DELETE', `${path}/${made[0]?.json.id}`);
    expect((await call('POST', path, body)).status).toBe(200);
    expect((await call('POST', path, body)).status).toBe(403);
  }
});

test('a response that there is no room for leaves its conversation free', async () => {
  app = await wholeApp({ m: steadyModel() }, { limits: { storedResponses: 1 } });
  const { call } = app;
  const { json } = await call('POST', '/openai/v1/conversations', {});
  const turn = { model: 'm', input: 'Hi', conversation: json.id };
  const statuses: number[] = [];
  for (let i = 0; i < 3; i++) statuses.push((await call('POST', '/openai/v1/responses', turn)).status);
  expect(statuses).toEqual([200, 403, 403]);
});

test('what was there before the server started counts', async () => {
  const { call, restart } = await open({ conversations: 2 });
  await call('POST', '/openai/v1/conversations', {});
  const after = await restart();
  const statuses: number[] = [];
  for (let i = 0; i < 2; i++)
    statuses.push((await after.call('POST', '/openai/v1/conversations', {})).status);
  await after.drain(0);
  expect(statuses).toEqual([200, 403]);
});
