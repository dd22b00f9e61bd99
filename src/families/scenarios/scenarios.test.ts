import { afterEach, beforeEach, expect, test } from 'vitest';
import { createBuiltinModel } from '../../providers/models/builtin/index.ts';
import { ProjectScenarios } from '../../providers/models/builtin/scenarios/project-scenarios.ts';
import { rolesThatMay } from '../testing/roles-that-may.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';
import { operations } from './contract.ts';

let app: WholeApp;

beforeEach(async () => {
  const scenarios = new ProjectScenarios(4000);
  const builtin = createBuiltinModel({
    scenarios: [{ matches: () => true, reply: { text: 'for all' } }],
    ofProject: (project) => scenarios.of(project),
  });
  app = await wholeApp({ builtin }, { scenarios, createProjectsOnUse: true });
});
afterEach(() => app.close());

const put = (project: string, scenarios: unknown) =>
  app.call('PUT', `/admin/scenarios/${project}`, { scenarios });
const says = (text: string, when?: object) => ({ ...(when && { when }), reply: { text } });

async function said(project: string, input = 'Hi', body: object = {}): Promise<string> {
  const path = `/api/projects/${project}/openai/v1/responses`;
  let { json } = await app.call('POST', path, { model: 'builtin', input, ...body });
  while (json.status === 'queued' || json.status === 'in_progress') {
    ({ json } = await app.call('GET', `${path}/${json.id}`));
  }
  return (json.output as { content: { text: string }[] }[]).map(({ content }) => content[0]?.text).join();
}

test('scenarios of a project come before those for all, in it alone, until they end', async () => {
  const order = { name: 'order', ...says('on its way', { input: '/order/i' }) };
  const { status, json } = await put('mine', [order]);
  expect([status, json]).toEqual([200, { project: 'mine', scenarios: [order] }]);
  expect(await said('mine', 'My order?')).toBe('on its way');
  expect(await said('mine', 'My order?', { background: true })).toBe('on its way');
  expect(await said('mine')).toBe('for all');
  expect(await said('yours', 'My order?')).toBe('for all');
  const chat = await app.call('POST', '/api/projects/mine/openai/v1/chat/completions', {
    model: 'builtin',
    messages: [{ role: 'user', content: 'My order?' }],
  });
  expect(chat.json.choices).toMatchObject([{ message: { content: 'on its way' } }]);
  expect((await app.call('GET', '/admin/scenarios')).json).toEqual({ value: [json] });

  await put('mine', [says('replaced')]);
  expect(await said('mine', 'My order?')).toBe('replaced');
  expect((await app.call('DELETE', '/admin/scenarios/mine')).status).toBe(204);
  expect(await said('mine', 'My order?')).toBe('for all');
  for (const method of ['GET', 'DELETE'] as const) {
    const gone = await app.call(method, '/admin/scenarios/mine');
    expect([gone.status, gone.json.error?.param]).toEqual([404, 'name']);
  }
});

test('a project that is deleted leaves none to the next of its name; one that is reset keeps them', async () => {
  await put('mine', [says('mine')]);
  expect(await said('mine')).toBe('mine');
  await app.call('POST', '/admin/projects/mine:reset', {});
  expect(await said('mine')).toBe('mine');
  expect((await app.call('DELETE', '/admin/projects/mine')).status).toBe(204);
  expect(await said('mine')).toBe('for all');
});

test('the default project is known by its other name', async () => {
  expect((await put('_project', [says('default')])).json.project).toBe('default');
  expect(await said('default')).toBe('default');
});

test('what is wrong is named, and those in force stay', async () => {
  await put('mine', [says('kept')]);
  const refused = async (scenarios: unknown, project = 'mine') => {
    const { status, json } = await put(project, scenarios);
    return [status, json.error?.param];
  };
  expect(await refused([says('a'), { reply: {} }])).toEqual([400, 'scenarios[1].reply']);
  expect(await refused([{ reply: { text: 'a', json: {} } }])).toEqual([400, 'scenarios[0].reply.json']);
  expect(await refused([says('a', { input: '/(/' })])).toEqual([400, 'scenarios[0].when.input']);
  expect(await refused([says('a', { wen: 1 })])).toEqual([400, 'scenarios[0].when']);
  expect(await refused(undefined)).toEqual([400, 'scenarios']);
  expect(await refused([says('a')], 'no%20name')).toEqual([400, 'name']);
  expect(await said('mine')).toBe('kept');
});

test('all together have a bound, and room is made by replacing', async () => {
  const long = says('x'.repeat(2500));
  expect((await put('one', [long])).status).toBe(200);
  const { status, json } = await put('two', [long]);
  expect([status, json.error?.code]).toEqual([403, 'quota_exceeded']);
  expect((await put('one', [long])).status).toBe(200);
  await app.call('DELETE', '/admin/scenarios/one');
  expect((await put('two', [long])).status).toBe(200);
});

test('only roles that administer the server script anything', () => {
  const administrators = ['Azure AI Account Owner', 'Azure AI Owner', 'Cognitive Services Contributor'];
  expect(rolesThatMay(operations.put)).toEqual(administrators);
  expect(rolesThatMay(operations.delete)).toEqual(administrators);
});
