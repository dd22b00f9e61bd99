import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ServerTool } from '../../providers/tools/tool.ts';
import { type ApiKeys, createApiKeys } from '../../trust/api-keys.ts';
import { finish, says, scriptedModel } from '../testing/scripted-model.ts';
import { scriptedTool } from '../testing/scripted-tool.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
let keys: ApiKeys;
/** The roles that the tool was opened with. */
let opened: (readonly string[])[];
beforeEach(async () => {
  keys = createApiKeys({ keys: [], revoked: [] }, { save() {} });
  const turns = Array.from({ length: 9 }, () => [...says('Hello.'), finish()]);
  const scripted = scriptedTool({ run: () => 'done' });
  const tool: ServerTool = {
    ...scripted,
    open(definition, context) {
      opened.push(context.roles);
      return scripted.open(definition, context);
    },
  };
  opened = [];
  app = await wholeApp({ 'my-model': scriptedModel(...turns).provider }, { apiKeys: keys, tools: [tool] });
  for (const name of ['ada', 'bob']) {
    await app.call('POST', '/agents', { name, definition: { kind: 'prompt', model: 'my-model' } });
  }
});
afterEach(() => app.close());

type Place = 'ada' | 'bob' | 'project';
const at = (place: Place, path: string): string =>
  place === 'project'
    ? `/openai/v1${path}`
    : `/agents/${place}/endpoint/protocols/openai${path}${path.includes('?') ? '&' : '?'}api-version=v1`;
const post = (place: Place, path: string, body: object, headers = {}) =>
  app.call('POST', at(place, path), body, headers);
const respond = (place: Place, body: object = {}) =>
  post(place, '/responses', { ...(place === 'project' ? { model: 'my-model' } : {}), input: 'Hi', ...body });
const idOf = async (reply: ReturnType<typeof post>): Promise<string> => String((await reply).json.id);
const nowhere = (id: string, other: string, text: string) => text.replaceAll(id, other);

test('has the responses of its own agent, and no others, by id and by reference', async () => {
  const ids = {
    ada: await idOf(respond('ada')),
    bob: await idOf(respond('bob')),
    project: await idOf(respond('project')),
  };
  const calls = (id: string): [method: 'GET' | 'POST' | 'DELETE', path: string, body?: object][] => [
    ['GET', `/responses/${id}`],
    ['GET', `/responses/${id}/input_items`],
    ['POST', `/responses/${id}/cancel`],
    ['DELETE', `/responses/${id}`],
    ['POST', '/responses', { input: 'Hi', previous_response_id: id }],
  ];
  const none = `${ids.bob.slice(0, -4)}0000`;
  for (const id of [ids.bob, ids.project]) {
    for (const [i, [method, path, body]] of calls(id).entries()) {
      const refused = await app.call(method, at('ada', path), body);
      const [, never = '', neverBody] = calls(none)[i] ?? [];
      const unheard = await app.call(method, at('ada', never), neverBody);
      expect([path, refused.status]).toEqual([path, unheard.status]);
      expect(refused.json.error?.code).toBe(unheard.json.error?.code);
      expect(nowhere(id, none, String(refused.json.error?.message))).toBe(unheard.json.error?.message);
    }
  }
  expect((await app.call('GET', at('ada', `/responses/${ids.ada}`))).status).toBe(200);
  expect((await respond('ada', { previous_response_id: ids.ada })).status).toBe(200);
  for (const id of Object.values(ids)) {
    expect((await app.call('GET', at('project', `/responses/${id}`))).status).toBe(200);
  }
});

test('has the conversations made there, and no others, whoever answered in them', async () => {
  const ids = {
    ada: await idOf(post('ada', '/conversations', {})),
    bob: await idOf(post('bob', '/conversations', {})),
    project: await idOf(post('project', '/conversations', {})),
  };
  const reference = { agent_reference: { type: 'agent_reference', name: 'ada' } };
  expect((await respond('project', { conversation: ids.project, ...reference })).status).toBe(200);
  expect((await respond('ada', { conversation: ids.ada })).status).toBe(200);
  expect((await app.call('GET', at('ada', '/conversations'))).json.data).toMatchObject([{ id: ids.ada }]);
  for (const id of [ids.bob, ids.project]) {
    const path = `/conversations/${id}`;
    const replies = [
      await app.call('GET', at('ada', path)),
      await app.call('GET', at('ada', `${path}/items`)),
      await post('ada', path, { metadata: {} }),
      await post('ada', `${path}/items`, { items: [{ role: 'user', content: 'Hi' }] }),
      await app.call('DELETE', at('ada', path)),
      await respond('ada', { conversation: id }),
    ];
    expect(replies.map(({ status }) => status)).toEqual(replies.map(() => 404));
    expect((await app.call('GET', at('project', path))).status).toBe(200);
  }
  expect((await app.call('GET', at('project', `/conversations/${ids.ada}`))).status).toBe(200);
});

test('reads files for those only who may read them', async () => {
  const { key } = keys.create({
    name: 'consumer',
    grants: [{ role: 'Foundry Agent Consumer', project: 'default' }],
    lifetimeSeconds: null,
  });
  const input = [{ role: 'user', content: [{ type: 'input_file', file_id: 'file-secret' }] }];
  for (const [path, body] of [
    ['/responses', { input }],
    ['/conversations', { items: input }],
  ] as const) {
    const refused = await post('ada', path, body, { 'api-key': key });
    expect([refused.status, refused.json.error?.code]).toEqual([403, 'PermissionDenied']);
    expect(refused.text).toContain('AIServices/assets/read');
  }
  expect((await post('ada', '/responses', { input: 'Hi' }, { 'api-key': key })).status).toBe(200);
  expect((await post('ada', '/responses', { input })).status).not.toBe(403);
});

test('gives tools the roles of who talks to the agent, in the project', async () => {
  const tools = [{ type: 'scripted', functions: ['go'] }];
  const definition = { kind: 'prompt', model: 'my-model', tools };
  expect((await app.call('POST', '/agents', { name: 'eve', definition })).status).toBe(200);
  const { key } = keys.create({
    name: 'consumer',
    grants: [
      { role: 'Foundry Agent Consumer', project: null },
      { role: 'Azure AI Owner', project: 'elsewhere' },
    ],
    lifetimeSeconds: null,
  });
  opened = [];
  const path = '/agents/eve/endpoint/protocols/openai/responses?api-version=v1';
  expect((await app.call('POST', path, { input: 'Hi' }, { 'api-key': key })).status).toBe(200);
  expect(opened).toEqual([['Foundry Agent Consumer']]);
});
