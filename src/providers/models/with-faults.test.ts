import { expect, test } from 'vitest';
import type { DeploymentConfig } from '../../config.ts';
import { finish, says, scriptedModel } from '../../families/testing/scripted-model.ts';
import type { ModelFault } from '../../kit/call-faults.ts';
import { patientCaller } from './caller.ts';
import type { ModelRequest } from './model.ts';
import { withFaults } from './with-faults.ts';

const deployment: DeploymentConfig = {
  ...{ name: 'm', model: 'some-model', baseUrl: 'http://secret.invalid/v1' },
  provider: 'openai-compatible',
  ...{ apiKey: null, apiVersion: null, timeoutSeconds: 5, modelVersion: null, modelPublisher: null },
};
const { signal } = new AbortController();

function setUp(fault: ModelFault | null) {
  const model = scriptedModel([...says('a', 'b'), finish()]);
  const asked: string[] = [];
  const caller = patientCaller('p', null, {
    modelCall(name) {
      asked.push(name);
      return fault;
    },
    toolCall: () => null,
  });
  const provider = withFaults(
    {
      ...model.provider,
      embed: async () => ({ embeddings: [], inputTokens: 1 }),
      forward: async () => ({ kind: 'json', text: '{}' }),
    },
    deployment,
  );
  const read = async () => {
    const types: string[] = [];
    let error: unknown = null;
    try {
      for await (const { type } of provider.generate?.({} as ModelRequest, signal, caller) ?? [])
        types.push(type);
    } catch (thrown) {
      error = thrown;
    }
    return { types, error };
  };
  return { model, provider, caller, asked, read };
}

const failing = (change: Partial<ModelFault> = {}) => ({
  status: 503,
  retryAfterSeconds: null,
  afterEvents: 0,
  ...change,
});

test("a call without a fault is the provider's own, and is asked for once", async () => {
  const { read, asked } = setUp(null);
  expect(await read()).toEqual({ types: ['text', 'text', 'finish'], error: null });
  expect(asked).toEqual(['m']);
});

test.each([
  [429, 429, 'rate_limit_exceeded'],
  [500, 502, 'model_error'],
  [503, 503, 'service_unavailable'],
  [401, 503, 'service_unavailable'],
  [400, 400, 'invalid_payload'],
])("a server's %i is told as %i", async (status, told, code) => {
  const { read, model } = setUp(failing({ status, retryAfterSeconds: 9 }));
  const { types, error } = await read();
  expect([types, error]).toEqual([[], expect.objectContaining({ status: told, code })]);
  expect((error as Error).message).not.toContain('secret.invalid');
  expect(model.requests).toEqual([]);
});

test("a call that fails later ends the model's", async () => {
  const { read, model } = setUp(failing({ afterEvents: 1 }));
  expect(await read()).toEqual({ types: ['text'], error: expect.objectContaining({ status: 503 }) });
  expect(model.ended).toBe(1);
});

test('a model that ends before has not failed', async () => {
  for (const afterEvents of [3, 9]) {
    const { read } = setUp(failing({ afterEvents }));
    expect(await read()).toEqual({ types: ['text', 'text', 'finish'], error: null });
  }
});

test('embeddings and what is passed on fail alike', async () => {
  const { provider, caller } = setUp(failing({ status: 429, retryAfterSeconds: 2 }));
  const limited = { status: 429, headers: { 'retry-after': '2' } };
  const request = { path: '/images/generations', body: {}, input: 'prompt', answers: ['json'] } as const;
  await expect(provider.embed?.({ inputs: ['a'], dimensions: null }, signal, caller)).rejects.toMatchObject(
    limited,
  );
  await expect(provider.forward?.(request, signal, caller)).rejects.toMatchObject(limited);
});
