import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
/** With what is written in another way in addresses. */
const planted = (door: string): string => `plant/${door}+c4f81d07b2=e`;
const secrets: Record<string, string> = Object.fromEntries(
  [
    ...['apiKeyConnection', 'customKeyConnection', 'replacedConnection', 'sasConnection'],
    ...['agentHeader', 'agentAuthorization', 'inlineHeader', 'inlineAuthorization', 'backgroundHeader'],
    ...['modelKey', 'traceHeader', 'passphrase', 'forkedConnection'],
  ].map((door) => [door, planted(door)]),
);

/** What a secret looks like wherever it could stand; of base64, what it is behind any number of other bytes. */
function disguises(secret: string): string[] {
  const shifted = [0, 1, 2].flatMap((before) => {
    const bytes = Buffer.concat([Buffer.alloc(before), Buffer.from(secret)]);
    // The first and the last digits have bits of what stands beside it.
    const sure = (digits: string) => digits.slice(before === 0 ? 0 : 4, Math.floor(bytes.length / 3) * 4);
    return [sure(bytes.toString('base64')), sure(bytes.toString('base64url'))];
  });
  const written = [
    secret,
    encodeURIComponent(secret),
    new URLSearchParams({ a: secret }).toString().slice(2),
  ];
  return [...new Set([...written, JSON.stringify(secret).slice(1, -1), ...shifted])];
}

const found = (bytes: Buffer): string[] =>
  Object.entries(secrets)
    .filter(([, secret]) => disguises(secret).some((one) => bytes.includes(one)))
    .map(([door]) => door);

let directory: string;
let server: ChildProcess;
let log = '';
let ready: { endpoint: string; apiKey: string };
/** Stands for a model, an MCP server and a receiver of traces. */
let outside: Server;
const reached: { url: string; headers: string; body: string }[] = [];
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  outside = createServer(async (incoming, outgoing) => {
    const { url = '', headers } = incoming;
    reached.push({ url, headers: JSON.stringify(headers), body: await text(incoming) });
    outgoing.statusCode = url.startsWith('/v1/traces') ? 200 : 401;
    // Servers quote what they refuse.
    const quoted = [headers.authorization, headers['x-key']].filter(Boolean).join(' ');
    outgoing.setHeader('content-type', 'application/json');
    outgoing.end(JSON.stringify({ error: { message: `No: ${quoted}` } }));
  });
  await once(outside.listen(0, '127.0.0.1'), 'listening');
  writeFileSync(
    join(directory, 'bloomery.yaml'),
    `discovery: false
audit: { reads: true }
deployments: [{ name: far, provider: openai-compatible, baseUrl: '${outsideUrl()}/v1', apiKey: { env: FAR_KEY } }]
telemetry: { endpoint: '${outsideUrl()}', protocol: http/json, content: true, headers: { env: TRACE_HEADERS } }
`,
  );
  const headers = `x-trace-key=${encodeURIComponent(secrets.traceHeader ?? '')}`;
  server = spawn(process.execPath, [main, 'serve', '--json', '--port', '0', '--log-level', 'trace'], {
    ...{ cwd: directory, env: { ...process.env, FAR_KEY: secrets.modelKey, TRACE_HEADERS: headers } },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  server.stderr?.setEncoding('utf8').on('data', (chunk) => {
    log += chunk;
  });
  const [line] = await once(server.stdout as NonNullable<ChildProcess['stdout']>, 'data');
  ready = JSON.parse(String(line));
}, 60_000);
afterAll(() => {
  server.kill('SIGKILL');
  outside.close();
  rmSync(directory, { recursive: true, force: true });
});

const outsideUrl = (): string => `http://127.0.0.1:${(outside.address() as AddressInfo).port}`;

async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}) {
  const base = ready.endpoint.replace('https:', 'http:');
  const url = path.startsWith('/admin/') || path.startsWith('/msi/') ? new URL(path, base) : base + path;
  const reply = await fetch(url, {
    method,
    headers: { 'api-key': ready.apiKey, 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const bytes = Buffer.from(await reply.arrayBuffer());
  const isJson = reply.headers.get('content-type')?.startsWith('application/json');
  return { status: reply.status, bytes, json: isJson ? JSON.parse(bytes.toString()) : {} };
}

const connection = (name: string, credentials: object, type = 'ApiKey') =>
  call('PUT', `/connections/${name}?api-version=v1`, { type, target: 'https://a.example', credentials });
const mcp = (headers: object, authorization?: string) => ({
  ...{ type: 'mcp', server_label: 'm', server_url: `${outsideUrl()}/mcp`, require_approval: 'never' },
  ...{ headers, authorization },
});

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
}
const inData = (): string[] =>
  filesBelow(join(directory, '.bloomery')).flatMap((file) =>
    found(readFileSync(file)).map((door) => `${file}: ${door}`),
  );

test('a secret is found by the scan in every disguise', () => {
  const secret = secrets.agentHeader ?? '';
  const tokens = [secret, `a${secret}`, `ab${secret}z`].flatMap((one) => [
    ...[one, encodeURIComponent(one), JSON.stringify({ one })],
    ...[Buffer.from(one).toString('base64'), Buffer.from(one).toString('base64url')],
  ]);
  for (const token of tokens) expect(found(Buffer.from(token)), token).toEqual(['agentHeader']);
});

test('secrets that went in by every door stand nowhere in clear', { timeout: 120_000 }, async () => {
  const apiKey = (key: string | undefined) => ({ type: 'ApiKey', key });
  await connection('one', apiKey(secrets.replacedConnection));
  await connection('one', apiKey(secrets.apiKeyConnection));
  await connection('two', { type: 'CustomKeys', keys: { a: secrets.customKeyConnection } }, 'CustomKeys');
  await connection('three', { type: 'SAS', sasToken: secrets.sasConnection }, 'AzureBlob');
  const tools = [mcp({ 'x-key': secrets.agentHeader }, secrets.agentAuthorization)];
  const definition = { kind: 'prompt', model: 'builtin', tools };
  await call('POST', '/agents/keeper/versions?api-version=v1', { definition });
  const respond = (body: object) => call('POST', '/openai/v1/responses', { input: 'Hi', ...body });
  await respond({ agent_reference: { type: 'agent_reference', name: 'keeper' } });
  await respond({
    model: 'builtin',
    tools: [mcp({ 'x-key': secrets.inlineHeader }, secrets.inlineAuthorization)],
  });
  await respond({ model: 'builtin', background: true, tools: [mcp({ 'x-key': secrets.backgroundHeader })] });
  await respond({ model: 'far' });
  await call('POST', '/openai/v1/embeddings', { model: 'far', input: 'x' });

  const made = await call('POST', '/admin/api_keys', {
    ...{ name: 'ci', grants: [{ role: 'Azure AI User', project: null }] },
  });
  secrets.newKey = made.json.key;
  await call('GET', '/agents?api-version=v1', undefined, { 'api-key': made.json.key });
  const rotated = await call('POST', '/admin/api_keys/ci:rotate', { graceSeconds: 60 });
  secrets.rotatedKey = rotated.json.key;
  await call('GET', `/agents?api-version=v1&api-key=${rotated.json.key}`);
  const { identityHeader } = JSON.parse(readFileSync(join(directory, '.bloomery/credentials.json'), 'utf8'));
  const token = await call(
    'GET',
    '/msi/token?resource=https://ai.azure.com&api-version=2019-08-01',
    undefined,
    {
      'x-identity-header': identityHeader,
    },
  );
  secrets.token = token.json.access_token;
  await call('GET', '/agents?api-version=v1', undefined, { authorization: `Bearer ${secrets.token}` });
  const upload = await call('POST', '/datasets/d/versions/1/startPendingUpload?api-version=v1', {
    pendingUploadType: 'BlobReference',
  });
  const sas = new URL(upload.json.blobReference.credential.sasUri);
  secrets.signature = sas.searchParams.get('sig') ?? '';
  const blob = `${new URL(ready.endpoint.replace('https:', 'http:')).origin}${sas.pathname}/a.txt${sas.search}`;
  const put = await fetch(blob, { method: 'PUT', headers: { 'x-ms-blob-type': 'BlockBlob' }, body: 'x' });
  expect(put.status).toBe(201);

  await call('POST', '/admin/projects/default:fork', { name: 'twin' });
  const twin = ready.endpoint.replace(/[^/]+$/, 'twin');
  ready.endpoint = twin;
  await connection('four', apiKey(secrets.forkedConnection));
  const exports = [
    await call('GET', '/admin/projects/twin:export'),
    await call('POST', '/admin/projects/twin:exportWithSecrets', { passphrase: secrets.passphrase }),
    await call('POST', '/admin/projects/default:exportWithSecrets', { passphrase: 'short' }),
  ];
  expect(exports.map(({ status }) => status)).toEqual([200, 200, 400]);
  for (const { bytes } of exports) expect(found(bytes)).toEqual([]);

  // All doors led somewhere: what was to be sent was sent.
  const sent = reached.map(({ headers }) => headers).join();
  for (const door of ['agentHeader', 'inlineHeader', 'modelKey']) expect(sent, door).toContain(secrets[door]);
  expect(Object.values(secrets).every((secret) => secret.length > 12)).toBe(true);
  const read = await call('POST', '/connections/one/getConnectionWithCredentials?api-version=v1');
  expect(read.json.credentials.key).toBe(secrets.apiKeyConnection);

  expect(inData()).toEqual([]);
  await call('DELETE', '/connections/four?api-version=v1');
  server.kill('SIGTERM');
  await once(server, 'close');
  expect(inData()).toEqual([]);
  expect(found(Buffer.from(log))).toEqual([]);
  expect(log).toContain('/connections/one');
  const traces = reached.filter(({ url }) => url.startsWith('/v1/traces'));
  expect(traces.length).toBeGreaterThan(0);
  for (const { body } of traces) expect(found(Buffer.from(body))).toEqual([]);
});
