import { afterEach, expect, test } from 'vitest';
import { type ApiKeys, createApiKeys } from '../../trust/api-keys.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
let keys: ApiKeys;
afterEach(() => app.close());

async function start(createProjectsOnUse = false) {
  keys = createApiKeys({ keys: [], revoked: [] }, { save() {} });
  app = await wholeApp({}, { apiKeys: keys, createProjectsOnUse });
}
const user = 'Azure AI User';
const make = (name: string, ...projects: (string | null)[]) =>
  app.call('POST', '/admin/api_keys', { name, grants: projects.map((project) => ({ role: user, project })) });
const agents = async (project: string, key: unknown) =>
  (await app.call('GET', `/api/projects/${project}/agents`, undefined, { 'api-key': String(key) })).status;

test('a key is for projects that there are', async () => {
  await start();
  expect((await make('ci', 'default', '_project', null)).json.grants).toEqual([
    { role: user, project: 'default' },
    { role: user, project: 'default' },
    { role: user, project: null },
  ]);
  for (const wrong of ['no such/../p', 'defualt', ' default']) {
    const { status, json } = await make('wrong', null, wrong);
    expect([status, json.error]).toMatchObject([400, { target: 'grants[1].project' }]);
  }
  expect(keys.list()).toHaveLength(1);
});

test('where projects are made by their first use, a key is for any that may be', async () => {
  await start(true);
  expect((await make('ci', 'later')).status).toBe(201);
  expect((await make('wrong', 'no such/../p')).status).toBe(400);
});

test('a project is made by the first use of those who may write there', async () => {
  await start(true);
  const grants = [{ role: 'Cognitive Services Data Reader', project: null }];
  const { key: reader } = keys.create({ name: 'reader', grants, lifetimeSeconds: null });
  const { key: writer } = (await make('writer', 'later')).json;
  expect(await agents('later', reader)).toBe(404);
  expect(await agents('later', writer)).toBe(200);
  expect(await agents('later', reader)).toBe(200);
});

test('what a key may do in a project ends with it, whatever has its name afterwards', async () => {
  await start();
  await app.call('POST', '/admin/projects', { name: 'p' });
  const { key: only } = (await make('only', 'p')).json;
  const { key: both } = (await make('both', 'p', 'default')).json;
  expect([await agents('p', only), await agents('p', both)]).toEqual([200, 200]);
  expect((await app.call('DELETE', '/admin/projects/p')).status).toBe(204);
  await app.call('POST', '/admin/projects', { name: 'p' });
  expect([await agents('p', only), await agents('p', both)]).toEqual([401, 403]);
  expect(await agents('default', both)).toBe(200);
  expect(keys.list()).toMatchObject([{ name: 'both', grants: [{ project: 'default' }] }]);
});
