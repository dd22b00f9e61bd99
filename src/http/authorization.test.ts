import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '../app.ts';
import { loadConfig } from '../config.ts';
import { apiError } from '../errors.ts';
import { Answer, family, op } from '../kit/operation.ts';
import type { Grant } from '../trust/principal.ts';
import { type EchoServer, echoServer, ended } from './testing/echo-server.ts';

const agents = 'Microsoft.CognitiveServices/accounts/AIServices/agents';
const everywhere = null;
const grants: Record<string, Grant[]> = {
  nobody: [],
  user: [{ role: 'Azure AI User', project: 'default' }],
  impersonator: [
    { role: 'Azure AI User', project: 'default' },
    { role: 'Bloomery Impersonator', project: 'default' },
  ],
  'user-everywhere': [{ role: 'Azure AI User', project: everywhere }],
  consumer: [{ role: 'Foundry Agent Consumer', project: 'default' }],
  two: [
    { role: 'Cognitive Services Data Reader', project: everywhere },
    { role: '53ca6127-db72-4b80-b1b0-d745d6d5456d', project: 'other' },
  ],
  renamed: [{ role: 'foundry user', project: 'default' }],
  builder: [{ role: 'Agent builder', project: 'default' }],
  unheard: [{ role: 'Emperor', project: everywhere }],
  'owner-here': [{ role: 'Azure AI Account Owner', project: 'default' }],
  'owner-everywhere': [{ role: 'Azure AI Account Owner', project: everywhere }],
};

const done = () => new Answer(200, {});
const things = family(
  'things',
  {
    agents: op({ wire: 'foundry', method: 'GET', path: '/agents', summary: 'List agents' }),
    create: op({ wire: 'foundry', method: 'POST', path: '/agents', summary: 'Create an agent' }),
    remove: op({ wire: 'foundry', method: 'DELETE', path: '/agents/{name}', summary: 'Delete an agent' }),
    gated: op({
      wire: 'foundry',
      method: 'GET',
      path: '/skills',
      summary: 'Skills',
      preview: 'Skills=V1Preview',
    }),
    respond: op({
      wire: 'openai',
      method: 'POST',
      path: '/responses',
      summary: 'Respond',
      onAgentEndpoint: true,
    }),
    projects: op({ wire: 'admin', method: 'GET', path: '/projects', summary: 'List projects' }),
    newProject: op({ wire: 'admin', method: 'POST', path: '/projects', summary: 'Create a project' }),
    impersonate: op({
      wire: 'foundry',
      method: 'POST',
      path: '/impersonations',
      summary: 'What no role of Azure may do',
      action: 'Microsoft.Elsewhere/things/action',
    }),
  },
  {
    agents: done,
    create: done,
    remove: done,
    gated: done,
    respond: done,
    projects: done,
    newProject: done,
    impersonate: done,
  },
);

const open = () =>
  createApp({
    config: {
      ...loadConfig({ file: null, environment: {} }),
      projects: ['default', 'other'],
      roles: [
        {
          name: 'Agent builder',
          actions: [],
          dataActions: ['read', 'write', 'delete'].map((verb) => `${agents}/${verb}`),
          notDataActions: ['*/delete'],
        },
      ],
    },
    credentials: {
      verifyKey(key) {
        const held = grants[key];
        return held === undefined ? null : { kind: 'key', id: `id-of-${key}`, name: key, grants: held };
      },
      verifyToken() {
        throw apiError('invalid_credential', 'No tokens here.');
      },
    },
    families: [things],
    log: pino({ level: 'silent' }),
    installPublicRoutes() {},
  });

let app: Awaited<ReturnType<typeof open>>;
beforeAll(async () => {
  app = await open();
});
afterAll(() => app.close());

async function ask(key: string, method: 'GET' | 'POST' | 'DELETE', path: string, project = 'default') {
  const isAdmin = path.startsWith('/admin');
  const reply = await app.inject({
    method,
    url: isAdmin ? path : `/api/projects/${project}${path}${path.includes('/v1') ? '' : '?api-version=v1'}`,
    headers: { 'api-key': key },
  });
  return { status: reply.statusCode, json: reply.json(), headers: reply.headers };
}

describe('a refusal', () => {
  test('names principal, action, operation, and the role that would do, on a native route', async () => {
    const { status, json, headers } = await ask('consumer', 'POST', '/agents');
    expect(status).toBe(403);
    expect(headers['x-should-retry']).toBe('false');
    expect(json.error).toMatchObject({
      code: 'PermissionDenied',
      message:
        `The principal \`id-of-consumer\` lacks the required data action \`${agents}/write\` to perform ` +
        '`POST /api/projects/{projectName}/agents` operation. ' +
        "The role 'Azure AI User' on project 'default' would give it.",
    });
  });

  test('says the same in the envelope of OpenAI', async () => {
    const { status, json } = await ask('consumer', 'POST', '/openai/v1/responses');
    expect(status).toBe(403);
    expect(json.error).toMatchObject({
      type: 'permission_error',
      code: 'PermissionDenied',
      param: null,
      message: expect.stringContaining('`POST /api/projects/{projectName}/openai/v1/responses`'),
    });
  });

  test('says where none of Azure’s roles would do', async () => {
    const { json } = await ask('user', 'POST', '/impersonations');
    expect(json.error.message).toMatch(/None of Azure's roles gives it/);
  });

  test('is for whoever acts for another user without being let, too', async () => {
    const as = async (key: string) => {
      const reply = await app.inject({
        url: '/api/projects/default/agents?api-version=v1',
        headers: { 'api-key': key, 'x-ms-user-identity': 'anna' },
      });
      return [reply.statusCode, reply.json().error?.code, reply.json().error?.message];
    };
    expect(await as('user')).toEqual([
      403,
      'PermissionDenied',
      expect.stringContaining(`\`${agents}/endpoints/UserIdentityImpersonation/action\``),
    ]);
    expect((await as('impersonator'))[0]).toBe(200);
  });

  test('asks for a role on the whole server where it is about the server', async () => {
    const { status, json } = await ask('user-everywhere', 'POST', '/admin/projects');
    expect(status).toBe(403);
    expect(json.error.message).toBe(
      'The principal `id-of-user-everywhere` lacks the required action ' +
        '`Microsoft.CognitiveServices/accounts/projects/write` to perform `POST /admin/projects` operation. ' +
        "The role 'Azure AI Project Manager' for the whole server would give it.",
    );
  });
});

describe('a role', () => {
  test.each([
    ['user', 'GET', '/agents', 'default', 200],
    ['user', 'DELETE', '/agents/a', 'default', 200],
    ['renamed', 'POST', '/agents', 'default', 200],
    ['builder', 'POST', '/agents', 'default', 200],
    ['builder', 'DELETE', '/agents/a', 'default', 403],
    ['unheard', 'GET', '/agents', 'default', 403],
    ['nobody', 'GET', '/agents', 'default', 403],
    ['consumer', 'GET', '/agents', 'default', 403],
    ['consumer', 'POST', '/agents/a/endpoint/protocols/openai/responses', 'default', 200],
    ['owner-here', 'GET', '/agents', 'default', 403],
  ] as const)('%s: %s %s in %s is answered with %i', async (key, method, path, project, status) => {
    expect(await ask(key, method, path, project)).toMatchObject({ status });
  });

  test('holds in its project only, beside those that hold everywhere', async () => {
    expect(await ask('two', 'GET', '/agents', 'default')).toMatchObject({ status: 200 });
    expect(await ask('two', 'POST', '/agents', 'default')).toMatchObject({ status: 403 });
    expect(await ask('two', 'POST', '/agents', 'other')).toMatchObject({ status: 200 });
    // Asked again, it is remembered.
    expect(await ask('two', 'POST', '/agents', 'default')).toMatchObject({ status: 403 });
    expect(await ask('user', 'GET', '/agents', 'other')).toMatchObject({ status: 403 });
    expect(await ask('user', 'GET', '/agents', '_project')).toMatchObject({ status: 200 });
  });

  test('holds for the server only where it holds everywhere', async () => {
    expect(await ask('owner-here', 'GET', '/admin/projects')).toMatchObject({ status: 403 });
    expect(await ask('owner-everywhere', 'POST', '/admin/projects')).toMatchObject({ status: 200 });
    expect(await ask('user-everywhere', 'GET', '/admin/projects')).toMatchObject({ status: 200 });
    expect(await ask('user', 'GET', '/admin/projects')).toMatchObject({ status: 403 });
  });
});

describe('the order', () => {
  test('whoever may do nothing in a project cannot tell whether it is there', async () => {
    const there = await ask('user', 'GET', '/agents', 'other');
    const notThere = await ask('user', 'GET', '/agents', 'neverland');
    const told = ({ status, json }: typeof there, name: string) => [
      status,
      json.error.code,
      json.error.message.replace(name, 'NAME'),
    ];
    expect(told(notThere, 'neverland')).toEqual(told(there, 'other'));
    expect(told(there, 'other')[0]).toBe(403);
    expect(await ask('user-everywhere', 'GET', '/agents', 'neverland')).toMatchObject({ status: 404 });
  });

  test('a wrong credential is 401 before all else; a refusal comes before versions and previews', async () => {
    const url = '/api/projects/default/skills';
    const status = async (key: string) => {
      const reply = await app.inject({ method: 'GET', url, headers: { 'api-key': key } });
      return [reply.statusCode, reply.json().error.code];
    };
    expect(await status('wrong')).toEqual([401, 'invalid_credential']);
    expect(await status('nobody')).toEqual([403, 'PermissionDenied']);
    expect(await status('user')).toEqual([400, 'BadRequest']);
    expect((await ask('user', 'GET', '/skills')).json.error.code).toBe('preview_feature_required');
  });
});

describe('on a WebSocket', () => {
  const agentEchoes = '/api/projects/default/agents/a/endpoint/protocols/openai/v1/echoes?api-version=v1';
  let server: EchoServer;
  beforeAll(async () => {
    server = await echoServer(
      {},
      { grants: { ...grants, reader: [{ role: 'Cognitive Services Data Reader', project: 'default' }] } },
    );
  });
  afterEach(() => server.reset());
  afterAll(() => server.close());

  test('whoever may not send its messages does not open it', async () => {
    for (const key of ['reader', 'consumer', 'nobody']) {
      const { status, body } = await server.refusal({ headers: { 'api-key': key } });
      expect([key, status, body.error.code]).toEqual([key, 403, 'PermissionDenied']);
      expect(body.error.message).toContain(`\`${agents}/write\``);
    }
  });

  test('a project that is not there looks like one that is none of the caller’s', async () => {
    const at = '/api/projects/neverland/openai/v1/echoes';
    expect((await server.refusal({ at, headers: { 'api-key': 'user' } })).status).toBe(403);
  });

  test('at the address of an agent those who may talk to it send messages', async () => {
    const { create, until } = await server.connect({ at: agentEchoes, headers: { 'api-key': 'consumer' } });
    create('hello');
    await until(ended('hello'));
  });

  test('an offer of another protocol is a request like any other', async () => {
    const status = async (key: string) => {
      const headers = { 'api-key': key, connection: 'Upgrade', upgrade: 'h2c' };
      const url = `${server.origin}/api/projects/default/openai/v1/echoes`;
      const [response] = (await once(request(url, { headers }).end(), 'response')) as [IncomingMessage];
      response.resume();
      return response.statusCode;
    };
    expect(await status('reader')).toBe(200);
    expect(await status('consumer')).toBe(403);
  });
});
