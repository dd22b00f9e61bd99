import OpenAI from 'openai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { scriptedGateway, scriptedModel } from '../testing/scripted-model.ts';
import { type TestApp, testApp, testKey } from '../testing/test-app.ts';
import { modelsFamily } from './index.ts';

const { provider } = scriptedModel();

let app: TestApp;
beforeEach(async () => {
  app = await testApp(
    modelsFamily(
      scriptedGateway({
        mine: provider,
        'org/llama3:8b': { provider, deployment: { modelPublisher: 'Meta' } },
      }),
    ),
  );
});
afterEach(() => app.close());

test('lists one model per deployment, in the order of the gateway', async () => {
  const { status, json } = await app.call('GET', '/openai/v1/models');
  expect(status).toBe(200);
  const created = expect.any(Number);
  expect(json).toEqual({
    object: 'list',
    data: [
      { id: 'mine', object: 'model', created, owned_by: 'Somebody' },
      { id: 'org/llama3:8b', object: 'model', created, owned_by: 'Meta' },
    ],
  });
});

test('a model is the same alone as in the list, with slash and colon in its name', async () => {
  const list = await app.call('GET', '/openai/v1/models');
  const alone = await app.call('GET', '/openai/v1/models/org%2Fllama3%3A8b');
  expect(alone.json).toEqual((list.json.data as unknown[])[1]);
  const bareColon = await app.call('GET', '/openai/v1/models/org%2Fllama3:8b');
  expect(bareColon.json).toEqual(alone.json);
});

test('an unknown model is 404 and names the parameter', async () => {
  const { status, json } = await app.call('GET', '/openai/v1/models/nobody');
  expect(status).toBe(404);
  expect(json.error).toMatchObject({
    code: 'DeploymentNotFound',
    param: 'model',
    type: 'invalid_request_error',
  });
});

test('the OpenAI client lists and retrieves them', async () => {
  const client = new OpenAI({ apiKey: testKey, baseURL: `${await app.listen()}/openai/v1`, maxRetries: 0 });
  const ids: string[] = [];
  for await (const model of client.models.list()) ids.push(model.id);
  expect(ids).toEqual(['mine', 'org/llama3:8b']);
  expect((await client.models.retrieve('org/llama3:8b')).owned_by).toBe('Meta');
  await expect(client.models.retrieve('nobody')).rejects.toBeInstanceOf(OpenAI.NotFoundError);
});
