import { afterEach, describe, expect, test } from 'vitest';
import { ApiError } from '../../../errors.ts';
import type { ConnectionCredentials } from '../connections.ts';
import { type AnswerRequest, type HttpServer, httpServer, json } from '../testing/http-server.ts';
import { called, fixedConnections, loopbackOutbound, opened } from '../testing/opened-tool.ts';
import { openApiTool } from './openapi-tool.ts';

let server: HttpServer;
afterEach(() => server?.close());

const own = 'https://ai.azure.com';
function tool(credentials: ConnectionCredentials = { type: 'None' }, target = '_') {
  return openApiTool({
    outbound: loopbackOutbound,
    connections: fixedConnections({ mine: { credentials, target } }),
    identity: { token: async (audience, url) => (audience === own && url === server.url ? 'ours' : null) },
  });
}

interface Given {
  operation?: object;
  path?: string;
  method?: string;
  document?: object;
  openapi?: object;
  answer?: AnswerRequest;
  credentials?: ConnectionCredentials;
  /** Of the connection. */
  address?(url: string): string;
}

/** A document with one operation, opened against a server that answers it. */
async function start({
  operation,
  path = '/it',
  method = 'get',
  answer,
  credentials,
  address,
  ...rest
}: Given) {
  server = await httpServer(answer ?? json({ ok: true }));
  const spec = {
    openapi: '3.1.0',
    info: { title: 'Test', version: '1' },
    servers: [{ url: server.url }],
    paths: { [path]: { [method]: { operationId: 'it', ...operation } } },
    ...rest.document,
  };
  const openapi = {
    name: 'api',
    description: 'The API.',
    spec,
    auth: { type: 'anonymous' },
    ...rest.openapi,
  };
  const open = await opened(tool(credentials, address?.(server.url)), { type: 'openapi', openapi });
  const call = (argument: object = {}, signal?: AbortSignal) => called(open, 'api_it', argument, signal);
  return { open, call, last: () => server.requests.at(-1) };
}

const refusal = async (given: Given): Promise<ApiError> => {
  const error = await start(given).then(
    () => expect.fail('it was taken'),
    (thrown: unknown) => thrown,
  );
  if (error instanceof ApiError) return error;
  throw error;
};

const parameter = (place: string, name: string, rest: object = {}) => ({
  in: place,
  name,
  schema: { type: 'string' },
  ...rest,
});

describe('functions', () => {
  test('are named after operations, and ask for what an operation takes', async () => {
    const { open } = await start({
      path: '/cities/{city}',
      operation: {
        summary: 'Weather of a city.',
        parameters: [
          parameter('path', 'city', { description: 'Its name.' }),
          parameter('query', 'days', { schema: { type: 'integer', minimum: 1, nullable: true } }),
          parameter('header', 'Authorization'),
        ],
      },
    });
    expect(open.functions).toEqual([
      {
        name: 'api_it',
        description: 'Weather of a city.',
        parameters: {
          type: 'object',
          properties: {
            city: { type: 'string', description: 'Its name.' },
            days: { type: ['integer', 'null'], minimum: 1 },
          },
          required: ['city'],
          additionalProperties: false,
        },
        strict: null,
      },
    ]);
  });

  test('without an operationId are named after method and path, and differ where those are alike', async () => {
    const plain = { operationId: undefined };
    const { open } = await start({
      document: {
        paths: {
          '/a/{b}': { parameters: [parameter('path', 'b')], get: plain, post: plain },
          '/a/b': { get: plain },
        },
      },
    });
    expect(open.functions.map(({ name }) => name)).toEqual(['api_get_a_b', 'api_post_a_b', 'api_get_a_b_2']);
    expect(open.functions.map(({ name }) => open.isIdempotent?.(name))).toEqual([true, false, true]);
  });

  test('have schemas without references; circles are cut', async () => {
    const { open } = await start({
      method: 'post',
      operation: { requestBody: { $ref: '#/components/requestBodies/Node' } },
      document: {
        components: {
          requestBodies: {
            Node: {
              required: true,
              content: { 'application/json': { schema: { $ref: '#/components/schemas/Node' } } },
            },
          },
          schemas: {
            Node: {
              type: 'object',
              required: ['id', 'value'],
              properties: {
                id: { type: 'string', readOnly: true },
                value: { type: 'number', minimum: 0, exclusiveMinimum: true },
                next: { $ref: '#/components/schemas/Node' },
              },
            },
          },
        },
      },
    });
    expect(open.functions[0]?.parameters).toEqual({
      type: 'object',
      properties: {
        body: {
          type: 'object',
          required: ['value'],
          properties: { value: { type: 'number', exclusiveMinimum: 0 }, next: { type: 'object' } },
        },
      },
      required: ['body'],
      additionalProperties: false,
    });
  });

  test('with parameters of one name in two places ask for both', async () => {
    const { call, last } = await start({
      path: '/{id}',
      operation: { parameters: [parameter('path', 'id'), parameter('query', 'id')] },
    });
    await call({ id_path: 'a', id_query: 'b' });
    expect(last()?.url).toBe('/a?id=b');
  });

  test('leave out parameters with a default that is not for the model', async () => {
    const { open, call, last } = await start({
      operation: {
        parameters: [parameter('query', 'format', { schema: { type: 'string', default: 'j1' } })],
      },
      openapi: { default_params: ['format'] },
    });
    expect(open.functions[0]?.parameters).toMatchObject({ properties: {} });
    await call();
    expect(last()?.url).toBe('/it?format=j1');
  });

  test('of a document that describes itself in circles cost no more than a bounded one', async () => {
    const schemas = Object.fromEntries(
      Array.from({ length: 40 }, (_, i) => [
        `S${i}`,
        {
          type: 'object',
          properties: Object.fromEntries(
            Array.from({ length: 40 }, (_, j) => [`p${j}`, { $ref: `#/components/schemas/S${j}` }]),
          ),
        },
      ]),
    );
    const content = { 'application/json': { schema: { $ref: '#/components/schemas/S0' } } };
    const { open } = await start({
      method: 'post',
      operation: { requestBody: { content } },
      document: { components: { schemas } },
    });
    expect(JSON.stringify(open.functions).length).toBeLessThan(1_000_000);
  });
});

describe('a call', () => {
  test('puts each parameter where it belongs', async () => {
    const { call, last } = await start({
      path: '/a/{simple}/{label}/{matrix}',
      operation: {
        parameters: [
          parameter('path', 'simple'),
          parameter('path', 'label', { style: 'label', explode: true }),
          parameter('path', 'matrix', { style: 'matrix' }),
          parameter('query', 'form', { explode: false }),
          parameter('query', 'many'),
          parameter('query', 'deep', { style: 'deepObject' }),
          parameter('query', 'space', { style: 'spaceDelimited', explode: false }),
          parameter('query', 'pipe', { style: 'pipeDelimited', explode: false }),
          parameter('query', 'left-out'),
          parameter('header', 'x-list'),
          parameter('cookie', 'session'),
          parameter('cookie', 'other'),
        ],
      },
    });
    await call({
      simple: 'ä/b?c',
      label: [1, 2],
      matrix: [3, 4],
      form: ['x', 'y'],
      many: [true, 0],
      deep: { a: { b: 1 } },
      space: ['p', 'q'],
      pipe: ['r', 's'],
      'left-out': null,
      'x-list': ['u', 'v'],
      session: 'a;b',
      other: 'c',
    });
    expect(last()?.url).toBe(
      '/a/%C3%A4%2Fb%3Fc/.1.2/;matrix=3,4?form=x,y&many=true&many=0&deep%5Ba%5D%5Bb%5D=1&space=p%20q&pipe=r%7Cs',
    );
    expect(last()?.headers).toMatchObject({ 'x-list': 'u,v', cookie: 'session=a%3Bb; other=c' });
  });

  test.each([
    ['application/json', { a: [1] }, 'application/json', '{"a":[1]}'],
    ['application/merge-patch+json', { a: null }, 'application/merge-patch+json', '{"a":null}'],
    [
      'application/x-www-form-urlencoded',
      { a: 'x y', b: [1, 2], c: { d: 1 } },
      'application/x-www-form-urlencoded',
      'a=x%20y&b=1&b=2&c=%7B%22d%22%3A1%7D',
    ],
    ['text/plain', 'Hello', 'text/plain', 'Hello'],
  ])('sends a body of %s', async (contentType, body, sentType, text) => {
    const content = { [contentType]: { schema: {} } };
    const { call, last } = await start({ method: 'post', operation: { requestBody: { content } } });
    await call({ body });
    expect(last()?.headers['content-type']).toBe(sentType);
    expect(last()?.body.toString()).toBe(text);
  });

  test('sends a multipart body', async () => {
    const content = { 'multipart/form-data': { schema: { type: 'object' } } };
    const { call, last } = await start({ method: 'post', operation: { requestBody: { content } } });
    await call({ body: { title: 'T', tags: ['a', 'b'], meta: { n: 1 } } });
    const form = await new Response(last()?.body as Uint8Array<ArrayBuffer>, {
      headers: { 'content-type': String(last()?.headers['content-type']) },
    }).formData();
    expect([form.get('title'), form.getAll('tags')]).toEqual(['T', ['a', 'b']]);
    expect(await (form.get('meta') as File).text()).toBe('{"n":1}');
  });

  test('goes to the server of the operation, with its variables', async () => {
    server = await httpServer(json({ ok: true }));
    const servers = [
      { url: `${server.url}/{version}/`, variables: { version: { default: 'v2', enum: ['v1', 'v2'] } } },
    ];
    const spec = {
      openapi: '3.0.3',
      servers: [{ url: 'https://nowhere.invalid' }],
      paths: { '/it': { get: { operationId: 'it', servers } } },
    };
    const openapi = { name: 'api', spec, auth: { type: 'anonymous' } };
    const open = await opened(tool(), { type: 'openapi', openapi });
    await called(open, 'api_it', {});
    expect(server.requests.at(-1)?.url).toBe('/v2/it');
  });

  test('answers with the text, in the form of its item', async () => {
    const { call, open } = await start({ answer: json({ temperature: 21 }) });
    expect(await call()).toMatchObject({
      output: '{"temperature":21}',
      fields: { output: '{"response":"{\\"temperature\\":21}"}' },
    });
    const one = { name: 'api_it', arguments: '{}' };
    expect([open.fields(one), open.outputFields?.(one)]).toEqual([one, { name: 'api_it' }]);
  });

  test.each([
    [404, 'application/json', '{"detail":"no such city"}', /404 Not Found\. \{"detail":"no such city"\}/],
    [500, 'image/png', '\u0000\u0001', /500 Internal Server Error\.$/],
  ])('that the API refuses with %s fails with its words', async (status, type, body, message) => {
    const { call } = await start({
      answer(response) {
        response.writeHead(status, { 'content-type': type });
        response.end(body);
      },
    });
    await expect(call()).rejects.toThrow(message);
  });

  test('with an answer of 30 MB is clipped, and the rest is not read', async () => {
    let written = 0;
    const { call } = await start({
      answer(response) {
        response.writeHead(200, { 'content-type': 'text/plain' });
        const chunk = 'x'.repeat(65_536);
        const write = () => {
          while (written < 30 * 1_048_576 && !response.destroyed) {
            written += chunk.length;
            if (!response.write(chunk)) return void response.once('drain', write);
          }
          response.end();
        };
        write();
      },
    });
    const { output } = await call();
    expect(output.length).toBeLessThan(1_050_000);
    expect(output).toMatch(/x\n\[clipped: the answer is longer than 1048576 bytes\]$/);
    expect(written).toBeLessThan(30 * 1_048_576);
  });

  test('that hangs ends with its signal', async () => {
    const { call } = await start({ answer: () => {} });
    await expect(call({}, AbortSignal.timeout(50))).rejects.toThrow(/timeout/);
  });

  test('of a server that is gone, or breaks off, fails and says so', async () => {
    const { call } = await start({ answer: (response) => void response.destroy() });
    await expect(call()).rejects.toThrow(/could not be reached/);
  });

  test('tells of bytes that are no text', async () => {
    const { call } = await start({
      answer(response) {
        response.writeHead(200, { 'content-type': 'image/png' });
        response.end('\u0089PNG');
      },
    });
    expect((await call()).output).toBe('[The API answered 200 with image/png, which is not text.]');
  });

  test.each([
    [{}, "The parameter 'id' is missing"],
    [{ id: null }, "The parameter 'id' is missing"],
    [{ id: 'a', other: 1 }, "There is no parameter 'other'. There are: id, h."],
    [{ id: '' }, "'id' must not be empty"],
    [{ id: '..' }, "'id' can't stand in a path"],
    [{ id: 'a', h: 'x\r\nevil: 1' }, "header 'h' has characters"],
  ])('with %j fails before anything is sent', async (argument, message) => {
    const { call } = await start({
      path: '/{id}',
      operation: { parameters: [parameter('path', 'id'), parameter('header', 'h')] },
    });
    await expect(call(argument)).rejects.toThrow(message);
    expect(server.requests).toEqual([]);
  });
});

describe('credentials of a connection', () => {
  const schemes = (scheme: object, security: object[] | undefined = [{ s: [] }]) => ({
    document: { components: { securitySchemes: { s: scheme } }, security },
    openapi: {
      auth: { type: 'project_connection', security_scheme: { project_connection_id: 'mine' } },
    },
  });
  const keys = (given: Record<string, string>): ConnectionCredentials => ({
    type: 'CustomKeys',
    keys: given,
  });
  const apiKey: ConnectionCredentials = { type: 'ApiKey', apiKey: 'k y' };

  test.each<[string, object, ConnectionCredentials, object, string]>([
    ['a header', { type: 'apiKey', in: 'header', name: 'X-Key' }, apiKey, { 'x-key': 'k y' }, '/it'],
    ['the query', { type: 'apiKey', in: 'query', name: 'key' }, apiKey, {}, '/it?key=k%20y'],
    ['a cookie', { type: 'apiKey', in: 'cookie', name: 'key' }, apiKey, { cookie: 'key=k%20y' }, '/it'],
    ['a bearer token', { type: 'http', scheme: 'bearer' }, apiKey, { authorization: 'Bearer k y' }, '/it'],
    [
      'user and password',
      { type: 'http', scheme: 'basic' },
      keys({ username: 'u', password: 'p' }),
      { authorization: `Basic ${btoa('u:p')}` },
      '/it',
    ],
    [
      'a custom key by its name',
      { type: 'apiKey', in: 'header', name: 'X-Key' },
      keys({ 'x-key': 'a', other: 'b' }),
      { 'x-key': 'a' },
      '/it',
    ],
    [
      'a custom key that has its word already',
      { type: 'http', scheme: 'bearer' },
      keys({ Authorization: 'Bearer t' }),
      { authorization: 'Bearer t' },
      '/it',
    ],
  ])('go as %s', async (_, scheme, credentials, headers, url) => {
    const { call, last } = await start({ ...schemes(scheme), credentials });
    await call();
    expect(last()).toMatchObject({ headers, url });
  });

  test('go nowhere where an operation is open to anyone', async () => {
    const { call, last } = await start({
      ...schemes({ type: 'apiKey', in: 'header', name: 'x-key' }),
      operation: { security: [] },
      credentials: apiKey,
    });
    await call();
    expect(last()?.headers).not.toHaveProperty('x-key');
  });

  test('that do not fit are refused before anything is called', async () => {
    const error = await refusal({
      ...schemes({ type: 'apiKey', in: 'header', name: 'x-key' }),
      credentials: keys({ a: '1', b: '2' }),
    });
    expect(error).toMatchObject({
      status: 400,
      target: 'tools[0].openapi.auth.security_scheme.project_connection_id',
      message: expect.stringContaining('looked for x-key, s'),
    });
    expect(error.message).not.toContain('1');
  });

  test('that are not there are refused, and the error says how to add them', async () => {
    const auth = { type: 'project_connection', security_scheme: { project_connection_id: 'other' } };
    expect(await refusal({ openapi: { auth } })).toMatchObject({
      status: 400,
      target: 'tools[0].openapi.auth.security_scheme.project_connection_id',
      message: expect.stringMatching(/No connection 'other'.*`bloomery connection set other`/),
    });
  });

  const inQuery = schemes({ type: 'apiKey', in: 'query', name: 'key' });

  test('go to the origin of its target, whatever the path', async () => {
    const { call, last } = await start({ ...inQuery, credentials: apiKey, address: (url) => `${url}/v2` });
    await call();
    expect(last()?.url).toBe('/it?key=k%20y');
  });

  test('go to no other origin than that of its target', async () => {
    const address = () => 'https://api.example';
    const error = await refusal({ ...inQuery, credentials: apiKey, address });
    expect(error).toMatchObject({ status: 400, target: 'tools[0].openapi.spec.servers' });
    expect(error.message).toMatch(/^The connection 'mine' is for https:\/\/api\.example;/);
    expect(server.requests).toEqual([]);
  });

  test('that an operation does not take are no reason against its address', async () => {
    const { call, last } = await start({
      ...inQuery,
      operation: { security: [] },
      credentials: apiKey,
      address: () => 'https://api.example',
    });
    await call();
    expect(last()?.url).toBe('/it');
  });

  const secret = 'very secret/key';
  test.each<[string, object, ConnectionCredentials]>([
    ['a header', { type: 'apiKey', in: 'header', name: 'X-Plain' }, { type: 'ApiKey', apiKey: secret }],
    ['the query', { type: 'apiKey', in: 'query', name: 'q' }, { type: 'ApiKey', apiKey: secret }],
    ['a cookie', { type: 'apiKey', in: 'cookie', name: 'c' }, keys({ c: secret })],
    ['a bearer token', { type: 'http', scheme: 'bearer' }, { type: 'SAS', sasToken: secret }],
    ['a password', { type: 'http', scheme: 'basic' }, keys({ username: 'u', password: secret })],
  ])('sent as %s are in no answer and no error', async (_, scheme, credentials) => {
    let status = 200;
    const { call } = await start({
      ...schemes(scheme),
      credentials,
      answer: (response, request) => {
        const { url, headers } = request;
        json({ secret, url, headers }, status)(response, request);
      },
    });
    const told = [JSON.stringify(await call())];
    status = 400;
    told.push(await call().then(() => expect.fail('it was answered'), String));
    for (const text of told) {
      expect(text).toContain('[redacted]');
      expect(text).not.toMatch(/very(?: |%20)secret/);
      expect(text).not.toContain(btoa(`u:${secret}`));
    }
  });

  test('are not shown in part where an error is clipped', async () => {
    const { call } = await start({
      ...inQuery,
      credentials: { type: 'ApiKey', apiKey: 'secret-key-1' },
      answer: json(`${'x'.repeat(4085)}secret-key-1`, 400),
    });
    const message = await call().then(() => expect.fail('it was answered'), String);
    expect(message).toContain('[clipped]');
    expect(message).not.toContain('secret');
  });
});

describe('the identity of the server', () => {
  const auth = (audience: string) => ({
    openapi: { auth: { type: 'managed_identity', security_scheme: { audience } } },
  });

  test('is shown to the server itself', async () => {
    const { call, last } = await start(auth(own));
    await call();
    expect(last()?.headers.authorization).toBe('Bearer ours');
  });

  test('is not shown to others', async () => {
    expect(await refusal(auth('https://search.azure.com'))).toMatchObject({
      code: 'unsupported_parameter',
      target: 'tools[0].openapi.auth.security_scheme.audience',
    });
    const elsewhere = { ...auth(own), document: { servers: [{ url: 'https://example.com' }] } };
    expect(await refusal(elsewhere)).toMatchObject({ code: 'unsupported_parameter' });
  });
});

describe('a definition that cannot be', () => {
  const spec = 'tools[0].openapi.spec';
  test.each<[string, Given, string]>([
    ['of another version', { document: { openapi: '2.0' } }, `${spec}.openapi`],
    ['of no version', { document: { openapi: undefined, swagger: '2.0' } }, `${spec}.openapi`],
    ['without paths', { document: { paths: undefined } }, `${spec}.paths`],
    ['without operations', { document: { paths: {} } }, `${spec}.paths`],
    ['without a server', { document: { servers: undefined } }, `${spec}.servers`],
    ['with half an address', { document: { servers: [{ url: '/api' }] } }, `${spec}.servers[0].url`],
    [
      'with a variable without default',
      { document: { servers: [{ url: 'https://{host}/' }] } },
      `${spec}.servers[0].variables.host`,
    ],
    [
      'with an address that is not allowed',
      { document: { servers: [{ url: 'http://169.254.169.254' }] } },
      `${spec}.servers`,
    ],
    [
      'with a reference to nothing',
      { operation: { parameters: [{ $ref: '#/components/parameters/x' }] } },
      `${spec}.paths./it.get.parameters[0]`,
    ],
    [
      'with a reference elsewhere',
      { operation: { requestBody: { $ref: 'https://evil.example/body.json' } } },
      `${spec}.paths./it.get.requestBody`,
    ],
    [
      'with references in a circle',
      {
        operation: { parameters: [{ $ref: '#/components/parameters/x' }] },
        document: { components: { parameters: { x: { $ref: '#/components/parameters/x' } } } },
      },
      `${spec}.paths./it.get.parameters[0]`,
    ],
    ['with an undescribed part of its path', { path: '/{id}' }, `${spec}.paths./{id}.get`],
    [
      'with a style of another place',
      { operation: { parameters: [parameter('header', 'h', { style: 'deepObject' })] } },
      `${spec}.paths./it.get.parameters[0].style`,
    ],
    [
      'with a body that cannot be written',
      { operation: { requestBody: { required: true, content: { 'application/pdf': {} } } } },
      `${spec}.paths./it.get.requestBody.content`,
    ],
    [
      'with a scheme that is not described',
      { operation: { security: [{ nothing: [] }] } },
      `${spec}.paths./it.get.security[0].nothing`,
    ],
    [
      'with a default that is none',
      { operation: { parameters: [parameter('query', 'q')] }, openapi: { default_params: ['q'] } },
      `${spec}.paths./it.get.parameters[0]`,
    ],
    ['with a document that is a text', { openapi: { spec: '{}' } }, 'tools[0].openapi.spec'],
    ['without auth', { openapi: { auth: undefined } }, 'tools[0].openapi.auth'],
  ])('%s is refused at its place', async (_, given, target) => {
    expect(await refusal(given)).toMatchObject({ status: 400, target });
  });

  test('with more operations than models take is refused', async () => {
    const paths = Object.fromEntries(Array.from({ length: 129 }, (_, i) => [`/p${i}`, { get: {} }]));
    expect((await refusal({ document: { paths } })).message).toMatch(
      /129 operations; models take at most 128/,
    );
  });
});
