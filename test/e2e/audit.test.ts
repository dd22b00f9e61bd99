import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, test } from 'vitest';

const main = new URL('../../src/main.ts', import.meta.url).pathname;
/** None of these may be found anywhere in the data directory, nor in the log. */
const secrets = {
  connectionKey: 'conn-5f2c91d0b7',
  wrongKey: 'wrong-77aa01c2e9',
  wrongToken: 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJzcHktNDQxIn0.c2lnLTk5MQ',
  query: 'query-31bb8e40d1',
  signature: 'sig-0c6e2f93aa',
  header: 'header-b18d77e5f0',
  socketKey: 'socket-e02f5a61bc',
};
/** What is in the data by purpose, but has no business in audit log and log. */
const content = 'content-6d9a40e7f3';

let directory: string;
let server: ChildProcess;
let log = '';
let ready: { endpoint: string; apiKey: string };
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  writeFileSync(join(directory, 'bloomery.yaml'), 'discovery: false\naudit: { reads: true }\n');
  server = spawn(process.execPath, [main, 'serve', '--json', '--port', '0', '--log-level', 'trace'], {
    cwd: directory,
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
  rmSync(directory, { recursive: true, force: true });
});

const auditFile = () => join(directory, '.bloomery/audit/audit.log');

function filesBelow(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .map((name) => join(folder, name))
    .filter((file) => statSync(file).isFile());
}

test('secrets and content stay out of the audit log, secrets out of everything', {
  timeout: 120_000,
}, async () => {
  const base = ready.endpoint.replace('https:', 'http:');
  const { origin } = new URL(base);
  const call = async (method: string, path: string, headers: Record<string, string>, body?: object) => {
    const reply = await fetch(`${path.startsWith('/') ? base : ''}${path}`, {
      method,
      headers: { 'content-type': 'application/json', ...headers },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: reply.status, json: (await reply.json().catch(() => ({}))) as Record<string, unknown> };
  };
  const credentials = JSON.parse(readFileSync(join(directory, '.bloomery/credentials.json'), 'utf8'));
  const identity = { 'x-identity-header': String(credentials.identityHeader) };
  const token = await call(
    'GET',
    `${origin}/msi/token?resource=https://ai.azure.com&api-version=2019-08-01`,
    identity,
  );
  const accessToken = String(token.json.access_token);
  const key = { 'api-key': ready.apiKey };

  const statuses = [
    await call('GET', '/agents?api-version=v1', { 'api-key': secrets.wrongKey }),
    await call(
      'POST',
      `/agents?api-version=v1&code=${secrets.query}`,
      { authorization: `Bearer ${secrets.wrongToken}` },
      {},
    ),
    await call('GET', `${origin}/msi/token?secret=${secrets.query}`, { 'x-identity-header': secrets.header }),
    await call('PUT', '/connections/search?api-version=v1', key, {
      type: 'CognitiveSearch',
      target: 'https://search.example',
      credentials: { type: 'ApiKey', key: secrets.connectionKey },
    }),
    await call('POST', '/connections/search/getConnectionWithCredentials?api-version=v1', key, {}),
    await call(
      'POST',
      `/openai/v1/responses?sig=${secrets.query}`,
      { authorization: `Bearer ${accessToken}`, 'x-mine': secrets.header },
      {
        model: 'builtin',
        input: content,
      },
    ),
    await call('POST', '/agents?api-version=v1', key, { name: 'a', definition: { kind: content } }),
    await call('PUT', `${origin}/bloomeryblobs/c/b?sv=2025-01-05&sig=${secrets.signature}`, {}, {}),
    await call('GET', `${base}/openai/v1/models`, {
      'sec-websocket-protocol': `openai-insecure-api-key.${secrets.socketKey}`,
    }),
  ].map(({ status }) => status);
  expect(statuses).toEqual([401, 401, 401, 201, 200, 200, 400, 403, 401]);

  server.kill('SIGTERM');
  await once(server, 'close');

  const audit = readFileSync(auditFile(), 'utf8');
  const entries = audit
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(entries.map(({ method, status }) => `${method} ${status}`).sort()).toEqual(
    [
      'GET 200',
      'GET 401',
      'POST 401',
      'GET 401',
      'PUT 201',
      'POST 200',
      'POST 200',
      'POST 400',
      'PUT 403',
      'GET 401',
    ].sort(),
  );
  expect(entries.find(({ status, method }) => status === 201 && method === 'PUT')).toMatchObject({
    principal: { kind: 'key' },
    project: 'default',
    path: '/api/projects/default/connections/search',
  });

  expect(log).toContain('/connections/search');
  const kept = [ready.apiKey, accessToken, String(credentials.identityHeader), content];
  for (const secret of [...Object.values(secrets), ...kept]) {
    expect(audit, secret).not.toContain(secret);
    expect(log, secret).not.toContain(secret);
  }
  const everything = filesBelow(join(directory, '.bloomery'));
  expect(everything.length).toBeGreaterThan(5);
  for (const file of everything) {
    const bytes = readFileSync(file);
    const found = Object.entries(secrets).filter(([, secret]) => bytes.includes(secret));
    expect([file, found]).toEqual([file, []]);
  }

  const verify = async () => {
    const child = spawn(process.execPath, [main, 'audit', 'verify'], { cwd: directory });
    const [stdout, [code]] = await Promise.all([text(child.stdout), once(child, 'close')]);
    return { code, stdout };
  };
  expect(await verify()).toEqual({ code: 0, stdout: '10 lines in 1 files, 0 faults.\n' });
  writeFileSync(auditFile(), audit.replace('"status":201', '"status":404'));
  expect(await verify()).toMatchObject({
    code: 1,
    stdout: expect.stringContaining('audit.log:5: was changed'),
  });
});
