import { request as httpRequest } from 'node:http';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { finish, says, scriptedModel } from '../families/testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../families/testing/whole-app.ts';

let app: WholeApp;
let base: string;
beforeAll(async () => {
  const turns = Array.from({ length: 2000 }, () => [...says('Hi.'), finish()]);
  app = await wholeApp({ 'my-model': scriptedModel(...turns).provider });
  base = await app.listen();
});
afterAll(() => app.close());

interface Reply {
  status: number;
  headers: Headers;
  body: { error: { code: string; message: string; target: string; param: string; additionalInfo: object } };
}

async function call(
  path: string,
  init: RequestInit & { headers?: Record<string, string> } = {},
): Promise<Reply> {
  const response = await fetch(base + path, { ...init, headers: { 'api-key': 'key', ...init.headers } });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? null : JSON.parse(text) };
}

const json = (body: unknown, headers: Record<string, string> = {}) => ({
  method: 'POST',
  body: JSON.stringify(body),
  headers: { 'content-type': 'application/json', ...headers },
});

describe('correlation', () => {
  test('every answer carries its id, and the caller’s when it is plain', async () => {
    const good = await call('/agents?api-version=v1', { headers: { 'x-ms-client-request-id': 'abc-1' } });
    expect(good.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    expect(good.headers.get('x-ms-client-request-id')).toBe('abc-1');
    expect(good.headers.get('server-timing')).toMatch(/^total;dur=/);
    const bad = await call('/none?api-version=v1', { headers: { 'x-ms-client-request-id': 'with space' } });
    expect(bad.headers.has('x-ms-client-request-id')).toBe(false);
    expect(bad.body.error.additionalInfo).toEqual({ request_id: bad.headers.get('x-request-id') });
  });
});

describe('credentials', () => {
  test.each([
    [{}, 'no credential'],
    [{ authorization: 'Basic abc' }, 'malformed'],
    [{ authorization: 'Bearer wrong' }, 'not valid'],
    [{ 'api-key': 'wrong' }, 'not valid'],
  ])('%j is 401', async (headers, message) => {
    const response = await fetch(`${base}/agents?api-version=v1`, {
      headers: headers as Record<string, string>,
    });
    const { error } = (await response.json()) as Reply['body'];
    expect([response.status, error.code]).toEqual([401, 'invalid_credential']);
    expect(error.message).toContain(message);
    expect(response.headers.get('www-authenticate')).toMatch(/^Bearer/);
  });

  test('a key may come as a bearer, and either header may be the valid one', async () => {
    const good = await fetch(`${base}/agents?api-version=v1`, { headers: { authorization: 'Bearer key' } });
    expect(good.status).toBe(200);
    expect(
      (await call('/agents?api-version=v1', { headers: { authorization: 'Bearer nonsense' } })).status,
    ).toBe(200);
  });

  test('they come first: nobody learns which routes or projects there are', async () => {
    const routes = ['/none', '/agents', '/openai/v1/none'];
    for (const path of routes) expect((await fetch(base + path)).status).toBe(401);
    expect((await fetch(base.replace('/default', '/other'))).status).toBe(401);
  });
});

describe('a way round the credentials', () => {
  const raw = (target: string): Promise<number | undefined> =>
    new Promise((resolve, reject) => {
      const { hostname, port } = new URL(base);
      const sent = httpRequest({ hostname, port, path: target, method: 'GET' }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.on('error', reject).end();
    });

  test.each([
    '/%61pi/projects/default/agents?api-version=v1',
    '/ap%69/projects/x/openai/v1/models',
    '/api%2Fprojects/default/agents?api-version=v1',
    '//api/projects/default/agents?api-version=v1',
    '/./api/projects/default/agents?api-version=v1',
    'http://x/api/projects/default/agents?api-version=v1',
    'http://x/%61pi/projects/default/openai/v1/models',
    '/API/projects/default/agents?api-version=v1',
    '/api/projects/default/agents/?api-version=v1',
    '/',
    '/msi/token',
  ])('%s is none', async (target) => {
    expect(await raw(target)).toBe(401);
  });
});

describe('versions and projects', () => {
  test.each(['v1', '2025-05-01', '2025-05-15-preview', '2025-11-15-preview'])(
    '%s is served',
    async (version) => {
      expect((await call(`/agents?api-version=${version}`)).status).toBe(200);
    },
  );

  test('a newer one is served with a notice', async () => {
    const { status, headers } = await call('/agents?api-version=2031-01-01');
    expect([status, headers.get('x-ms-api-version-notice')]).toEqual([200, expect.stringContaining('newer')]);
  });

  test.each(['v2', '2024-01-01', '2025-13-01', 'x'.repeat(500)])('%s is refused', async (version) => {
    const { status, body } = await call(`/agents?api-version=${version}`);
    expect([status, body.error.code]).toEqual([400, 'UnsupportedApiVersionValue']);
    expect(body.error.message.length).toBeLessThan(300);
  });

  test('OpenAI routes need none and take any', async () => {
    expect((await call('/openai/v1/models')).status).toBe(200);
    expect((await call('/openai/v1/models?api-version=whatever')).status).toBe(200);
  });

  test('an unknown project is 404, `_project` is the default one', async () => {
    const other = await fetch(`${base.replace('/default', '/other')}/agents?api-version=v1`, {
      headers: { 'api-key': 'key' },
    });
    expect(other.status).toBe(404);
    const own = await fetch(`${base.replace('/default', '/_project')}/agents?api-version=v1`, {
      headers: { 'api-key': 'key' },
    });
    expect(own.status).toBe(200);
  });
});

describe('preview gates', () => {
  const workflow = json({ definition: { kind: 'workflow' } });

  test('the envelope is the one that the SDKs read', async () => {
    const { status, body } = await call('/agents/a/versions?api-version=v1', workflow);
    expect([status, body.error]).toMatchObject([
      403,
      {
        code: 'preview_feature_required',
        param: 'Foundry-Features',
        type: 'invalid_request_error',
        details: [],
        message: expect.stringContaining("Include the 'Foundry-Features: WorkflowAgents=V1Preview' header"),
      },
    ]);
  });

  test.each(['WorkflowAgents=V1Preview', 'A=B, WorkflowAgents=V1Preview ,C=D'])(
    '%s opens it',
    async (features) => {
      const headers = { ...workflow.headers, 'foundry-features': features };
      const { body } = await call('/agents/a/versions?api-version=v1', { ...workflow, headers });
      expect(body.error.code).toBe('unsupported_parameter');
    },
  );

  test('a dated preview version opens it too', async () => {
    const { body } = await call('/agents/a/versions?api-version=2025-11-15-preview', workflow);
    expect(body.error.code).toBe('unsupported_parameter');
  });
});

describe('bodies', () => {
  test('over the limit are 413', async () => {
    const { status, body } = await call('/openai/v1/responses', json({ input: 'x'.repeat(34_000_000) }));
    expect([status, body.error.code]).toEqual([413, 'payload_too_large']);
  });

  test('that nest too deeply, or are cut off, are 400', async () => {
    const deep = `{"input":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    const reply = await call('/openai/v1/responses', {
      method: 'POST',
      body: deep,
      headers: { 'content-type': 'application/json' },
    });
    expect(reply.status).toBe(400);
  });

  test('without an announced type are read as JSON', async () => {
    const status = await new Promise((resolve) => {
      const url = new URL(`${base}/openai/v1/conversations`);
      const sent = httpRequest(url, { method: 'POST', headers: { 'api-key': 'key' } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      });
      sent.end('{"metadata":{"a":"b"}}');
    });
    expect(status).toBe(200);
  });

  test('with members that would reach a prototype are refused', async () => {
    const { status } = await call('/openai/v1/conversations', {
      method: 'POST',
      body: '{"__proto__":{"a":1}}',
      headers: { 'content-type': 'application/json' },
    });
    expect(status).toBe(400);
  });

  test('unknown fields are taken and ignored', async () => {
    const body = { model: 'my-model', input: 'Hi', some_new_field: { a: 1 } };
    expect((await call('/openai/v1/responses', json(body))).status).toBe(200);
  });
});

describe('routes', () => {
  test('wrong methods are 405 with what is allowed, in the envelope of their half', async () => {
    const native = await call('/agents/a?api-version=v1', { method: 'PUT' });
    expect([native.status, native.headers.get('allow')]).toEqual([405, 'DELETE, GET, PATCH, POST']);
    const openai = await call('/openai/v1/responses', { method: 'DELETE' });
    expect([openai.status, openai.body.error]).toMatchObject([405, { type: 'invalid_request_error' }]);
  });

  test('names with an encoded colon are names, not verbs', async () => {
    const { status, body } = await call('/agents/a%3Aenable?api-version=v1');
    expect(status).toBeLessThan(500);
    expect(body.error.code).toMatch(/^(invalid_parameter|not_found|method_not_allowed)$/);
  });

  test('odd paths are answered in the envelope', async () => {
    for (const path of [
      '/agents/%E0%A4%A?api-version=v1',
      `/agents/${'x'.repeat(3000)}?api-version=v1`,
      '//',
    ]) {
      const { status, body } = await call(path);
      expect(status).toBeGreaterThanOrEqual(400);
      expect(status).toBeLessThan(500);
      expect(body.error.code).toBeTruthy();
    }
  });
});

test('no body whatever makes a 5xx', { timeout: 60_000 }, async () => {
  const paths = [
    '/openai/v1/responses',
    '/openai/v1/conversations',
    '/openai/v1/chat/completions',
    '/agents?api-version=v1',
  ];
  const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.double());
  const member = fc.constantFrom(
    ...[
      'input',
      'model',
      'items',
      'tools',
      'type',
      'role',
      'content',
      'definition',
      'kind',
      'name',
      'messages',
      'text',
    ],
    ...[
      'format',
      'conversation',
      'id',
      'metadata',
      'tool_choice',
      'reasoning',
      'call_id',
      'output',
      'agent_reference',
    ],
  );
  const word = fc.constantFrom(
    'my-model',
    'message',
    'user',
    'assistant',
    'function',
    'prompt',
    'json_schema',
    'function_call',
  );
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      word,
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(member, tie('value')),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), fc.dictionary(member, value), async (path, body) => {
      const response = await fetch(base + path, {
        ...json(body),
        headers: { 'api-key': 'key', 'content-type': 'application/json' },
      });
      await response.arrayBuffer();
      expect(response.status).toBeLessThan(500);
    }),
    { numRuns: 600 },
  );
});
