/** The testing kit, as tests use it: a server of their own, and a project for each. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { AIProjectClient } from '@azure/ai-projects';
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, vi } from 'vitest';
import { clientEnvironment } from '../../src/cli/client-environment.ts';
import { type Server, type StartedServer, serverAt, startServer } from '../../src/testing/index.ts';
import { test as kitTest } from '../../src/testing/vitest.ts';

let started: StartedServer;
beforeAll(async () => {
  started = await startServer();
});
afterAll(() => started.stop());

/** The kit's own `test`, on that server. */
const test = kitTest.extend('server', { scope: 'worker' }, async (): Promise<Server> => started);

const said = async (openai: OpenAI, input = 'Hi'): Promise<string> =>
  (await openai.responses.create({ model: 'builtin', input })).output_text;
const clientOf = (project: { endpoint: string; key: string }): OpenAI =>
  new OpenAI({
    baseURL: `${project.endpoint}/openai/v1`,
    apiKey: project.key,
    maxRetries: 0,
    logLevel: 'off',
  });
const names = async (pages: AsyncIterable<{ name: string }>): Promise<string[]> =>
  (await Array.fromAsync(pages)).map(({ name }) => name);

test('the variables are all that `bloomery env` has', ({ server }) => {
  const url = '';
  const full = clientEnvironment(
    {
      ...{ endpoint: url, identityEndpoint: url, identityHeader: url, apiKey: 'key' },
      ...{ caFile: url, caBundleFile: url, deployments: [] },
    },
    null,
  );
  expect(Object.keys(server.environment)).toEqual([...Object.keys(full), 'NO_PROXY', 'no_proxy']);
});

test('the official clients reach a project over TLS, by key and by token', async ({ project }) => {
  expect(project.endpoint).toMatch(/^https:/);
  const foundry = new AIProjectClient(project.endpoint, project.credential);
  await foundry.agents.createVersion('greeter', { kind: 'prompt', model: 'builtin', instructions: '' });
  expect(await names(foundry.agents.list())).toEqual(['greeter']);
  expect(await said(clientOf(project), 'Say exactly: hello')).toBe('hello');
});

test('each test has an empty project, which is gone when it ends', async ({ project, server }) => {
  expect(await names(project.client.agents.list.all())).toEqual([]);
  const mine = new Set((await server.client.projects.list()).value.map(({ name }) => name));
  expect([...mine].filter((name) => name.startsWith('test-'))).toEqual([project.name]);
});

test('a fork has what its origin has, and reset brings it back', async ({ project }) => {
  const agent = (name: string) => ({
    params: { agent_name: name },
    body: { definition: { kind: 'prompt' as const, model: 'builtin', instructions: '' } },
  });
  await project.client.agents.createVersion(agent('seeded'));
  await using fork = await project.fork('a-fork');
  expect(fork.name).toBe('a-fork');
  await fork.client.agents.createVersion(agent('own'));
  expect((await names(fork.client.agents.list.all())).sort()).toEqual(['own', 'seeded']);
  expect(await names(project.client.agents.list.all())).toEqual(['seeded']);
  await fork.faults([{ fault: 'status', status: 500 }]);
  await fork.scenarios([{ reply: { text: 'scripted' } }]);
  await fork.reset();
  expect(await names(fork.client.agents.list.all())).toEqual(['seeded']);
  expect(await said(clientOf(fork), 'Say exactly: clean')).toBe('clean');
});

test('faults strike one project only, in the place of those before, until they end', async ({
  project,
  server,
}) => {
  await using other = await server.project();
  await project.faults([
    { fault: 'status', status: 429, when: { nth: 1 } },
    { name: 'down', fault: 'status', status: 503 },
  ]);
  await expect(said(clientOf(project))).rejects.toMatchObject({ status: 429 });
  await expect(said(clientOf(project))).rejects.toMatchObject({ status: 503 });
  await said(clientOf(other));
  expect(await project.struck()).toMatchObject([
    { rule: 'status-1', fault: 'status', operation: 'POST /openai/v1/responses' },
    { rule: 'down' },
  ]);
  await project.faults([{ fault: 'status', status: 404 }], { seed: 7 });
  await expect(said(clientOf(project))).rejects.toMatchObject({ status: 404 });
  await project.faults([]);
  await said(clientOf(project));
  const { value } = await server.client.faultPlans.list();
  expect(value).toEqual([]);
});

test('scenarios script one project only', async ({ project, server }) => {
  await using other = await server.project();
  await project.scenarios([{ when: { input: 'order' }, reply: { text: 'on its way' } }]);
  expect(await said(clientOf(project), 'My order?')).toBe('on its way');
  expect(await said(clientOf(other), 'My order?')).not.toBe('on its way');
  await project.scenarios([]);
  expect(await said(clientOf(project), 'My order?')).not.toBe('on its way');
});

test('the environment is that of the project', async ({ environment, project }) => {
  expect(process.env.OPENAI_BASE_URL).toBe(`${project.endpoint}/openai/v1`);
  expect(environment).toEqual(project.environment);
  expect(await said(new OpenAI(), 'Say exactly: found')).toBe('found');
});

test('and that of before when the test has ended', () => {
  expect(process.env.OPENAI_BASE_URL).toBeUndefined();
});

test('a server that runs already is reached by its variables', async () => {
  await using project = await serverAt(started.environment).project();
  await project.client.agents.list();
  await project.delete();
});

test('a configuration is the server’s, and stop leaves nothing', async () => {
  const server = await startServer({ config: { projects: ['mine'], createProjectsOnUse: false } });
  const { endpoint, environment } = server;
  expect(endpoint).toMatch(/\/mine$/);
  const authority = environment.NODE_EXTRA_CA_CERTS;
  expect(existsSync(authority)).toBe(true);
  await Promise.all([server.stop(), server.stop()]);
  expect(existsSync(dirname(dirname(authority)))).toBe(false);
  await expect(fetch(endpoint)).rejects.toThrow();
});

kitTest.extend('serverOptions', { scope: 'worker' }, async () => ({ config: { projects: ['own'] } }))(
  'a worker may have a server of its own',
  ({ server }) => {
    expect(server.endpoint).toMatch(/\/own$/);
  },
);

test('a server that can’t start says why', async () => {
  await expect(startServer({ config: { projecs: [] } })).rejects.toThrow(
    /ended with exit code 3(.*\n)+.*projecs: unknown key/,
  );
  await expect(startServer({ readyMs: 1 })).rejects.toThrow('was not ready within 0.001 s');
});

const kit = new URL('../../src/testing/index.ts', import.meta.url).href;

test('the server ends with the process that started it, though that one is killed', async () => {
  const program = `import { startServer } from '${kit}';
    const { environment } = await startServer();
    process.stdout.write(environment.NODE_EXTRA_CA_CERTS + '\\n');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', program], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [authority] = (await once(createInterface({ input: child.stdout }), 'line')) as [string];
  expect(existsSync(authority)).toBe(true);
  child.kill('SIGKILL');
  await vi.waitFor(() => expect(existsSync(dirname(dirname(authority)))).toBe(false), {
    timeout: 25_000,
    interval: 100,
  });
});
