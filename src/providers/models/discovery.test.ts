import { afterEach, expect, test } from 'vitest';
import { discoverDeployments, ollamaAddress } from './discovery.ts';
import { isOurselves } from './local-server.ts';
import {
  type Answer,
  type FakeUpstream,
  fakeUpstream,
  recordedLog,
  status,
} from './testing/fake-upstream.ts';

const running: FakeUpstream[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.close()));
});

async function serve(answer: Answer): Promise<FakeUpstream> {
  const server = await fakeUpstream(answer);
  running.push(server);
  return server;
}

const nowhere = 'http://127.0.0.1:1';
const list = (...ids: string[]) => ({ object: 'list', data: ids.map((id) => ({ id, object: 'model' })) });

async function discover(rest: Partial<Parameters<typeof discoverDeployments>[0]>) {
  const log = recordedLog();
  const found = await discoverDeployments({ environment: {}, log, servers: [], ollama: nowhere, ...rest });
  return { found, names: found.map((deployment) => deployment.name), log };
}

test('finds Ollama and OpenAI-compatible servers, and keeps their names', async () => {
  const ollama = await serve(status(200, { models: [{ name: 'llama3.1:8b' }, { name: 'bad name' }, {}] }));
  const vllm = await serve(status(200, list('org/model')));
  const { found, names } = await discover({
    environment: { OLLAMA_HOST: `127.0.0.1:${ollama.port}` },
    servers: [{ name: 'vLLM', baseUrl: `${vllm.url}/v1` }],
  });
  expect(names).toEqual(['llama3.1:8b', 'org/model']);
  expect(found[0]).toMatchObject({
    provider: 'openai-compatible',
    baseUrl: `${ollama.url}/v1`,
    apiKey: null,
  });
});

test('whatever else listens there is left alone', async () => {
  const servers = await Promise.all(
    [
      status(200, '<html>'),
      status(200, { data: [{ id: 'no-list' }] }),
      status(500, list('broken')),
      status(302, '', { location: '/elsewhere' }),
      status(200, JSON.stringify(list('big')) + ' '.repeat(2 * 1024 * 1024)),
      () => {},
    ].map(serve),
  );
  const started = performance.now();
  const { names } = await discover({
    servers: servers.map(({ url }) => ({ name: 'x', baseUrl: `${url}/v1` })),
  });
  expect(names).toEqual([]);
  expect(performance.now() - started).toBeLessThan(600);
});

test('at most 64 models of a server', async () => {
  const many = await serve(status(200, list(...Array.from({ length: 100 }, (_, at) => `m${at}`))));
  const { names } = await discover({ servers: [{ name: 'x', baseUrl: `${many.url}/v1` }] });
  expect(names).toHaveLength(64);
});

test('keys in the environment offer named models without a call', async () => {
  const { found } = await discover({
    environment: {
      OPENAI_API_KEY: 'k1',
      OPENAI_MODEL: 'gpt-a, gpt-b',
      AZURE_OPENAI_ENDPOINT: 'https://res.openai.azure.com/',
      AZURE_OPENAI_API_KEY: 'k2',
      AZURE_OPENAI_DEPLOYMENT: 'mine',
      OPENAI_API_VERSION: '2024-10-21',
      ANTHROPIC_API_KEY: 'k3',
    },
  });
  expect(found.map((one) => `${one.provider} ${one.name} ${one.baseUrl} ${one.apiKey}`).slice(0, 4)).toEqual([
    'openai-compatible gpt-a https://api.openai.com/v1 k1',
    'openai-compatible gpt-b https://api.openai.com/v1 k1',
    'azure-openai mine https://res.openai.azure.com k2',
    expect.stringMatching(/^anthropic claude-\S+ https:\/\/api\.anthropic\.com\/v1 k3$/),
  ]);
  expect(found[2]?.apiVersion).toBe('2024-10-21');
});

test('never discovers itself', async () => {
  const self = await serve(status(200, list('me')));
  const { names } = await discover({
    ownPort: self.port,
    environment: {
      OPENAI_API_KEY: 'k',
      OPENAI_BASE_URL: `http://localhost:${self.port}/v1`,
      OLLAMA_HOST: self.url,
    },
    servers: [{ name: 'x', baseUrl: `${self.url}/v1` }],
  });
  expect(names).toEqual([]);
  expect(self.requests).toEqual([]);
  expect(isOurselves('https://localhost:8600/api/projects/default/openai/v1', 1)).toBe(true);
  expect(isOurselves('https://example.com:8600/v1', 8600)).toBe(false);
});

test('a local OPENAI_BASE_URL is asked for its models; a remote one needs OPENAI_MODEL', async () => {
  const local = await serve(status(200, list('local-model')));
  const key = { OPENAI_API_KEY: 'k' };
  expect((await discover({ environment: { ...key, OPENAI_BASE_URL: `${local.url}/v1` } })).names).toEqual([
    'local-model',
  ]);
  expect(local.requests[0]?.headers.authorization).toBe('Bearer k');
  const remote = await discover({ environment: { ...key, OPENAI_BASE_URL: 'https://example.com/v1' } });
  expect(remote.names).toEqual([]);
  expect(remote.log.lines.join()).toContain('OPENAI_MODEL');
});

test.each([
  ['0.0.0.0', 'http://127.0.0.1:11434'],
  ['box', 'http://box:11434'],
  ['https://box/ollama/', 'https://box/ollama'],
  ['http://box:80', 'http://box'],
  ['', null],
])('OLLAMA_HOST=%s', (host, address) => {
  expect(ollamaAddress(host)).toBe(address);
});
