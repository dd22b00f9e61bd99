import type { AIProjectClient } from '@azure/ai-projects';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collect, endpoint, freshName, project } from './clients.ts';

const search = freshName('search');
const keys = freshName('keys');
const insights = freshName('insights');
const connectionString = 'InstrumentationKey=1;IngestionEndpoint=https://in.example.com/';

/** The SDK only reads connections; making them is an addition of this server. */
async function put(name: string, connection: object): Promise<number> {
  const { status } = await fetch(`${endpoint}/connections/${name}?api-version=v1`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', 'api-key': process.env.FOUNDRY_PROJECT_API_KEY ?? '' },
    body: JSON.stringify(connection),
  });
  return status;
}

beforeAll(async () => {
  const made = await Promise.all([
    put(search, {
      type: 'CognitiveSearch',
      target: 'https://mine.search.windows.net/',
      isDefault: true,
      metadata: { ApiType: 'Azure' },
      credentials: { type: 'ApiKey', key: 'a-key' },
    }),
    put(keys, {
      type: 'CustomKeys',
      target: 'https://mcp.example.com/',
      credentials: { type: 'CustomKeys', Authorization: 'Bearer abc', 'x-b': '2' },
    }),
    put(insights, {
      type: 'AppInsights',
      target: 'my-insights',
      isDefault: true,
      credentials: { type: 'ApiKey', key: connectionString },
    }),
  ]);
  expect(made).toEqual([201, 201, 201]);
});

afterAll(async () => {
  for (const name of [search, keys, insights]) {
    await fetch(`${endpoint}/connections/${name}?api-version=v1`, {
      method: 'DELETE',
      headers: { 'api-key': process.env.FOUNDRY_PROJECT_API_KEY ?? '' },
    });
  }
});

type ListOptions = Parameters<AIProjectClient['connections']['list']>[0];

test('connections are listed by type and as defaults, without their secrets', async () => {
  const names = async (options?: ListOptions) =>
    (await collect(project.connections.list(options))).map(({ name }) => name);
  expect(await names()).toEqual([search, keys, insights].sort());
  expect(await names({ connectionType: 'CustomKeys' })).toEqual([keys]);
  expect(await names({ defaultConnection: true })).toEqual([search, insights].sort());
  const listed = await collect(project.connections.list());
  expect(JSON.stringify(listed)).not.toMatch(/a-key|Bearer abc|InstrumentationKey/);
});

test('a connection is got without and with its credentials', async () => {
  const shown = await project.connections.get(search);
  expect(shown).toMatchObject({
    name: search,
    type: 'CognitiveSearch',
    target: 'https://mine.search.windows.net/',
    isDefault: true,
    credentials: { type: 'ApiKey', apiKey: undefined },
    metadata: { ApiType: 'Azure' },
  });
  expect(shown.id).toMatch(new RegExp(`^/subscriptions/.+/projects/e2e/connections/${search}$`));
  const whole = await project.connections.getWithCredentials(search);
  expect(whole).toEqual({ ...shown, credentials: { type: 'ApiKey', apiKey: 'a-key' } });
  const custom = await project.connections.get(keys, { includeCredentials: true });
  expect(custom.credentials).toEqual({
    type: 'CustomKeys',
    additionalProperties: { Authorization: 'Bearer abc', 'x-b': '2' },
  });
});

test('the default of a type, and a type without one', async () => {
  expect((await project.connections.getDefault('CognitiveSearch')).name).toBe(search);
  const whole = await project.connections.getDefault('CognitiveSearch', { includeCredentials: true });
  expect(whole.credentials).toEqual({ type: 'ApiKey', apiKey: 'a-key' });
  await expect(project.connections.getDefault('CustomKeys')).rejects.toThrow('No default connection found');
});

test('the connection string of Application Insights comes from the default connection', async () => {
  expect(await project.telemetry.getApplicationInsightsConnectionString()).toBe(connectionString);
});

test('an unknown connection is 404', async () => {
  const unknown = { statusCode: 404, code: 'not_found' };
  await expect(project.connections.get('nobody')).rejects.toMatchObject(unknown);
  await expect(project.connections.getWithCredentials('nobody')).rejects.toMatchObject(unknown);
});
