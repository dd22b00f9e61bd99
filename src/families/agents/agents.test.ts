import { afterEach, describe, expect, test } from 'vitest';
import { finish, says, scriptedModel } from '../testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
afterEach(() => app.close());

async function start() {
  const model = scriptedModel(...Array.from({ length: 50 }, () => [...says('Hi.'), finish()]));
  app = await wholeApp({ 'my-model': model.provider });
  return model;
}

const prompt = (rest: object = {}) => ({ kind: 'prompt', model: 'my-model', ...rest });
const post = (path: string, body?: object) => app.call('POST', path, body);
const get = (path: string) => app.call('GET', path);
const remove = (path: string) => app.call('DELETE', path);
const versions = async (query = '') =>
  ((await get(`/agents/a/versions?order=asc${query}`)).json.data as { version: string }[]).map(
    ({ version }) => version,
  );
const latest = async () =>
  ((await get('/agents/a')).json.versions as { latest: { version: string } }).latest.version;

describe('versions', () => {
  test('a first version makes the agent, each further one is new, and what was sent is kept as it is', async () => {
    await start();
    const definition = prompt({
      instructions: null,
      tools: [{ type: 'newer_tool', any: { thing: 1 } }],
      future: [1],
    });
    const { status, json } = await post('/agents/a/versions', {
      definition,
      metadata: { k: 'v' },
      description: 'd',
    });
    expect([status, json]).toEqual([
      200,
      {
        object: 'agent.version',
        id: 'a:1',
        name: 'a',
        version: '1',
        description: 'd',
        created_at: expect.any(Number),
        metadata: { k: 'v' },
        definition,
        status: 'active',
      },
    ]);
    expect((await post('/agents/a/versions', { definition })).json.version).toBe('2');
    expect((await get('/agents/a')).json).toMatchObject({
      object: 'agent',
      id: 'a',
      name: 'a',
      state: 'enabled',
      versions: { latest: { version: '2', definition } },
      agent_endpoint: {
        version_selector: {
          version_selection_rules: [
            { type: 'FixedRatio', agent_version: '@latest', traffic_percentage: 100 },
          ],
        },
      },
    });
    expect(await versions()).toEqual(['1', '2']);
    for (const name of ['2', 'latest', '@latest']) {
      expect((await get(`/agents/a/versions/${name}`)).json.version).toBe('2');
    }
  });

  test('an update makes one only when the definition changed', async () => {
    await start();
    await post('/agents', { name: 'a', definition: prompt({ instructions: 'x' }) });
    expect(
      (await post('/agents/a', { definition: prompt({ instructions: 'x' }) })).json.versions,
    ).toMatchObject({
      latest: { version: '1' },
    });
    expect(
      (await post('/agents/a', { definition: prompt({ instructions: 'y' }) })).json.versions,
    ).toMatchObject({
      latest: { version: '2' },
    });
    expect((await post('/agents/none', { definition: prompt() })).status).toBe(404);
  });

  test('creating an agent that is there makes a version of it', async () => {
    await start();
    await post('/agents', { name: 'a', definition: prompt() });
    expect((await post('/agents', { name: 'a', definition: prompt() })).json.versions).toMatchObject({
      latest: { version: '2' },
    });
  });

  test('numbers are never used again, and the last version takes the agent with it', async () => {
    await start();
    for (let i = 0; i < 2; i++) await post('/agents/a/versions', { definition: prompt() });
    expect((await remove('/agents/a/versions/2')).json).toEqual({
      object: 'agent.version.deleted',
      name: 'a',
      version: '2',
      deleted: true,
    });
    expect(await latest()).toBe('1');
    expect((await post('/agents/a/versions', { definition: prompt() })).json.version).toBe('3');
    await remove('/agents/a/versions/3');
    await remove('/agents/a/versions/1');
    expect((await get('/agents/a')).status).toBe(404);
    expect((await remove('/agents/a/versions/1')).status).toBe(404);
  });

  test('drafts need their key, are listed when asked for, and never become the latest', async () => {
    await start();
    await post('/agents/a/versions', { definition: prompt() });
    const draft = { definition: prompt(), draft: true };
    expect((await post('/agents/a/versions', draft)).json.error?.code).toBe('preview_feature_required');
    const opened = await post('/agents/a/versions?api-version=2025-11-15-preview', draft);
    expect(opened.json).toMatchObject({ version: '2', draft: true });
    expect(await latest()).toBe('1');
    expect(await versions()).toEqual(['1']);
    expect(await versions('&include_drafts=true')).toEqual(['1', '2']);
  });

  test('are paged by id or number', async () => {
    await start();
    for (let i = 0; i < 5; i++) await post('/agents/a/versions', { definition: prompt() });
    const first = await get('/agents/a/versions?limit=2');
    expect(first.json).toMatchObject({ has_more: true, first_id: 'a:5', last_id: 'a:4' });
    expect((await get('/agents/a/versions?limit=2&after=a:4')).json).toMatchObject({ first_id: 'a:3' });
    expect((await get('/agents/a/versions?limit=2&after=4')).json).toMatchObject({ first_id: 'a:3' });
  });
});

describe('an agent', () => {
  test('is disabled and enabled, again and again', async () => {
    await start();
    await post('/agents/a/versions', { definition: prompt() });
    for (const verb of ['disable', 'disable']) expect((await post(`/agents/a:${verb}`)).status).toBe(204);
    expect((await get('/agents/a')).json.state).toBe('disabled');
    const ask = { input: 'Hi', agent_reference: { type: 'agent_reference', name: 'a' } };
    const refused = await post('/openai/v1/responses', ask);
    expect([refused.status, refused.json.error?.code]).toEqual([403, 'agent_disabled']);
    expect((await post('/agents/a:enable')).text).toBe('');
    expect((await post('/openai/v1/responses', ask)).status).toBe(200);
    expect((await post('/agents/none:enable')).status).toBe(404);
  });

  test('takes patches of its endpoint and card, and ignores what it does not know', async () => {
    await start();
    await post('/agents/a/versions', { definition: prompt() });
    const card = { version: '1', skills: [{ id: 's', name: 'S' }] };
    const patched = await app.call('PATCH', '/agents/a', {
      agent_endpoint: { protocol_configuration: { a2a: {} } },
      agent_card: card,
      default_version: '9',
    });
    expect(patched.json).toMatchObject({
      agent_card: card,
      agent_endpoint: { protocol_configuration: { responses: {}, a2a: {} } },
    });
    const removed = await app.call('PATCH', '/agents/a', {
      agent_endpoint: { protocol_configuration: { responses: null } },
      agent_card: null,
    });
    expect(removed.json).not.toHaveProperty('agent_card');
    const closed = await post('/agents/a/endpoint/protocols/openai/responses?api-version=v1', {
      input: 'Hi',
    });
    expect([closed.status, closed.json.error?.message]).toEqual([
      400,
      expect.stringContaining('does not serve the responses protocol'),
    ]);
  });

  test('loses no patch to another at the same time', async () => {
    await start();
    await post('/agents/a/versions', { definition: prompt() });
    const keys = Array.from({ length: 20 }, (_, i) => `protocol${i}`);
    await Promise.all(
      keys.map((key) =>
        app.call('PATCH', '/agents/a', { agent_endpoint: { protocol_configuration: { [key]: {} } } }),
      ),
    );
    const { protocol_configuration } = (await get('/agents/a')).json.agent_endpoint as Record<string, object>;
    expect(Object.keys(protocol_configuration ?? {})).toEqual(expect.arrayContaining(keys));
  });

  test('is gone when deleted, with its versions, and its name is free', async () => {
    await start();
    await post('/agents/a/versions', { definition: prompt() });
    await post('/agents/a/versions', { definition: prompt() });
    expect((await remove('/agents/a?force=true')).json).toEqual({
      object: 'agent.deleted',
      name: 'a',
      deleted: true,
    });
    expect((await get('/agents/a/versions')).status).toBe(404);
    expect((await remove('/agents/a')).status).toBe(404);
    expect((await post('/agents/a/versions', { definition: prompt() })).json.version).toBe('1');
  });

  test('answers from memory only what is true', async () => {
    await start();
    await post('/agents/a/versions', { definition: prompt({ instructions: 'one' }) });
    for (const instructions of ['two', 'three', 'four']) {
      await Promise.all([
        get('/agents/a'),
        post('/agents/a/versions', { definition: prompt({ instructions }) }),
        get('/agents/a'),
      ]);
      expect((await get('/agents/a')).json).toMatchObject({
        versions: { latest: { definition: { instructions } } },
      });
    }
    await remove('/agents/a');
    expect((await get('/agents/a')).status).toBe(404);
  });
});

describe('the agent’s endpoint', () => {
  const ask = (path = '') =>
    post(`/agents/a/endpoint/protocols/openai${path}/responses?api-version=v1`, { input: 'Hi' });
  const answering = async () => ((await ask()).json.agent_reference as { version: string }).version;

  test('routes by its rules, with and without /v1', async () => {
    await start();
    for (let i = 0; i < 2; i++) await post('/agents/a/versions', { definition: prompt() });
    expect(await answering()).toBe('2');
    await app.call('PATCH', '/agents/a', {
      agent_endpoint: {
        version_selector: {
          version_selection_rules: [{ type: 'FixedRatio', agent_version: '1', traffic_percentage: 100 }],
        },
      },
    });
    expect(await answering()).toBe('1');
    expect((await ask('/v1')).status).toBe(200);
    const listed = await get('/agents/a/endpoint/protocols/openai/responses?api-version=v1');
    expect(listed.json.data).toHaveLength(3);
  });

  test('needs an api-version, and answers in OpenAI’s envelope', async () => {
    await start();
    const response = await fetch(`${await app.listen()}/agents/none/endpoint/protocols/openai/responses`, {
      method: 'POST',
      body: '{"input":"Hi"}',
      headers: { 'content-type': 'application/json', 'api-key': 'key' },
    });
    expect([response.status, await response.json()]).toMatchObject([
      400,
      { error: { code: 'BadRequest', type: 'invalid_request_error' } },
    ]);
    expect((await ask()).json.error).toMatchObject({ code: 'not_found', param: 'agent_name' });
  });
});

describe('what cannot be', () => {
  const rules = (...shares: number[]) => ({
    agent_endpoint: {
      version_selector: {
        version_selection_rules: shares.map((traffic_percentage) => ({
          type: 'FixedRatio',
          agent_version: '1',
          traffic_percentage,
        })),
      },
    },
  });
  test.each([
    [{ definition: prompt() }, 'name', 'missing_required_parameter'],
    [{ name: '-a', definition: prompt() }, 'name', 'invalid_payload'],
    [{ name: 'a'.repeat(64), definition: prompt() }, 'name', 'invalid_payload'],
    [{ name: 'a' }, 'definition', 'missing_required_parameter'],
    [{ name: 'a', definition: {} }, 'definition.kind', 'missing_required_parameter'],
    [{ name: 'a', definition: { kind: 'other' } }, 'definition.kind', 'invalid_payload'],
    [{ name: 'a', definition: { kind: 'prompt' } }, 'definition.model', 'missing_required_parameter'],
    [{ name: 'a', definition: prompt({ temperature: 3 }) }, 'definition.temperature', 'invalid_payload'],
    [
      { name: 'a', definition: prompt({ tools: [{ type: 'function' }] }) },
      'definition.tools[0].name',
      'missing_required_parameter',
    ],
    [
      {
        name: 'a',
        definition: prompt({ tools: [{ type: 'function', name: 'f', parameters: { type: 5 } }] }),
      },
      'definition.tools[0].parameters',
      'invalid_payload',
    ],
    [{ name: 'a', definition: { kind: 'hosted' } }, 'definition.kind', 'unsupported_parameter'],
    [
      { name: 'a', definition: prompt({ skills: [{ name: 's' }] }) },
      'Foundry-Features',
      'preview_feature_required',
    ],
    [
      { name: 'a', definition: prompt(), digital_worker_type: 'm365' },
      'Foundry-Features',
      'preview_feature_required',
    ],
    [{ name: 'a', definition: prompt(), metadata: { ['k'.repeat(65)]: 'v' } }, 'metadata', 'invalid_payload'],
    [
      {
        name: 'a',
        definition: prompt(),
        metadata: Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`k${i}`, 'v'])),
      },
      'metadata',
      'invalid_payload',
    ],
    [{ name: 'a', definition: prompt(), description: 'd'.repeat(513) }, 'description', 'invalid_payload'],
    [
      { name: 'a', definition: prompt(), ...rules(50, 40) },
      'agent_endpoint.version_selector.version_selection_rules',
      'invalid_payload',
    ],
    [
      { name: 'a', definition: prompt(), agent_card: { version: '1', skills: [] } },
      'agent_card.skills',
      'invalid_payload',
    ],
  ])('POST /agents %j is refused', async (body, target, code) => {
    await start();
    const { status, json } = await post('/agents', body);
    expect(status).toBeGreaterThanOrEqual(400);
    expect(status).toBeLessThan(500);
    expect(json.error).toMatchObject({ code, target, param: target });
    expect((await get('/agents')).json.data).toEqual([]);
  });

  test.each(['?limit=0', '?limit=101', '?limit=1.5', '?order=up', '?after=none', '?kind=other'])(
    'listing with %s is refused',
    async (query) => {
      await start();
      expect((await get(`/agents${query}`)).json.error?.code).toBe('invalid_parameter');
    },
  );
});

test('two projects never see each other', async () => {
  await start();
  await post('/agents/a/versions', { definition: prompt() });
  const base = (await app.listen()).replace('/default', '/second');
  const response = await fetch(`${base}/agents/a?api-version=v1`, { headers: { 'api-key': 'key' } });
  expect(response.status).toBe(404);
});
