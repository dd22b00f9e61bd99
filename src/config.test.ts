import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { ConfigError, loadConfig } from './config.ts';
import { ConfigFile } from './config-schema.ts';

const directory = mkdtempSync(join(tmpdir(), 'bloomery-config-'));
const file = join(directory, 'bloomery.yaml');
afterAll(() => rmSync(directory, { recursive: true }));

function load(text: string, environment: NodeJS.ProcessEnv = {}) {
  writeFileSync(file, text);
  return loadConfig({ file, environment });
}

function faults(text: string, environment: NodeJS.ProcessEnv = {}): string {
  try {
    load(text, environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.message.replaceAll(`${file}:`, '');
    throw error;
  }
  return expect.fail('the file was accepted');
}

test('without a file there are defaults', () => {
  expect(loadConfig({ file: null, environment: {} })).toEqual({
    projects: ['default'],
    deployments: [],
    discovery: true,
    scenarios: [],
    tlsNames: [],
    limits: {
      bodyBytes: 33554432,
      concurrentRequests: 1000,
      conversationLeaseSeconds: 60,
      drainSeconds: 10,
      contextItems: 10000,
      conversationWaitSeconds: 0,
      backgroundConcurrency: 16,
      backgroundQueue: 1000,
      eventLogDays: 30,
    },
  });
  const options = { file: null, environment: {}, project: 'mine', discovery: false };
  expect(loadConfig(options)).toMatchObject({ projects: ['mine'], discovery: false });
});

test('a full file', () => {
  writeFileSync(join(directory, 'key'), 'from-file\n');
  writeFileSync(join(directory, 'a.yaml'), '');
  const config = load(
    `projects: [a, b]
deployments:
  - name: gpt
    provider: azure-openai
    model: my-gpt
    baseUrl: https://res.openai.azure.com/
    apiKey: { env: KEY }
    apiVersion: 2024-10-21
    timeoutSeconds: 30
  - { name: claude-x, provider: anthropic, apiKey: { file: key } }
  - { name: stand-in, provider: builtin }
discovery: false
scenarios: [a.yaml]
tlsNames: [box.local, 10.0.0.1]
limits: { bodyBytes: 2048 }
`,
    { KEY: ' from-environment ' },
  );
  expect(config.deployments).toMatchObject([
    {
      name: 'gpt',
      model: 'my-gpt',
      baseUrl: 'https://res.openai.azure.com',
      apiKey: 'from-environment',
      timeoutSeconds: 30,
    },
    { name: 'claude-x', model: 'claude-x', apiKey: 'from-file', baseUrl: null, timeoutSeconds: 120 },
    { name: 'stand-in', model: 'builtin' },
  ]);
  expect(config.scenarios).toEqual([join(directory, 'a.yaml')]);
  expect(config.limits).toMatchObject({ bodyBytes: 2048, contextItems: 10000 });
  expect(loadConfig({ file, environment: { KEY: 'k' }, project: 'b' }).projects).toEqual(['b', 'a']);
});

test('an empty file, and keys whose entries are commented out', () => {
  expect(load('').projects).toEqual(['default']);
  expect(load('deployments:\n  # - name: x\nlimits:\n').deployments).toEqual([]);
});

describe('faults say where and what', () => {
  const deployment = (rest: string) =>
    `deployments:\n  - name: x\n    provider: openai-compatible\n    baseUrl: http://a/v1\n${rest}`;
  test.each([
    [
      'deployments:\n  - name: x\n    provider: foo\n',
      '3:15: deployments[0].provider: must be one of builtin, openai-compatible, azure-openai, anthropic',
    ],
    ['colour: red\n', '1:1: colour: unknown key; known here are projects, deployments, discovery'],
    [deployment('    colour: red\n'), '5:5: deployments[0].colour: unknown key; known here are name,'],
    [deployment('    apiKey: sk-very-secret\n'), '5:13: deployments[0].apiKey: must not be the key itself'],
    [
      deployment('    apiKey: { env: NOT_SET }\n'),
      '5:20: deployments[0].apiKey.env: the environment variable NOT_SET is not set',
    ],
    [deployment('    apiKey: { file: nothing }\n'), '5:21: deployments[0].apiKey.file: cannot be read'],
    [
      deployment('    apiVersion: v1\n'),
      "5:17: deployments[0].apiVersion: has no meaning for provider 'openai-compatible'",
    ],
    [
      'deployments:\n  - name: x\n    provider: anthropic\n',
      "2:5: deployments[0]: the key 'apiKey' is missing; provider 'anthropic' needs it",
    ],
    ['deployments:\n  - provider: builtin\n', "2:5: deployments[0]: the key 'name' is missing"],
    [
      'deployments:\n  - { name: x, provider: builtin }\n  - { name: x, provider: builtin }\n',
      "3:13: deployments[1].name: another deployment is already named 'x'",
    ],
    ['limits:\n  bodyBytes: big\n', '2:14: limits.bodyBytes: must be a whole number'],
    ['limits:\n  bodyBytes: 1\n', '2:14: limits.bodyBytes: must be >= 1024'],
    ['projects: [_project]\n', '1:12: projects[0]: must be a name of letters'],
    ['projects: []\n', '1:11: projects: must have at least one entry'],
    ['scenarios: [nothing.yaml]\n', '1:13: scenarios[0]: there is no file'],
    ['discovery: "yes"\n', '1:12: discovery: must be true or false'],
    ['- a\n', '1:1: must be a map with the keys projects'],
    ['projects: [a\n', '2:1: '],
    ['discovery: true\ndiscovery: false\n', '2:1: Map keys must be unique'],
  ])('%j', (text, expected) => {
    const told = faults(text);
    expect(told.slice(0, expected.length)).toBe(expected);
    expect(told).not.toContain('sk-very-secret');
  });

  test('several at once, each on its line', () => {
    expect(faults('discovery: 1\nprojects: 2\n').split('\n')).toHaveLength(2);
  });

  test('a missing file, and a bad project on the command line', () => {
    expect(() => loadConfig({ file: '/nowhere.yaml', environment: {} })).toThrow(
      '/nowhere.yaml: cannot be read: no such file',
    );
    expect(() => loadConfig({ file: null, environment: {}, project: 'a/b' })).toThrow(
      "--project: 'a/b' is not a project name",
    );
  });
});

test('the guide documents every key with its default', () => {
  const guide = readFileSync(new URL('../docs/guide/configuration.md', import.meta.url), 'utf8');
  const { deployments, limits, ...top } = ConfigFile.properties;
  const keys = { deployments, limits, ...top, ...deployments.items.properties, ...limits.properties };
  for (const [key, schema] of Object.entries(keys)) {
    const row = guide.split('\n').find((line) => line.startsWith(`| \`${key}\``));
    expect(row, key).toBeDefined();
    const fallback = (schema as { default?: unknown }).default;
    if (fallback !== undefined) expect(row).toContain(`\`${JSON.stringify(fallback)}\``);
  }
});
