import { existsSync, readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { testKey } from '../testing/test-app.ts';
import { agent, furnished, made } from './testing/furnished.ts';
import { type ProjectApp, projectApp, steadyModel } from './testing/project-app.ts';

let app: ProjectApp;
afterEach(() => app.close());

const names = async () =>
  ((await app.admin('GET', '/projects')).json.value as { name: string }[]).map(({ name }) => name);
const itemsOf = async (project: string, id: string) =>
  (await app.in(project)('GET', `/v1/conversations/${id}/items?order=asc&limit=100`)).json.data;
const found = async (project: string, store: string, query: string) =>
  (
    (await app.in(project)('POST', `/v1/vector_stores/${store}/search`, { query })).json.data as {
      content: [{ text: string }];
      score: number;
    }[]
  ).map(({ content, score }) => ({ text: content[0].text, score }));
const soon = (check: () => void | Promise<void>) => vi.waitFor(check, { timeout: 20_000, interval: 20 });
const contents = () => readdirSync(join(app.directory, 'files')).filter((name) => name !== 'drafts');

describe('projects', () => {
  test('are made, listed, told and deleted; another of the same name is empty', async () => {
    app = await projectApp();
    const created = await app.admin('POST', '/projects', { name: 'blue' });
    expect([created.status, created.json]).toEqual([
      201,
      {
        name: 'blue',
        created_at: expect.any(Number),
        origin: 'created',
        fork_of: null,
        is_default: false,
        url: expect.stringMatching(/^http:\/\/[^/]+\/api\/projects\/blue$/),
      },
    ]);
    expect(await names()).toEqual(['blue', 'default']);
    expect((await app.admin('GET', '/projects/blue')).json).toEqual(created.json);
    const id = made(await app.in('blue')('POST', '/v1/conversations', {}));
    expect((await app.admin('DELETE', '/projects/blue')).status).toBe(204);
    expect((await app.in('blue')('GET', `/v1/conversations/${id}`)).status).toBe(404);
    expect((await app.admin('GET', '/projects/blue')).status).toBe(404);
    await app.admin('POST', '/projects', { name: 'blue' });
    expect((await app.in('blue')('GET', '/v1/conversations')).json.data).toEqual([]);
  });

  test.each([
    ['POST', '/projects', { name: '_project' }, 400],
    ['POST', '/projects', { name: 'a/b' }, 400],
    ['POST', '/projects', { name: 'default' }, 409],
    ['DELETE', '/projects/default', undefined, 409],
    ['DELETE', '/projects/none', undefined, 404],
    ['POST', '/projects/none:fork', { name: 'x' }, 404],
    ['POST', '/projects/default:fork', { name: 'default' }, 409],
    ['POST', '/projects/none:reset', undefined, 404],
    ['POST', '/projects/default:reset', { to: 'origin' }, 409],
  ] as const)('%s %s with %j is %i', async (method, path, body, status) => {
    app = await projectApp();
    expect((await app.admin(method, path, body)).status).toBe(status);
    expect(await names()).toEqual(['default']);
  });

  test('the default one may be called _project, as elsewhere', async () => {
    app = await projectApp();
    const forked = await app.admin('POST', '/projects/_project:fork', { name: 'twin' });
    expect([forked.status, forked.json.fork_of]).toEqual([201, 'default']);
    expect((await app.admin('GET', '/projects/_project')).json.name).toBe('default');
  });

  test('are made by their first use where that is wished, and nowhere else', async () => {
    app = await projectApp({}, { createProjectsOnUse: true });
    const replies = await Promise.all([
      app.in('green')('GET', '/v1/conversations'),
      app.in('green')('POST', '/v1/conversations', {}),
      app.in('bad name')('GET', '/v1/conversations'),
    ]);
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 404]);
    expect((await app.admin('GET', '/projects/green')).json.origin).toBe('first use');
    await app.close();
    app = await projectApp();
    expect((await app.in('green')('GET', '/v1/conversations')).status).toBe(404);
  });

  test('there are no more of them than may be', async () => {
    app = await projectApp({}, { createProjectsOnUse: true, limits: { projects: 2 } });
    expect((await app.in('one')('GET', '/v1/conversations')).status).toBe(200);
    expect((await app.in('two')('GET', '/v1/conversations')).status).toBe(409);
    expect((await app.admin('POST', '/projects', { name: 'two' })).status).toBe(409);
  });
});

describe('a fork', () => {
  test('has all that its origin had, by the same ids, and is another project from then on', async () => {
    app = await projectApp();
    await app.admin('POST', '/projects', { name: 'other' });
    await furnished(app, 'other');
    const ids = await furnished(app, 'default');
    const forked = await app.admin('POST', '/projects/default:fork', { name: 'twin' });
    expect([forked.status, forked.json.fork_of]).toEqual([201, 'default']);

    const paths = [
      '/agents?order=asc',
      '/agents/helper/versions',
      '/v1/conversations',
      `/v1/conversations/${ids.conversation}/items`,
      '/v1/responses',
      `/v1/responses/${ids.response}/input_items`,
      '/v1/chat/completions',
      '/v1/chat/completions?metadata[a]=b',
      '/v1/files',
      '/v1/vector_stores',
      `/v1/vector_stores/${ids.store}/files`,
      `/v1/files/${ids.file}/content`,
    ];
    for (const path of paths) {
      const [one, two] = [await app.in('default')('GET', path), await app.in('twin')('GET', path)];
      expect({ status: two.status, text: two.text }, path).toEqual({ status: 200, text: one.text });
    }
    const secret = await app.in('twin')('POST', '/connections/search/getConnectionWithCredentials');
    expect(secret.json.credentials).toEqual({ type: 'ApiKey', key: 'secret' });
    expect(await found('twin', ids.store, 'apple')).toEqual(await found('default', ids.store, 'apple'));

    for (const [here, there] of [
      ['twin', 'default'],
      ['default', 'twin'],
    ] as const) {
      const call = app.in(here);
      const before = await Promise.all(paths.map((path) => app.in(there)('GET', path)));
      made(await call('POST', '/agents/helper/versions', agent('third-model')));
      await call('POST', '/v1/responses', {
        ...{ model: 'my-model', input: here },
        conversation: ids.conversation,
      });
      await call('POST', `/v1/conversations/${ids.conversation}`, { metadata: { in: here } });
      await call('POST', `/v1/vector_stores/${ids.store}`, { name: here });
      await call('POST', `/v1/chat/completions/${ids.completion}`, { metadata: { a: here } });
      await call('PUT', '/connections/search', { type: 'ApiKey', target: 'https://elsewhere.example' });
      const file = await app.upload(here, 'b.txt', 'apple apple fig');
      await call('POST', `/v1/vector_stores/${ids.store}/files`, { file_id: file });
      expect(await app.filled(here, ids.store)).toMatchObject({ file_counts: { completed: 2 } });
      const after = await Promise.all(paths.map((path) => app.in(there)('GET', path)));
      expect(after.map(({ text }) => text)).toEqual(before.map(({ text }) => text));
      expect(await found(here, ids.store, 'fig')).toHaveLength(1);
      if (here === 'twin') {
        expect(await found(there, ids.store, 'fig')).toEqual([]);
        expect((await app.in(there)('GET', '/connections/search')).json.target).toBe(
          'https://search.example',
        );
      }
    }
  });

  test('of a project in use, of forks of it, and so on: each has its items in order', {
    timeout: 60_000,
  }, async () => {
    app = await projectApp(undefined, { limits: { contextItems: 500 } });
    const call = app.in('default');
    const conversation = made(await call('POST', '/v1/conversations', {}));
    const turn = (input: string) =>
      call('POST', '/v1/responses', { model: 'my-model', input, conversation }).then(made);
    const first = await turn('first');
    for (let n = 0; n < 60; n++) {
      await turn(`${n}`);
      expect((await app.admin('POST', '/projects/default:fork', { name: `f${n}` })).status).toBe(201);
      if (n > 0) await app.admin('DELETE', `/projects/f${n - 1}`);
    }
    expect(await itemsOf('f59', conversation)).toEqual(await itemsOf('default', conversation));
    made(await call('POST', '/v1/conversations', { items: [{ role: 'user', content: 'Hi' }] }));
    const body = { model: 'my-model', input: 'x', previous_response_id: first };
    const tokens = (name: string) => app.in(name)('POST', '/v1/responses/input_tokens', body);
    expect((await tokens('f59')).json).toMatchObject({ input_tokens: 3 });
  });

  test('is refused where too many origins stand behind it to read their secrets', {
    timeout: 60_000,
  }, async () => {
    app = await projectApp();
    await furnished(app, 'default');
    const statuses: number[] = [];
    for (let n = 1; n <= 51; n++) {
      const from = n === 1 ? 'default' : `f${n - 1}`;
      const reply = await app.admin('POST', `/projects/${from}:fork`, { name: `f${n}` });
      statuses.push(reply.status);
      if (n === 51) expect(reply.json.error?.message).toContain('secrets');
    }
    expect(statuses).toEqual([...new Array(50).fill(201), 409]);
    const secret = await app.in('f50')('POST', '/connections/search/getConnectionWithCredentials');
    expect(secret.json.credentials).toMatchObject({ key: 'secret' });
  });

  test('goes on where its origin is gone, with what both had; then that is gone as well', async () => {
    app = await projectApp();
    await app.admin('POST', '/projects', { name: 'first' });
    const ids = await furnished(app, 'first');
    await app.admin('POST', '/projects/first:fork', { name: 'second' });
    const hits = await found('first', ids.store, 'apple');
    expect((await app.admin('DELETE', '/projects/first')).status).toBe(204);
    expect((await app.admin('GET', '/projects/second')).json.fork_of).toBeNull();
    const call = app.in('second');
    expect((await call('GET', `/v1/files/${ids.file}/content`)).text).toBe('apple pear\napple\nplum');
    expect(await found('second', ids.store, 'apple')).toEqual(hits);
    const secret = await call('POST', '/connections/search/getConnectionWithCredentials');
    expect(secret.json.credentials).toMatchObject({ key: 'secret' });
    const next = await call('POST', '/v1/responses', {
      model: 'my-model',
      input: 'c',
      previous_response_id: ids.inConversation,
    });
    expect(next.status).toBe(200);

    await call('DELETE', `/v1/files/${ids.file}`);
    await soon(() => expect(contents()).toEqual([]));
    expect(await found('second', ids.store, 'apple')).toEqual([]);
  });

  test('of files: what one deletes stays for the other', async () => {
    app = await projectApp();
    const ids = await furnished(app, 'default');
    await app.admin('POST', '/projects/default:fork', { name: 'twin' });
    await app.in('default')('DELETE', `/v1/files/${ids.file}`);
    expect((await app.in('twin')('GET', `/v1/files/${ids.file}/content`)).status).toBe(200);
    await soon(async () => expect(await found('default', ids.store, 'apple')).toEqual([]));
    expect(await found('twin', ids.store, 'apple')).toHaveLength(2);
    await app.in('twin')('DELETE', `/v1/vector_stores/${ids.store}`);
    await app.in('twin')('DELETE', `/v1/files/${ids.file}`);
    expect(existsSync(join(app.directory, 'files', ids.file))).toBe(false);
  });

  test('leaves behind what is under way, and its conversation is free', async () => {
    const held = Promise.withResolvers<void>();
    app = await projectApp({ slow: steadyModel([() => held.promise]), 'my-model': steadyModel() });
    const call = app.in('default');
    const conversation = made(await call('POST', '/v1/conversations', {}));
    const running = made(
      await call('POST', '/v1/responses', { model: 'slow', input: 'x', background: true, conversation }),
    );
    await app.admin('POST', '/projects/default:fork', { name: 'twin' });
    expect((await app.in('twin')('GET', `/v1/responses/${running}`)).status).toBe(404);
    const turn = { model: 'my-model', input: 'y', conversation };
    expect((await app.in('twin')('POST', '/v1/responses', turn)).status).toBe(200);
    expect((await call('POST', '/v1/responses', turn)).status).toBe(409);
    held.resolve();
  });

  test('of an agent that names a connection by its id names its own', async () => {
    app = await projectApp();
    const { json } = await (async () => {
      await app.in('default')('PUT', '/connections/mine', {
        type: 'CognitiveSearch',
        target: 'https://s.example',
      });
      return app.in('default')('GET', '/connections/mine');
    })();
    const definition = { ...agent('my-model').definition, instructions: `Use ${json.id}.` };
    await app.in('default')('POST', '/agents/a/versions', { definition });
    await app.admin('POST', '/projects/default:fork', { name: 'twin' });
    const { text } = await app.in('twin')('GET', '/agents/a/versions/1');
    const own = (await app.in('twin')('GET', '/connections/mine')).json.id;
    expect(text).toContain(`Use ${own}.`);
  });
});

describe('a reset', () => {
  test('empties a project, and nothing of it is left', async () => {
    app = await projectApp();
    const ids = await furnished(app, 'default');
    expect((await app.admin('POST', '/projects/default:reset')).status).toBe(200);
    for (const path of ['/agents', '/v1/conversations', '/v1/responses', '/v1/files', '/v1/vector_stores']) {
      expect((await app.in('default')('GET', path)).json.data, path).toEqual([]);
    }
    expect((await app.in('default')('GET', '/agents/helper')).status).toBe(404);
    expect((await app.in('default')('GET', `/v1/conversations/${ids.conversation}`)).status).toBe(404);
    await soon(() => expect(contents()).toEqual([]));
  });

  test('brings a fork back to what its origin has, or to nothing', async () => {
    app = await projectApp();
    const ids = await furnished(app, 'default');
    await app.admin('POST', '/projects/default:fork', { name: 'twin' });
    const call = app.in('twin');
    const before = await itemsOf('twin', ids.conversation);
    await call('POST', '/v1/responses', { model: 'my-model', input: 'x', conversation: ids.conversation });
    await call('DELETE', '/agents/helper');
    await call('DELETE', `/v1/vector_stores/${ids.store}`);
    const file = await app.upload('twin', 'b.txt', 'fig');
    await app.admin('POST', '/projects/twin:reset');
    expect(await itemsOf('twin', ids.conversation)).toEqual(before);
    expect((await call('GET', '/agents/helper')).json).toMatchObject({
      versions: { latest: { version: '2' } },
    });
    expect(await found('twin', ids.store, 'apple')).toHaveLength(2);
    expect((await call('GET', `/v1/files/${file}`)).status).toBe(404);
    await soon(() => expect(contents()).toEqual([ids.file]));

    await app.admin('POST', '/projects/twin:reset', { to: 'empty' });
    expect((await call('GET', '/v1/conversations')).json.data).toEqual([]);
    expect(await found('default', ids.store, 'apple')).toHaveLength(2);
    expect(contents()).toEqual([ids.file]);
  });

  test('ends what is under way, visibly', async () => {
    let started = Promise.withResolvers<void>();
    const hang = steadyModel([
      (signal) =>
        new Promise((_, reject) => {
          started.resolve();
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
    ]);
    app = await projectApp({ slow: hang });
    const call = app.in('default');
    const body = { model: 'slow', input: 'x' };
    made(await call('POST', '/v1/responses', { ...body, background: true }));
    const answered = [
      call('POST', '/v1/responses', body),
      call('POST', '/v1/responses', { ...body, stream: true }),
    ];
    await started.promise;
    started = Promise.withResolvers();
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect((await app.admin('POST', '/projects/default:reset')).status).toBe(200);
    const [plain, stream] = await Promise.all(answered);
    expect(plain?.status).toBe(503);
    expect(stream?.text).toContain('response.failed');
    expect((await call('GET', '/v1/responses')).json.data).toEqual([]);
  });

  test.each([
    ['JSON', '/responses', 'application/json', '{"model":'],
    [
      'a file',
      '/files',
      'multipart/form-data; boundary=edge',
      '--edge\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc',
    ],
  ])('does not wait for whoever sends %s slowly', async (_, path, contentType, begun) => {
    app = await projectApp();
    const { hostname, port } = new URL(await app.listen());
    const socket = connect(Number(port), hostname);
    let said = '';
    socket.setEncoding('utf8').on('error', () => {});
    const heard = (text: string) =>
      new Promise<void>((resolve) => {
        socket.on('data', (more: string) => {
          said += more;
          if (said.includes(text)) resolve();
        });
      });
    const headers = { host: hostname, 'api-key': testKey, 'content-type': contentType };
    const lines = Object.entries({ ...headers, 'content-length': 5_000_000, expect: '100-continue' });
    const head = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.write(`POST /api/projects/default/openai/v1${path} HTTP/1.1\r\n${head}\r\n`);
    await heard('100 Continue');
    socket.write(begun);
    const answered = heard('reset or deleted');
    expect((await app.admin('POST', '/projects/default:reset')).status).toBe(200);
    await answered;
    socket.destroy();
    expect(said).toMatch(/HTTP\/1\.1 503 /);
    expect(said).toMatch(/^connection: close/im);
    expect((await app.in('default')('GET', '/v1/files')).json.data).toEqual([]);
  });
});
