import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Deployment } from '../../providers/models/model.ts';
import { scriptedGateway, scriptedModel } from '../testing/scripted-model.ts';
import { type TestApp, testApp } from '../testing/test-app.ts';
import { deploymentsFamily } from './index.ts';

const { provider } = scriptedModel();
const entry = (deployment: Partial<Deployment>) => ({ provider, deployment });

let app: TestApp;
beforeEach(async () => {
  app = await testApp(
    deploymentsFamily(
      scriptedGateway({
        zeta: entry({ modelName: 'gpt-4o', modelVersion: '2024-08-06', modelPublisher: 'OpenAI' }),
        'org/model:8b': entry({ modelPublisher: 'Meta', connectionName: 'my-connection' }),
        claude: entry({ provider: 'anthropic', modelPublisher: 'Anthropic' }),
      }),
    ),
  );
});
afterEach(() => app.close());

const names = (json: Record<string, unknown>): unknown[] =>
  (json.value as { name: string }[]).map(({ name }) => name);

/** What the client does with a `nextLink`: it follows it verbatim. */
const follow = (link: unknown) => app.call('GET', String(link).replace(/^.*\/api\/projects\/default/, ''));

test('a deployment is shown in the form that the SDK reads', async () => {
  const { status, json } = await app.call('GET', '/deployments/zeta');
  expect(status).toBe(200);
  expect(json).toEqual({
    type: 'ModelDeployment',
    name: 'zeta',
    modelName: 'gpt-4o',
    modelVersion: '2024-08-06',
    modelPublisher: 'OpenAI',
    capabilities: { chat_completion: 'true' },
    sku: { name: 'Standard', capacity: 1, family: 'openai-compatible', size: '', tier: 'Standard' },
  });
});

test('a name with a slash and a colon arrives percent-encoded', async () => {
  const { json } = await app.call('GET', '/deployments/org%2Fmodel%3A8b');
  expect(json).toMatchObject({ name: 'org/model:8b', connectionName: 'my-connection' });
});

test('an unknown name is 404 and names the parameter', async () => {
  const { status, json } = await app.call('GET', '/deployments/nobody');
  expect(status).toBe(404);
  expect(json.error).toMatchObject({ code: 'DeploymentNotFound', target: 'name' });
});

test('lists all deployments on one page, sorted by name', async () => {
  const { status, json } = await app.call('GET', '/deployments');
  expect(status).toBe(200);
  expect(names(json)).toEqual(['claude', 'org/model:8b', 'zeta']);
  expect(json).not.toHaveProperty('nextLink');
});

test.each([
  ['modelPublisher=Anthropic', ['claude']],
  ['modelName=gpt-4o', ['zeta']],
  ['modelName=gpt-4o&modelPublisher=Anthropic', []],
  ['modelPublisher=Nobody', []],
  ['deploymentType=ModelDeployment', ['claude', 'org/model:8b', 'zeta']],
  ['skip=1', ['org/model:8b', 'zeta']],
  ['skip=1&top=1', ['org/model:8b']],
  ['top=0', []],
])('?%s lists %j', async (query, expected) => {
  const { json } = await app.call('GET', `/deployments?${query}`);
  expect(names(json)).toEqual(expected);
});

test('pages of a size the client asks for, by links that keep its other parameters', async () => {
  const seen: unknown[] = [];
  let page = await app.call('GET', '/deployments?maxpagesize=1&skip=1&deploymentType=ModelDeployment');
  for (let i = 0; i < 5; i++) {
    seen.push(...names(page.json));
    const { nextLink } = page.json;
    if (nextLink === undefined) break;
    expect(nextLink).toMatch(
      /^http:\/\/.*maxpagesize=1&skip=1&deploymentType=ModelDeployment&api-version=v1/,
    );
    page = await follow(nextLink);
  }
  expect(seen).toEqual(['org/model:8b', 'zeta']);
});

test('more than a page of deployments is split', async () => {
  const many = Object.fromEntries(Array.from({ length: 150 }, (_, i) => [`model-${i}`, provider]));
  const crowded = await testApp(deploymentsFamily(scriptedGateway(many)));
  const { json } = await crowded.call('GET', '/deployments');
  expect(names(json)).toHaveLength(100);
  expect(json.nextLink).toContain('skipToken=');
  await crowded.close();
});

test.each([
  ['deploymentType=Other', 'deploymentType'],
  ['top=-1', 'top'],
  ['maxpagesize=none', 'maxpagesize'],
  ['skipToken=*', 'skipToken'],
])('?%s is refused by name', async (query, target) => {
  const { status, json } = await app.call('GET', `/deployments?${query}`);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: 'invalid_parameter', target });
});

test('needs an api-version, as native routes do', async () => {
  const { status, json } = await app.call('GET', '/deployments?api-version=');
  expect(status).toBe(400);
  expect(json.error?.code).toBe('BadRequest');
});
