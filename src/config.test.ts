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

const unlimited = { requestsPerMinute: null, tokensPerMinute: null, concurrency: null };

test('without a file there are defaults', () => {
  expect(loadConfig({ file: null, environment: {} })).toEqual({
    projects: ['default'],
    createProjectsOnUse: null,
    deployments: [],
    connections: [],
    discovery: true,
    scenarios: [],
    tlsNames: [],
    telemetry: null,
    codeInterpreter: {
      memoryMegabytes: 512,
      timeoutSeconds: 60,
      outputBytes: 262144,
      idleMinutes: 5,
      warm: 0,
    },
    webSearch: null,
    roles: [],
    audit: { reads: false, megabytes: 64, files: 10 },
    blobs: { account: null, sasMinutes: 1440, abandonedHours: 168 },
    outbound: { allow: [], hosts: {} },
    documents: { concurrency: 2, memoryMegabytes: 512, timeoutSeconds: 60 },
    vectorStores: {
      embeddings: 'builtin',
      rewriteModel: null,
      searchMegabytes: 256,
      concurrency: 2,
      files: 10_000,
      attemptSeconds: 600,
    },
    identity: { local: [], entra: null, roleAssignments: [], rememberedTokens: 10_000 },
    rateLimits: {
      regionRequestsPerMinute: null,
      previewRequestsPerMinute: null,
      project: unlimited,
      projects: {},
      key: unlimited,
      waitSeconds: 60,
    },
    limits: {
      concurrentStreams: 1000,
      webSockets: 500,
      projectSharePercent: 80,
      streamSeconds: 3600,
      diskFreeBytes: 268_435_456,
      agents: 10_000,
      agentVersions: 10_000,
      projectFiles: 100_000,
      projectFilesBytes: 107_374_182_400,
      uploads: 1000,
      projectVectorStores: 10_000,
      assets: 100_000,
      projectConnections: 1000,
      conversationItems: 20_000,
      conversations: 1_000_000,
      storedResponses: 10_000_000,
      storedCompletions: 10_000_000,
      containers: 10_000,
      bodyBytes: 33554432,
      fileBytes: 536870912,
      uploadBytes: 8589934592,
      uploadPartBytes: 67108864,
      inputFileBytes: 33554432,
      bodyIdleSeconds: 60,
      inputFetchSeconds: 30,
      concurrentRequests: 1000,
      conversationLeaseSeconds: 60,
      drainSeconds: 10,
      contextItems: 10000,
      conversationWaitSeconds: 0,
      backgroundConcurrency: 16,
      backgroundQueue: 1000,
      eventLogDays: 30,
      keptAnswers: 100_000,
      keptAnswerHours: 24,
      keptAnswerBytes: 1_048_576,
      projects: 1000,
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

test('a model file is found beside the configuration, and called by its name', () => {
  writeFileSync(join(directory, 'Some-Model.Q4.gguf'), '');
  const { deployments } = load(
    `deployments:
  - { name: a, provider: gguf, model: Some-Model.Q4.gguf }
  - { name: b, provider: gguf, model: Some-Model.Q4.gguf, contextTokens: 4096, parallel: 2, queue: 0, threads: 3 }
`,
  );
  const file = join(directory, 'Some-Model.Q4.gguf');
  expect(deployments).toMatchObject([
    {
      model: 'Some-Model.Q4',
      gguf: { file, contextTokens: null, parallel: 1, queue: 32, threads: null },
    },
    { gguf: { file, contextTokens: 4096, parallel: 2, queue: 0, threads: 3 } },
  ]);
});

test('bounds of the code interpreter', () => {
  const { codeInterpreter } = load('codeInterpreter: { timeoutSeconds: 5, warm: 1 }\n');
  expect(codeInterpreter).toMatchObject({ timeoutSeconds: 5, warm: 1, memoryMegabytes: 512 });
  expect(() => load('codeInterpreter: { warm: 2 }\n')).toThrow('codeInterpreter.warm');
});

test('what vector stores are searched by can be named, or left to the words', () => {
  expect(load('vectorStores: { embeddings: bge, concurrency: 4 }\n').vectorStores).toMatchObject({
    embeddings: 'bge',
    concurrency: 4,
    files: 10_000,
  });
  expect(load('vectorStores: { rewriteModel: phi, searchMegabytes: 1024 }\n').vectorStores).toMatchObject({
    embeddings: 'builtin',
    rewriteModel: 'phi',
    searchMegabytes: 1024,
  });
  expect(load('vectorStores: { embeddings: none }\n').vectorStores.embeddings).toBeNull();
  expect(() => load('vectorStores: { files: 0 }\n')).toThrow('vectorStores.files');
});

test('roles of ones own say what they allow, and what is kept of the audit log is bounded', () => {
  const action = 'Microsoft.CognitiveServices/accounts/AIServices/agents/*';
  const { roles, audit } = load(
    `roles: [{ name: Agent builder, dataActions: ['${action}'] }]\naudit: { reads: true, files: 3 }\n`,
  );
  expect(roles).toEqual([{ name: 'Agent builder', actions: [], dataActions: [action], notDataActions: [] }]);
  expect(audit).toEqual({ reads: true, megabytes: 64, files: 3 });
  expect(faults("roles: [{ name: a, dataActions: ['a/*/*/*/*/*'] }]\n")).toContain('with at most four `*`');
  expect(faults("roles: [{ name: a, dataActions: ['a b'] }]\n")).toContain('roles[0].dataActions[0]');
  expect(faults('audit: { files: 1 }\n')).toContain('audit.files');
});

test('what reading documents may cost can be moved', () => {
  expect(load('documents: { concurrency: 4, timeoutSeconds: 300 }\n').documents).toEqual({
    concurrency: 4,
    memoryMegabytes: 512,
    timeoutSeconds: 300,
  });
  expect(() => load('documents: { memoryMegabytes: 100 }\n')).toThrow('documents.memoryMegabytes');
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
      '3:15: deployments[0].provider: must be one of builtin, openai-compatible, azure-openai, anthropic, gguf',
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
      'deployments:\n  - { name: x, provider: gguf }\n',
      "2:5: deployments[0]: the key 'model' is missing; provider 'gguf' needs it",
    ],
    [
      'deployments:\n  - { name: x, provider: gguf, model: nothing.gguf }\n',
      '2:39: deployments[0].model: there is no file',
    ],
    [
      'deployments:\n  - { name: x, provider: builtin, parallel: 2 }\n',
      "2:45: deployments[0].parallel: has no meaning for provider 'builtin'",
    ],
    [
      'deployments:\n  - { name: x, provider: builtin }\n  - { name: x, provider: builtin }\n',
      "3:13: deployments[1].name: another deployment is already named 'x'",
    ],
    ['limits:\n  bodyBytes: big\n', '2:14: limits.bodyBytes: must be a whole number'],
    ['limits:\n  bodyBytes: 1\n', '2:14: limits.bodyBytes: must be >= 1024'],
    ['projects: [_project]\n', '1:12: projects[0]: must be a name of letters'],
    ['projects: []\n', '1:11: projects: must have at least one entry'],
    ['scenarios: [nothing.yaml]\n', '1:13: scenarios[0]: there is no file'],
    [
      'telemetry: { endpoint: "http://a", headers: x=sk-very-secret }\n',
      '1:45: telemetry.headers: must not be the list of headers itself',
    ],
    ['telemetry: { headers: { env: H } }\n', '1:30: telemetry.headers.env: the environment variable H'],
    ['telemetry: { endpoint: localhost:4318 }\n', '1:24: telemetry.endpoint: must be an http or https URL'],
    [
      'webSearch: { provider: google }\n',
      '1:24: webSearch.provider: must be one of searxng, brave, tavily, file',
    ],
    [
      'webSearch: { provider: searxng }\n',
      "1:12: webSearch: the key 'baseUrl' is missing; provider 'searxng' needs it",
    ],
    [
      'webSearch: { provider: brave }\n',
      "1:12: webSearch: the key 'apiKey' is missing; provider 'brave' needs it",
    ],
    [
      'webSearch: { provider: tavily, apiKey: sk-very-secret }\n',
      '1:40: webSearch.apiKey: must not be the key',
    ],
    [
      'blobs: { account: acc, key: c2VjcmV0LWtleS1vZi0xNi1ieXRlcw== }\n',
      '1:29: blobs.key: must not be the key itself',
    ],
    ['blobs: { account: acc }\n', "1:19: blobs.account: the key 'key' is missing; an account needs it"],
    [
      'blobs: { endpoint: "http://a/acc" }\n',
      "1:20: blobs.endpoint: has no meaning without the key 'account'",
    ],
    ['blobs: { account: Acc }\n', '1:19: blobs.account: must be the name of a storage account'],
    [
      'blobs: { sasMinutes: 120, abandonedHours: 1 }\n',
      '1:43: blobs.abandonedHours: must not be shorter than the 120 minutes of sasMinutes',
    ],
    ['webSearch: { provider: file, path: none.json }\n', '1:36: webSearch.path: there is no file'],
    [
      'webSearch: { provider: file, path: key, baseUrl: "http://a" }\n',
      "1:50: webSearch.baseUrl: has no meaning for provider 'file'",
    ],
    ['outbound: { allow: [10.0.0.0/33] }\n', "1:21: outbound.allow[0]: '10.0.0.0/33' is no network"],
    ['outbound: { allow: [a/b] }\n', "1:21: outbound.allow[0]: 'a/b' is no network"],
    ['outbound: { allow: ["http://a"] }\n', "1:21: outbound.allow[0]: 'http://a' is no"],
    [
      'outbound: { allow: ["a:80"] }\n',
      "1:21: outbound.allow[0]: 'a:80' is no host name, address or network",
    ],
    ['outbound: { deny: [] }\n', '1:13: outbound.deny: unknown key'],
    ['outbound: { hosts: { a: "ftp://b" } }\n', '1:25: outbound.hosts.a: must be an origin'],
    ['outbound: { hosts: { a: "http://b/c" } }\n', '1:25: outbound.hosts.a: must be an origin'],
    ['telemetry: { protocol: grpc }\n', '1:24: telemetry.protocol: must be one of http/protobuf, http/json'],
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

test('what tools may reach', () => {
  const allow = ['mcp.internal', '169.254.7.7', '10.0.0.0/8', 'fd00::/8', '::1'];
  expect(load(`outbound: { allow: ${JSON.stringify(allow)} }\n`).outbound).toEqual({ allow, hosts: {} });
});

describe('telemetry', () => {
  const settings = { content: false, queueBytes: 16777216, flushSeconds: 3 };

  test('is what the file says, and headers of the environment stay away from the file’s endpoint', () => {
    writeFileSync(join(directory, 'headers'), 'authorization=Basic%20YQ==, x-a=1,\n');
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://elsewhere:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-secret=1',
      OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json',
      OTEL_SERVICE_NAME: 'mine',
      OTEL_RESOURCE_ATTRIBUTES: 'service.name=theirs,team=a%2Cb',
    };
    expect(
      load('telemetry: { endpoint: "http://box:4318/", headers: { file: headers } }\n', environment)
        .telemetry,
    ).toEqual({
      ...settings,
      url: 'http://box:4318/v1/traces',
      protocol: 'http/protobuf',
      headers: { authorization: 'Basic YQ==', 'x-a': '1' },
      resource: { 'service.name': 'mine', team: 'a,b' },
    });
    const whole = 'telemetry: { endpoint: https://box/x/v1/traces, protocol: http/json, content: true }\n';
    expect(load(whole).telemetry).toEqual({
      ...settings,
      content: true,
      url: 'https://box/x/v1/traces',
      protocol: 'http/json',
      headers: {},
      resource: { 'service.name': 'bloomery' },
    });
  });

  test('is what OpenTelemetry’s variables say, those for traces first', () => {
    const environment = {
      OTEL_EXPORTER_OTLP_ENDPOINT: 'http://box:4318',
      OTEL_EXPORTER_OTLP_HEADERS: 'x-secret=1',
    };
    expect(load('telemetry: { content: true }\n', environment).telemetry).toEqual({
      ...settings,
      content: true,
      url: 'http://box:4318/v1/traces',
      protocol: 'http/protobuf',
      headers: { 'x-secret': '1' },
      resource: { 'service.name': 'bloomery' },
    });
    const forTraces = {
      OTEL_EXPORTER_OTLP_TRACES_ENDPOINT: 'http://traces/whole',
      OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-other=2',
      OTEL_EXPORTER_OTLP_TRACES_PROTOCOL: 'http/json',
    };
    expect(load('', { ...environment, ...forTraces }).telemetry).toMatchObject({
      url: 'http://traces/whole',
      protocol: 'http/json',
      headers: { 'x-other': '2' },
    });
  });

  test('has no headers without an endpoint of its own', () => {
    expect(faults('telemetry: { headers: { env: H } }\n', { H: 'a=b' })).toBe(
      "1:23: telemetry.headers: needs an 'endpoint' beside it; headers go nowhere else",
    );
  });

  test('is off without an endpoint, and where the environment says so', () => {
    expect(load('telemetry: { content: true }\n').telemetry).toBeNull();
    const on = 'telemetry: { endpoint: http://box:4318 }\n';
    expect(load(on, { OTEL_SDK_DISABLED: 'TRUE' }).telemetry).toBeNull();
    expect(load(on, { OTEL_TRACES_EXPORTER: 'none' }).telemetry).toBeNull();
    expect(load(on, { OTEL_SDK_DISABLED: 'false' }).telemetry).not.toBeNull();
  });

  test.each([
    [
      { OTEL_EXPORTER_OTLP_ENDPOINT: 'box:4318' },
      'OTEL_EXPORTER_OTLP_ENDPOINT: must be an http or https URL',
    ],
    [{ OTEL_EXPORTER_OTLP_HEADERS: 'sk-very-secret' }, 'OTEL_EXPORTER_OTLP_HEADERS: must hold'],
    [
      { OTEL_EXPORTER_OTLP_HEADERS: 'a=sk-very-secret%0d%0a' },
      'OTEL_EXPORTER_OTLP_HEADERS: must hold headers',
    ],
    [
      { OTEL_EXPORTER_OTLP_PROTOCOL: 'udp' },
      'OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf or http/json',
    ],
    [{ OTEL_RESOURCE_ATTRIBUTES: 'a=%' }, 'OTEL_RESOURCE_ATTRIBUTES: must hold'],
  ])('refuses %j', (environment, expected) => {
    const told = faults('', { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://box:4318', ...environment });
    expect(told.slice(0, expected.length)).toBe(expected);
    expect(told).not.toContain('sk-very-secret');
  });
});

describe('connections', () => {
  const entry = (rest: string) =>
    `connections:\n  - name: search\n    type: CognitiveSearch\n    target: https://search\n${rest}`;

  test('have their secrets from elsewhere', () => {
    writeFileSync(join(directory, 'token'), 'from-file\n');
    const { connections } = load(
      `projects: [a, b]
connections:
  - name: search
    type: CognitiveSearch
    target: https://search
    isDefault: true
    metadata: { ApiType: Azure }
    credentials: { type: ApiKey, key: { env: KEY } }
  - name: blobs
    project: b
    type: AzureBlob
    target: https://blobs
    credentials: { type: SAS, sas: { file: token } }
  - name: mcp
    type: CustomKeys
    target: https://mcp
    credentials:
      type: CustomKeys
      keys: { Authorization: { env: HEADER }, x-api-key: { env: KEY } }
  - { name: open, type: OpenAPI, target: https://open }
  - { name: entra, type: CosmosDB, target: https://cosmos, credentials: { type: AAD } }
`,
      { KEY: 'k', HEADER: 'Bearer a b' },
    );
    expect(connections.map(({ name, credentials }) => [name, credentials])).toEqual([
      ['search', { type: 'ApiKey', apiKey: 'k' }],
      ['blobs', { type: 'SAS', sasToken: 'from-file' }],
      ['mcp', { type: 'CustomKeys', keys: { Authorization: 'Bearer a b', 'x-api-key': 'k' } }],
      ['open', { type: 'None' }],
      ['entra', { type: 'AAD' }],
    ]);
    expect(connections[0]).toMatchObject({ project: null, isDefault: true, metadata: { ApiType: 'Azure' } });
    expect(connections[1]).toMatchObject({ project: 'b', isDefault: false, metadata: {} });
  });

  test('may have the same name, or be defaults of the same type, in different projects', () => {
    const of = (project: string) =>
      `  - { name: x, project: ${project}, type: OpenAPI, target: t, isDefault: true }\n`;
    expect(load(`projects: [a, b]\nconnections:\n${of('a')}${of('b')}`).connections).toHaveLength(2);
    const told = faults(`projects: [a, b]\nconnections:\n${of('a')}${of('a')}`);
    expect(told.split('\n')).toEqual([
      "4:13: connections[1].name: another connection is already named 'x'",
      "4:65: connections[1].isDefault: 'x' is already the default connection of type OpenAPI",
    ]);
  });

  test.each([
    [
      entry('    credentials: { type: ApiKey, key: sk-very-secret }\n'),
      '5:39: connections[0].credentials.key: must not be the key itself, but say where it is',
    ],
    [
      entry('    credentials: { type: CustomKeys, keys: { a: sk-very-secret } }\n'),
      '5:49: connections[0].credentials.keys.a: must not be the key itself, but say where it is',
    ],
    [
      entry('    credentials: { type: CustomKeys, keys: { type: { env: A } } }\n'),
      '5:44: connections[0].credentials.keys: must have names of letters',
    ],
    [
      entry('    credentials: { type: CustomKeys, keys: {} }\n'),
      '5:44: connections[0].credentials.keys: must NOT have fewer than 1',
    ],
    [
      entry('    credentials: { type: ApiKey }\n'),
      "5:18: connections[0].credentials: the key 'key' is missing; credentials of type 'ApiKey' need it",
    ],
    [
      entry('    credentials: { type: AAD, key: { env: KEY } }\n'),
      "5:36: connections[0].credentials.key: has no meaning for credentials of type 'AAD'",
    ],
    [
      entry('    credentials: { type: SAS, sas: { env: NOT_SET } }\n'),
      '5:43: connections[0].credentials.sas.env: the environment variable NOT_SET is not set',
    ],
    [
      entry('    credentials: { type: ApiKey, key: { env: LINES } }\n'),
      '5:46: connections[0].credentials.key.env: LINES must hold one line',
    ],
    [
      entry('    credentials: { type: ApiKey, key: { env: EMPTY } }\n'),
      '5:46: connections[0].credentials.key.env: EMPTY must hold one line',
    ],
    [entry('    project: nowhere\n'), "5:14: connections[0].project: there is no project 'nowhere'"],
    [
      'connections: [{ name: x, type: OpenAPI, target: "https://me:sk-very-secret@host" }]\n',
      '1:49: connections[0].target: must be one line of at most 2048 characters, without user or password',
    ],
    [
      'connections: [{ name: x, type: Fax, target: t }]\n',
      '1:32: connections[0].type: must be one of AzureOpenAI, AzureBlob',
    ],
    [
      'connections: [{ name: a b, type: OpenAPI, target: t }]\n',
      '1:23: connections[0].name: must be a name of letters',
    ],
  ])('%j is refused', (text, expected) => {
    const told = faults(text, { KEY: 'k', LINES: 'sk-very-secret\nb', EMPTY: '' });
    expect(told.slice(0, expected.length)).toBe(expected);
    expect(told).not.toContain('sk-very-secret');
  });
});

test('a search engine, with the address that is usual for it', () => {
  writeFileSync(join(directory, 'pages.json'), '[]');
  expect(load('webSearch: { provider: file, path: pages.json }\n').webSearch).toEqual({
    provider: 'file',
    path: join(directory, 'pages.json'),
  });
  expect(load('webSearch: { provider: searxng, baseUrl: "http://a:8080/" }\n').webSearch).toEqual({
    provider: 'searxng',
    baseUrl: 'http://a:8080',
    apiKey: null,
  });
  expect(load('webSearch: { provider: brave, apiKey: { env: KEY } }\n', { KEY: 'k' }).webSearch).toEqual({
    provider: 'brave',
    baseUrl: 'https://api.search.brave.com',
    apiKey: 'k',
  });
});

test('an account of a blob service', () => {
  const key = 'c2VjcmV0LWtleS1vZi0xNi1ieXRlcw==';
  expect(load('blobs: { account: acc, key: { env: KEY } }\n', { KEY: key }).blobs.account).toEqual({
    account: 'acc',
    key,
    endpoint: 'https://acc.blob.core.windows.net',
  });
  const local = 'blobs: { account: acc, key: { env: KEY }, endpoint: "http://blobs:10000/acc/" }\n';
  expect(load(local, { KEY: key }).blobs.account?.endpoint).toBe('http://blobs:10000/acc');
  expect(() => load(local, { KEY: 'no base64!' })).toThrow('blobs.key: must be');
});

const ids = Array.from({ length: 4 }, (_, n) => `${n}${n}${n}${n}${n}${n}${n}A-0000-4000-8000-000000000000`);

test('users, apps and a tenant may sign in, with the roles that are assigned', () => {
  const { identity } = load(`identity:
  users:
    - { name: ada, objectId: ${ids[0]}, groups: [${ids[1]}], roles: [{ role: Reader, project: one }] }
    - { name: bob }
  apps: [{ name: ci }]
  entra: { tenant: ${ids[2]}, authority: https://login.microsoftonline.us/ }
  roleAssignments:
    - { group: ${ids[1]}, role: Azure AI User }
    - { appRole: Writer, role: Azure AI Owner, project: two }
`);
  const [ada, bob, ci] = identity.local;
  expect(ada).toMatchObject({ kind: 'user', objectId: ids[0]?.toLowerCase(), clientId: null });
  expect(ada?.grants).toEqual([
    { role: 'Reader', project: 'one' },
    { role: 'Azure AI User', project: null },
  ]);
  expect(bob).toMatchObject({ grants: [], objectId: expect.stringMatching(/^[0-9a-f-]{36}$/) });
  expect(new Set([bob?.objectId, ci?.objectId, ci?.clientId]).size).toBe(3);
  expect(identity.entra).toEqual({
    tenant: ids[2]?.toLowerCase(),
    audiences: ['https://ai.azure.com', 'https://ai.azure.com/', 'https://cognitiveservices.azure.com'],
    authority: 'https://login.microsoftonline.us',
    jwksUri: null,
    clockSkewSeconds: 60,
  });
});

test.each([
  ['users: [{ name: a, roles: [{ role: King }] }]', "there is no role 'King'"],
  ['users: [{ name: a }, { name: a }]', "identity.users[1].name: another user is already named 'a'"],
  [
    `users: [{ name: a, objectId: ${ids[0]} }, { name: b, objectId: ${ids[0]} }]`,
    'identity.users[1].objectId',
  ],
  [`apps: [{ name: a, clientId: ${ids[0]} }, { name: b, clientId: ${ids[0]} }]`, 'identity.apps[1].clientId'],
  ['users: [{ name: a b }]', 'identity.users[0].name: must be a name without spaces'],
  ['entra: { tenant: contoso.com }', 'identity.entra.tenant: must be an id such as'],
  [
    `entra: { tenant: ${ids[0]}, authority: "http://login.test" }`,
    'identity.entra.authority: must be an address',
  ],
  [
    'roleAssignments: [{ role: Reader }]',
    'identity.roleAssignments[0]: must have exactly one of the keys user',
  ],
  [`roleAssignments: [{ user: ${ids[0]}, app: ${ids[0]}, role: Reader }]`, 'must have exactly one'],
])('identity: { %s } is refused with its place', (text, message) => {
  expect(() => load(`identity: { ${text} }\n`)).toThrow(message);
});

test('what a project says of its limits stands before what is said of every one', () => {
  const { rateLimits, deployments } = load(
    `deployments: [{ name: a, provider: builtin, limits: { requestsPerMinute: 60 } }]
rateLimits:
  project: { requestsPerMinute: 10, concurrency: 2 }
  projects: { mine: { requestsPerMinute: 5 } }
`,
  );
  expect(rateLimits.projects).toEqual({
    mine: { requestsPerMinute: 5, tokensPerMinute: null, concurrency: 2 },
  });
  expect(deployments[0]?.limits).toEqual({
    requestsPerMinute: 60,
    windowSeconds: 10,
    tokensPerMinute: null,
    concurrency: null,
    queue: 64,
  });
  expect(faults('deployments: [{ name: a, provider: builtin, limits: { perMinute: 1 } }]\n')).toContain(
    'deployments[0].limits',
  );
});

test('the guide documents every key with its default', () => {
  const guide = readFileSync(new URL('../docs/guide/configuration.md', import.meta.url), 'utf8');
  const { deployments, limits, telemetry, webSearch, outbound, connections, codeInterpreter, blobs, ...top } =
    ConfigFile.properties;
  const { projects: mostProjects, ...bounds } = limits.properties;
  const keys = {
    ...{ deployments, limits, telemetry, webSearch, outbound, connections, codeInterpreter, blobs, ...top },
    ...webSearch.properties,
    ...outbound.properties,
    ...{ ...deployments.items.properties, ...bounds, ...telemetry.properties },
    ...connections.items.properties,
  };
  const { identity } = ConfigFile.properties;
  const rows = [
    ...Object.entries(keys),
    ['limits.projects', mostProjects] as const,
    ...Object.entries({ identity, 'identity.entra': identity.properties.entra }).flatMap(
      ([section, { properties }]) =>
        Object.entries(properties).map(([key, schema]) => [`${section}.${key}`, schema] as const),
    ),
    ...Object.entries({ codeInterpreter, blobs, audit: ConfigFile.properties.audit }).flatMap(
      ([section, { properties }]) =>
        Object.entries(properties).map(([key, schema]) => [`${section}.${key}`, schema] as const),
    ),
  ];
  for (const [key, schema] of rows) {
    const row = guide.split('\n').find((line) => line.startsWith(`| \`${key}\``));
    expect(row, key).toBeDefined();
    const fallback = (schema as { default?: unknown }).default;
    if (fallback !== undefined) expect(row).toContain(`\`${JSON.stringify(fallback)}\``);
  }
});
