import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { AuthenticationError, PermissionDeniedError } from 'openai';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { loadConfig } from '../../src/config.ts';
import { type RunningServer, startServer } from '../../src/server.ts';
import { ensureCredentials } from '../../src/trust/credentials.ts';
import { createTokenIssuer } from '../../src/trust/tokens.ts';
import { clientId, startTenant, tenantId } from './tenant.ts';

const group = '7a0b1c2d-0000-4000-8000-00000000000c';
const ada = { oid: '7a0b1c2d-0000-4000-8000-00000000000d', scp: 'user_impersonation', idtyp: 'user' };
const directories: string[] = [];
const servers: RunningServer[] = [];
const freshDirectory = (): string => {
  directories.push(mkdtempSync(join(tmpdir(), 'bloomery-test-')));
  return directories.at(-1) ?? '';
};
afterEach(async () => {
  await Promise.all(servers.splice(0).map((server) => server.close()));
});
afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

interface Starting {
  directory?: string;
  yaml?: string;
  host?: string;
  apiKey?: string | null;
}

async function start({
  directory = freshDirectory(),
  yaml,
  host = '127.0.0.1',
  apiKey = null,
}: Starting = {}) {
  const file = yaml === undefined ? null : join(directory, 'bloomery.yaml');
  if (file !== null) writeFileSync(file, yaml ?? '');
  const config = { ...loadConfig({ file, environment: {} }), discovery: false };
  const server = await startServer({
    ...{ port: 0, host, dataDirectory: directory, config, apiKey, logLevel: 'silent' },
  });
  servers.push(server);
  const origin = `http://127.0.0.1:${server.port}`;
  const call = async (path: string, { method = 'GET', bearer = server.apiKey ?? '', body }: Call = {}) => {
    const reply = await fetch(origin + path, {
      method,
      headers: {
        'content-type': 'application/json',
        ...(bearer === '' ? {} : { authorization: `Bearer ${bearer}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await reply.text();
    return { status: reply.status, headers: reply.headers, body: text === '' ? {} : JSON.parse(text) };
  };
  const project = `${origin}/api/projects/default`;
  return { server, directory, origin, project, call, models: (bearer: string) => call(models, { bearer }) };
}

interface Call {
  method?: string;
  bearer?: string;
  body?: object;
}
const models = '/api/projects/default/openai/v1/models';

describe('API keys', () => {
  const grants = [{ role: 'Azure AI User', project: 'default' }];

  test('are made, listed, replaced and revoked', async () => {
    const { call, models } = await start();
    const made = await call('/admin/api_keys', { method: 'POST', body: { name: 'ci', grants } });
    expect([made.status, made.headers.get('cache-control')]).toEqual([201, 'no-store']);
    const { key, ...shown } = made.body;
    expect((await models(key)).status).toBe(200);
    const { value } = (await call('/admin/api_keys')).body;
    expect(value).toEqual([
      expect.objectContaining({
        name: 'default',
        grants: expect.arrayContaining([{ role: 'Azure AI Owner', project: null }]),
      }),
      { ...shown, lastUsedAt: expect.stringMatching(/:00\.000Z$/) },
    ]);
    const rotated = await call('/admin/api_keys/ci:rotate', { method: 'POST', body: { graceSeconds: 0 } });
    expect([rotated.status, rotated.body.id]).toEqual([200, made.body.id]);
    expect([(await models(key)).status, (await models(rotated.body.key)).status]).toEqual([401, 200]);
    expect((await call('/admin/api_keys/ci', { method: 'DELETE' })).status).toBe(204);
    const refused = await models(rotated.body.key);
    expect([refused.status, refused.body.error.message]).toEqual([
      401,
      expect.stringContaining('was revoked at'),
    ]);
  });

  test.each([
    ['POST', '', { name: 'a b', grants }, 400, 'invalid_payload'],
    ['POST', '', { name: 'a' }, 400, 'missing_required_parameter'],
    ['POST', '', { name: 'a', grants: [] }, 400, 'invalid_payload'],
    ['POST', '', { name: 'a', grants: [{ role: 'King', project: null }] }, 400, 'invalid_payload'],
    ['POST', '', { name: 'a', grants: [{ role: 'Reader' }] }, 400, 'missing_required_parameter'],
    ['POST', '', { name: 'a', grants, expiresInSeconds: 0 }, 400, 'invalid_payload'],
    ['POST', '', { name: 'default', grants }, 409, 'conflict'],
    ['POST', '/none:rotate', {}, 404, 'not_found'],
    ['DELETE', '/none', undefined, 404, 'not_found'],
  ])('%s %s of %j is refused', async (method, path, body, status, code) => {
    const { call } = await start();
    const before = (await call('/admin/api_keys')).body;
    const refused = await call(`/admin/api_keys${path}`, { method, ...(body === undefined ? {} : { body }) });
    expect([refused.status, refused.body.error.code]).toEqual([status, code]);
    expect((await call('/admin/api_keys')).body.value.length).toBe(before.value.length);
  });

  test('that are revoked are refused on a WebSocket that is open, too', async () => {
    const { call, project, server } = await start();
    const { key } = (await call('/admin/api_keys', { method: 'POST', body: { name: 'ws', grants } })).body;
    const socket = new WebSocket(`${project.replace('http', 'ws')}/openai/v1/responses`, {
      headers: { authorization: `Bearer ${key}` },
    });
    await once(socket, 'open');
    const events: { type: string }[] = [];
    const ask = async () => {
      const end = Promise.withResolvers<unknown>();
      const take = (data: unknown) => {
        const event = JSON.parse(String(data));
        events.push(event);
        if (event.type === 'error' || event.type === 'response.completed') end.resolve(null);
      };
      socket.on('message', take);
      socket.send(JSON.stringify({ type: 'response.create', model: 'builtin', input: 'Hi', store: false }));
      await end.promise;
      socket.off('message', take);
      return events.at(-1);
    };
    expect(await ask()).toMatchObject({ type: 'response.completed' });
    await call('/admin/api_keys/ws', { method: 'DELETE', bearer: server.apiKey ?? '' });
    expect(await ask()).toMatchObject({
      status: 401,
      error: { code: 'invalid_credential', message: expect.stringContaining('was revoked') },
    });
    socket.terminate();
  });
});

describe('development mode', () => {
  test('is told with every answer, and is none once somebody can sign in', async () => {
    const { call, server } = await start();
    for (const reply of [
      await call(models),
      await call(models, { bearer: '' }),
      await call('/none'),
      await call('/%'),
    ])
      expect(reply.headers.get('x-bloomery-mode')).toBe('development');
    expect(server.development).toBe(true);
    const configured = await start({ yaml: 'identity: { users: [{ name: ada }] }\n' });
    expect((await configured.call(models)).headers.has('x-bloomery-mode')).toBe(false);
  });

  test('is not for other machines', async () => {
    const directory = freshDirectory();
    await expect(start({ directory, host: '0.0.0.0' })).rejects.toThrow('bloomery key create NAME --data');
    // The key that a start on loopback made was nobody's decision.
    await (await start({ directory })).server.close();
    await expect(start({ directory, host: '0.0.0.0' })).rejects.toThrow('nobody has decided who may call it');

    const { key } = ensureCredentials(directory).keys.create({
      ...{ name: 'team', grants: [{ role: 'Azure AI User', project: null }], lifetimeSeconds: null },
    });
    const open = await start({ directory, host: '0.0.0.0' });
    expect((await open.models(key)).status).toBe(200);
    expect((await open.call(models, { bearer: key })).headers.has('x-bloomery-mode')).toBe(false);
    const fixed = await start({ host: '0.0.0.0', apiKey: 'k'.repeat(32) });
    expect((await fixed.models('k'.repeat(32))).status).toBe(200);
    const signIn = await start({ host: '0.0.0.0', yaml: 'identity: { users: [{ name: ada }] }\n' });
    expect(signIn.server.apiKey).toBeNull();
  });
});

describe('users and apps of the configuration', () => {
  const app = '7a0b1c2d-0000-4000-8000-00000000000e';
  const yaml = `identity: { users: [{ name: ada, roles: [{ role: Azure AI User }] }], apps: [{ name: ci, clientId: ${app}, roles: [{ role: Azure AI User }] }] }\n`;

  test('sign in with tokens of this server, as long as they are configured', async () => {
    const { directory, models, server } = await start({ yaml });
    const { local } = loadConfig({ file: join(directory, 'bloomery.yaml'), environment: {} }).identity;
    const issuer = await createTokenIssuer({ directory });
    const [user] = local;
    const { accessToken } = await issuer.issue({
      audience: 'https://ai.azure.com',
      ...(user && { identity: user }),
    });
    expect((await models(accessToken)).status).toBe(200);
    await server.close();
    const without = await start({ directory, yaml: '' });
    const refused = await without.models(accessToken);
    expect([refused.status, refused.body.error.message]).toEqual([
      401,
      expect.stringContaining('no user or app'),
    ]);
  });

  test('an app gets its own token from the identity endpoint', async () => {
    const { server, models } = await start({ yaml });
    const ask = async (id: string) => {
      const query = new URLSearchParams({
        ...{ resource: 'https://ai.azure.com', 'api-version': '2019-08-01', client_id: id },
      });
      const reply = await fetch(`${server.identityEndpoint}?${query}`, {
        headers: { 'x-identity-header': server.identityHeader },
      });
      return { status: reply.status, body: (await reply.json()) as Record<string, string> };
    };
    const { body } = await ask(app);
    const claims = JSON.parse(atob(body.access_token?.split('.')[1] ?? ''));
    expect(claims).toMatchObject({ idtyp: 'app', azp: app, app_displayname: 'ci' });
    expect((await models(body.access_token ?? '')).status).toBe(200);
    expect(await ask(group)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('client_id') },
    });
  });
});

describe('a tenant of Microsoft Entra ID', () => {
  let tenant: Awaited<ReturnType<typeof startTenant>>;
  let running: Awaited<ReturnType<typeof start>>;
  beforeAll(async () => {
    tenant = await startTenant();
  });
  afterAll(() => tenant.close());
  beforeEach(async () => {
    running = await start({
      yaml: `identity:
  entra: { tenant: ${tenantId}, authority: "${tenant.origin}" }
  roleAssignments: [{ group: ${group}, role: Azure AI User }, { app: ${clientId}, role: Azure AI User }]
`,
    });
  });

  test('lets its users and apps in', async () => {
    for (const claims of [
      { ...ada, groups: [group] },
      { oid: clientId, idtyp: 'app', roles: ['Writer'] },
    ]) {
      expect((await running.models(await tenant.token(claims))).status).toBe(200);
    }
    expect(
      (
        await running.models(
          await tenant.token({ ...ada, groups: [group] }, 'https://cognitiveservices.azure.com'),
        )
      ).status,
    ).toBe(200);
    expect(tenant.calls.filter((path) => path.endsWith('openid-configuration'))).toHaveLength(1);
  });

  test('tells its keys anew, and is not needed while they are known', async () => {
    const member = { ...ada, groups: [group] };
    const before = await tenant.token(member);
    await tenant.rotate();
    const after = await tenant.token(member);
    expect((await running.models(after)).status).toBe(200);
    const refused = await running.models(before);
    expect([refused.status, refused.body.error.message]).toEqual([
      401,
      expect.stringContaining('a key that its issuer does not have'),
    ]);
  });

  test('is waited for where it is down: 503, not 401', async () => {
    const gone = await startTenant();
    const orphan = await start({
      yaml: `identity: { entra: { tenant: ${tenantId}, authority: "${gone.origin}" } }\n`,
    });
    const token = await gone.token(ada);
    await gone.close();
    const { status, headers } = await orphan.models(token);
    expect([status, headers.get('retry-after')]).toEqual([503, '5']);
  });

  const openai = (apiKey: string) =>
    new OpenAI({ apiKey, baseURL: `${running.project}/openai/v1`, maxRetries: 0 });
  test('a wrong audience is an AuthenticationError that says the right one', async () => {
    const token = await tenant.token(ada, 'https://graph.microsoft.com');
    const error = await openai(token)
      .models.list()
      .then(null, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({
      status: 401,
      message: expect.stringContaining("expects 'https://ai.azure.com'"),
    });
  });

  test('hidden groups are a PermissionDeniedError that says what to do', async () => {
    const token = await tenant.token({ ...ada, _claim_names: { groups: 'src1' } });
    const error = await openai(token)
      .models.list()
      .then(null, (thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(PermissionDeniedError);
    expect(error).toMatchObject({ status: 403, message: expect.stringContaining('app role') });
  });
});
