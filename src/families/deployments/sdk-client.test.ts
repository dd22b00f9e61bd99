import { AIProjectClient } from '@azure/ai-projects';
import { afterEach, expect, test } from 'vitest';
import { scriptedGateway, scriptedModel } from '../testing/scripted-model.ts';
import { type TestApp, testApp, testKey } from '../testing/test-app.ts';
import { deploymentsFamily } from './index.ts';

type HttpClient = NonNullable<NonNullable<ConstructorParameters<typeof AIProjectClient>[2]>['httpClient']>;

let app: TestApp | undefined;
afterEach(() => app?.close());

/** The SDK insists on https; its transport is replaced by calls into the app. */
const intoApp = (into: TestApp): HttpClient => ({
  async sendRequest(request) {
    const path = request.url.replace(/^https:\/\/localhost\/api\/projects\/default/, '');
    const { status, text } = await into.call(request.method as 'GET', path);
    request.headers.set('content-type', 'application/json');
    return { request, status, headers: request.headers, bodyAsText: text };
  },
});

test('the Foundry SDK lists and gets deployments', async () => {
  const { provider } = scriptedModel();
  const meta = { provider, deployment: { modelPublisher: 'Meta', modelName: 'llama3' } };
  app = await testApp(deploymentsFamily(scriptedGateway({ mine: provider, 'org/llama3:8b': meta })));
  const credential = {
    getToken: async () => ({ token: testKey, expiresOnTimestamp: Date.now() + 3_600_000 }),
  };
  const client = new AIProjectClient('https://localhost/api/projects/default', credential, {
    httpClient: intoApp(app),
    retryOptions: { maxRetries: 0 },
  });

  const names: string[] = [];
  for await (const { name } of client.deployments.list({ modelPublisher: 'Meta' })) names.push(name);
  expect(names).toEqual(['org/llama3:8b']);
  const found = await client.deployments.get('org/llama3:8b');
  expect(found).toMatchObject({ type: 'ModelDeployment', modelName: 'llama3', sku: { capacity: 1 } });
  await expect(client.deployments.get('nobody')).rejects.toMatchObject({
    statusCode: 404,
    code: 'DeploymentNotFound',
  });
});
