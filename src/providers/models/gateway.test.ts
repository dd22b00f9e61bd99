import { afterEach, expect, test } from 'vitest';
import type { DeploymentConfig } from '../../config.ts';
import { createModelGateway } from './gateway.ts';
import {
  collect,
  type FakeUpstream,
  fakeUpstream,
  modelRequest,
  recordedLog,
  status,
  upstreamAt,
} from './testing/fake-upstream.ts';

let running: FakeUpstream | undefined;
afterEach(async () => {
  await running?.close();
  running = undefined;
});

const gateway = (
  deployments: DeploymentConfig[],
  rest: Partial<Parameters<typeof createModelGateway>[0]> = {},
) =>
  createModelGateway({
    config: { deployments, discovery: false, scenarios: [] },
    environment: {},
    log: recordedLog(),
    ...rest,
  });

test('lists configured deployments, then discovered ones, then builtin', async () => {
  running = await fakeUpstream(status(200, { models: [{ name: 'found' }, { name: 'mine' }] }));
  const models = await gateway([upstreamAt('http://127.0.0.1:1/v1', { name: 'mine', model: 'llama3' })], {
    config: {
      deployments: [upstreamAt('http://127.0.0.1:1/v1', { name: 'mine', model: 'llama3' })],
      discovery: true,
      scenarios: [],
    },
    servers: [],
    ollama: running.url,
  });
  expect(models.list().map((deployment) => deployment.name)).toEqual(['mine', 'found', 'builtin']);
  expect(models.list()[0]).toEqual({
    name: 'mine',
    provider: 'openai-compatible',
    modelName: 'llama3',
    modelVersion: '1',
    modelPublisher: 'Meta',
    capabilities: { chat_completion: 'true', embeddings: 'true' },
    connectionName: null,
  });
  expect(JSON.stringify(models.list())).not.toContain('secret-key');
});

test('a deployment may take the name builtin', async () => {
  const models = await gateway([upstreamAt('http://127.0.0.1:1/v1', { name: 'builtin' })]);
  expect(models.list()).toMatchObject([{ name: 'builtin', provider: 'openai-compatible' }]);
});

test('an unknown name is answered with those there are', async () => {
  const models = await gateway([upstreamAt('http://127.0.0.1:1/v1', { name: 'mine' })]);
  expect(models.find('other')).toBeUndefined();
  expect(() => models.resolve('other', 'model')).toThrow(
    expect.objectContaining({
      status: 404,
      code: 'DeploymentNotFound',
      target: 'model',
      message: "No model deployment 'other' exists. Available: mine, builtin.",
    }),
  );
});

test('loads the provider on first use', async () => {
  running = await fakeUpstream(status(429, {}));
  const models = await gateway([upstreamAt(`${running.url}/v1`, { name: 'mine', provider: 'anthropic' })]);
  const { provider } = models.resolve('mine');
  expect(provider.embed).toBeUndefined();
  await expect(collect(provider, modelRequest())).rejects.toMatchObject({ code: 'rate_limit_exceeded' });
  expect(running.requests[0]?.path).toBe('/v1/messages');
  expect(await provider.countTokens(modelRequest())).toBeGreaterThan(3);
});
