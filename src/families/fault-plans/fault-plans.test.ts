import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import OpenAI, { APIConnectionError } from 'openai';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ActiveFaults } from '../../faults/active-faults.ts';
import { readPlanFile } from '../../faults/plan-file.ts';
import { withFaults } from '../../providers/models/with-faults.ts';
import { rolesThatMay } from '../testing/roles-that-may.ts';
import { calls, finish, says, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { scriptedTool } from '../testing/scripted-tool.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';
import { operations } from './contract.ts';

const turn: Turn = [...says('Hel', 'lo'), finish()];
const deployment = {
  name: 'm',
  provider: 'openai-compatible',
  model: 'some-model',
  baseUrl: 'http://model.invalid/v1',
  apiKey: null,
  apiVersion: null,
  timeoutSeconds: 5,
  modelVersion: null,
  modelPublisher: null,
} as const;

const tool = scriptedTool({ timeoutSeconds: 30, run: () => 'done' });
let app: WholeApp;
let model: ReturnType<typeof scriptedModel>;

async function start(...turns: Turn[]) {
  model = scriptedModel(...(turns.length > 0 ? turns : Array.from({ length: 20 }, () => turn)));
  app = await wholeApp(
    { m: withFaults(model.provider, deployment) },
    { tools: [tool], createProjectsOnUse: true },
  );
}

beforeEach(() => start());
afterEach(() => app.close());

const put = async (name: string, plan: object) => {
  const { status, json } = await app.call('PUT', `/admin/fault_plans/${name}`, plan);
  expect([status, json.error]).toEqual([200, undefined]);
};
const ask = (body: object = {}, headers: Record<string, string> = {}, project = 'default') =>
  app.call(
    'POST',
    `/api/projects/${project}/openai/v1/responses`,
    { model: 'm', input: 'Hi', ...body },
    headers,
  );
const fired = async (query = '') => {
  const { json } = await app.call('GET', `/admin/faults${query}`);
  return json.value as Record<string, unknown>[];
};
const create = 'POST /openai/v1/responses';
const busy = { name: 'busy', fault: 'status', status: 429, match: { operation: create }, when: { first: 1 } };

test('a status, with Retry-After, is answered, marked, listed and counted', async () => {
  await put('p', { faults: [{ ...busy, retryAfterSeconds: 7 }] });
  const struck = await ask();
  expect([struck.status, struck.json.error?.code]).toEqual([429, 'rate_limit_exceeded']);
  expect(struck.headers).toMatchObject({
    'retry-after': '7',
    'x-bloomery-fault': 'busy',
    'x-bloomery-fault-plan': 'p',
  });
  const spared = await ask();
  expect([spared.status, spared.headers['x-bloomery-fault']]).toEqual([200, undefined]);
  expect(await fired()).toEqual([
    {
      number: 1,
      time: expect.any(String),
      plan: 'p',
      rule: 'busy',
      fault: 'status',
      project: 'default',
      operation: create,
      agent: null,
      requestId: struck.headers['x-request-id'],
    },
  ]);
  const { json } = await app.call('GET', '/admin/fault_plans/p');
  expect(json.counts).toEqual([{ rule: 'busy', matched: 2, fired: 1 }]);
  expect(model.requests).toHaveLength(1);
});

test('a status without Retry-After carries none, and any status may be asked for', async () => {
  await put('p', { faults: [{ name: 'gone', fault: 'status', status: 504, when: { nth: 2 } }] });
  expect((await ask()).status).toBe(200);
  const struck = await app.call('GET', '/agents');
  expect([struck.status, struck.headers['retry-after'], struck.json.error?.code]).toEqual([
    504,
    undefined,
    'service_unavailable',
  ]);
});

test('other projects, operations, agents and routes run clean', async () => {
  await put('p', {
    scope: { project: 'struck' },
    faults: [
      { name: 'agent', fault: 'status', status: 500, match: { agent: 'travel' } },
      { name: 'route', fault: 'status', status: 503, match: { route: '/openai/v1/responses/*' } },
    ],
  });
  const agent = { agent_reference: { type: 'agent_reference', name: 'travel' } };
  expect((await ask(agent, {}, 'struck')).status).toBe(500);
  expect((await ask(agent)).status).toBe(404);
  expect((await ask({}, {}, 'struck')).status).toBe(200);
  expect((await app.call('GET', '/api/projects/struck/agents/travel')).status).toBe(500);
  expect((await app.call('GET', '/api/projects/struck/openai/v1/responses/r')).status).toBe(503);
  expect((await app.call('GET', '/openai/v1/responses/r')).status).toBe(404);
  const clean = await ask();
  expect(clean.headers['x-bloomery-fault-plan']).toBeUndefined();
});

test('a token chooses the plan of an administrator; one that nobody knows is refused', async () => {
  await put('mine', { scope: { token: 'test-0001' }, faults: [{ ...busy, when: {} }] });
  const header = (token: string) => ({ 'x-bloomery-fault-plan': token });
  expect((await ask()).status).toBe(200);
  expect((await ask({}, header('test-0001'))).status).toBe(429);
  const unknown = await ask({}, header('test-0002'));
  expect([unknown.status, unknown.json.error?.param]).toEqual([400, 'x-bloomery-fault-plan']);
  expect((await app.call('DELETE', '/admin/fault_plans/mine')).status).toBe(204);
  expect((await ask({}, header('test-0001'))).status).toBe(400);
  await put('theirs', { scope: { token: 'test-0001', project: 'other' }, faults: [busy] });
  expect((await ask({}, header('test-0001'))).status).toBe(400);
});

test('only roles that administer the server may make, see or end plans', () => {
  const administrators = ['Azure AI Account Owner', 'Azure AI Owner', 'Cognitive Services Contributor'];
  expect(rolesThatMay(operations.put)).toEqual(administrators);
  expect(rolesThatMay(operations.delete)).toEqual(administrators);
  const strangers = ['Foundry Agent Consumer', 'Cognitive Services Data Reader', 'Azure AI Developer'];
  for (const operation of [operations.list, operations.get, operations.fired]) {
    expect(rolesThatMay(operation).filter((name) => strangers.includes(name))).toEqual([]);
  }
});

test('administration is spared by every plan', async () => {
  await put('all', { faults: [{ name: 'all', fault: 'status', status: 503 }] });
  expect((await app.call('GET', '/agents')).status).toBe(503);
  expect((await app.call('DELETE', '/admin/fault_plans/all')).status).toBe(204);
  expect((await app.call('GET', '/agents')).status).toBe(200);
});

test('what is wrong with a plan is named, and the one in force stays', async () => {
  await put('p', { faults: [busy] });
  const refused = async (plan: object) => {
    const { status, json } = await app.call('PUT', '/admin/fault_plans/p', plan);
    return [status, json.error?.param ?? json.error?.message];
  };
  expect(await refused({ faults: [{ ...busy, status: undefined }] })).toEqual([400, 'faults[0]']);
  expect(await refused({ faults: [busy, busy] })).toEqual([400, 'faults[1].name']);
  expect(await refused({ faults: [{ ...busy, event: 1 }] })).toEqual([400, 'faults[0].event']);
  expect(await refused({ faults: [{ ...busy, match: { operation: 'POST /nothing' } }] })).toEqual([
    400,
    'faults[0].match.operation',
  ]);
  expect(await refused({ faults: [{ ...busy, match: { operation: 'GET /admin/faults' } }] })).toEqual([
    400,
    'faults[0].match.operation',
  ]);
  expect(await refused({ faults: [{ ...busy, when: { probability: 2 } }] })).toEqual([
    400,
    'faults[0].when.probability',
  ]);
  expect(await refused({ faults: [{ ...busy, match: { tool: 'mcp' } }] })).toEqual([
    400,
    'faults[0].match.tool',
  ]);
  expect((await app.call('PUT', '/admin/fault_plans/a%20b', { faults: [busy] })).status).toBe(400);
  expect((await ask()).status).toBe(429);
  expect((await app.call('GET', '/admin/fault_plans/none')).status).toBe(404);
});

test('a full disk refuses what brings something, and nothing else', async () => {
  await put('p', { faults: [{ name: 'full', fault: 'storage_full' }] });
  const struck = await ask();
  expect([struck.status, struck.json.error?.code, struck.headers['x-bloomery-fault']]).toEqual([
    507,
    'insufficient_storage',
    'full',
  ]);
  expect((await app.call('GET', '/agents')).status).toBe(200);
});

test('a request that is struck is not kept as the answer to its id', async () => {
  await put('p', { faults: [{ ...busy, status: 500 }] });
  const id = { 'idempotency-key': 'once' };
  expect((await ask({}, id)).status).toBe(500);
  expect((await ask({}, id)).status).toBe(200);
});

test('delays are marked, and the answer is whole', async () => {
  await put('p', {
    faults: [
      { name: 'slow', fault: 'latency', milliseconds: 5 },
      { name: 'late', fault: 'slow_first_byte', milliseconds: 5 },
    ],
  });
  const { status, headers, json } = await ask();
  expect([status, headers['x-bloomery-fault'], json.status]).toEqual([200, 'slow, late', 'completed']);
});

test("a model's failure is told as its server would have made it", async () => {
  await put('p', {
    faults: [
      { name: 'limited', fault: 'model_failure', status: 429, retryAfterSeconds: 3, when: { nth: 1 } },
      { name: 'broken', fault: 'model_failure', match: { deployment: 'm' }, when: { nth: 2 } },
      { name: 'other', fault: 'model_failure', match: { deployment: 'other' } },
    ],
  });
  const limited = await ask();
  expect([limited.status, limited.headers['retry-after'], limited.headers['x-bloomery-fault']]).toEqual([
    429,
    '3',
    'limited',
  ]);
  const broken = await ask();
  expect([broken.status, broken.json.error?.code]).toEqual([502, 'model_error']);
  expect((await ask()).status).toBe(200);
  expect(model.requests).toHaveLength(1);
});

test('a model may fail mid-way: the stream ends in response.failed', async () => {
  await put('p', { faults: [{ name: 'midway', fault: 'model_failure', status: 503, event: 1 }] });
  const { text, headers } = await ask({ stream: true });
  expect(headers['x-bloomery-fault']).toBe('midway');
  expect(text).toContain('"delta":"Hel"');
  expect(text).not.toContain('"delta":"lo"');
  expect(text).toContain('event: response.failed');
});

test('a tool runs out of time at once, in background too, and later calls do not', async () => {
  for (const background of [false, true]) {
    await app.close();
    await start(
      [...calls('c1', 'look', '{"n":1}'), ...calls('c2', 'look', '{"n":2}'), finish('tool_calls')],
      turn,
    );
    tool.calls.length = 0;
    await put('p', {
      faults: [{ name: 'hangs', fault: 'tool_timeout', match: { tool: 'scripted' }, when: { nth: 1 } }],
    });
    const tools = [{ type: 'scripted', functions: ['look'] }];
    let { json } = await ask({ tools, background });
    while (json.status === 'queued' || json.status === 'in_progress') {
      ({ json } = await app.call('GET', `/openai/v1/responses/${json.id}`));
    }
    const output = json.output as { type: string; status: string; error?: { message: string } }[];
    const made = output.filter(({ type }) => type === 'mcp_call');
    expect(made.map(({ status }) => status)).toEqual(['failed', 'completed']);
    expect(made[0]?.error?.message).toBe('The call did not end within 30 s.');
    expect(tool.calls).toEqual([{ n: 2 }]);
    expect(await fired()).toMatchObject([{ rule: 'hangs', fault: 'tool_timeout' }]);
  }
});

async function client(options: { maxRetries: number }) {
  const address = await app.listen();
  return new OpenAI({ baseURL: `${address}/openai/v1`, apiKey: 'key', logLevel: 'off', ...options });
}

async function readStream(openai: OpenAI): Promise<string[]> {
  const types: string[] = [];
  const stream = await openai.responses.create({ model: 'm', input: 'Hi', stream: true });
  for await (const { type } of stream) types.push(type);
  return types;
}

test('a stream breaks off after its event; the one after it is whole', async () => {
  await put('p', { faults: [{ name: 'cut', fault: 'cut_stream', event: 3, when: { nth: 1 } }] });
  const openai = await client({ maxRetries: 0 });
  const types: string[] = [];
  const { data: stream, response } = await openai.responses
    .create({ model: 'm', input: 'Hi', stream: true })
    .withResponse();
  expect(response.headers.get('x-bloomery-fault')).toBe('cut');
  const read = async () => {
    for await (const { type } of stream) types.push(type);
  };
  await expect(read()).rejects.toThrow();
  expect(types).toEqual(['response.created', 'response.in_progress', 'response.output_item.added']);
  expect((await readStream(openai)).at(-1)).toBe('response.completed');
});

test('an event is malformed, and the reader says so', async () => {
  await put('p', { faults: [{ name: 'bad', fault: 'malformed_event', event: 2 }] });
  const openai = await client({ maxRetries: 0 });
  await expect(readStream(openai)).rejects.toThrow(/JSON/);
  const { text } = await ask({ stream: true });
  expect(text).toContain('event: response.completed');
});

test.for(['request', 'answer'])('a connection that is reset at the %s is tried again', async (at) => {
  await put('p', {
    faults: [{ name: 'reset', fault: 'reset', at, match: { operation: create }, when: { first: 1 } }],
  });
  const openai = await client({ maxRetries: 1 });
  const response = await openai.responses.create(
    { model: 'm', input: 'Hi' },
    { headers: { 'idempotency-key': 'one' } },
  );
  expect(response.output_text).toBe('Hello');
  expect(await fired()).toMatchObject([{ rule: 'reset' }]);
  // The work that was done is not done again.
  expect(model.requests).toHaveLength(1);
});

test.for([
  { fault: 'reset', at: 'answer' },
  { fault: 'cut_stream', event: 0 },
])('a stream that breaks before its first byte may be asked for again by its id: %j', async (fault) => {
  await put('p', { faults: [{ name: 'lost', ...fault, when: { nth: 1 } }] });
  const openai = await client({ maxRetries: 0 });
  const id = { headers: { 'idempotency-key': 'one' } };
  const asked = { model: 'm', input: 'Hi', stream: true } as const;
  await expect(openai.responses.create(asked, id)).rejects.toBeInstanceOf(APIConnectionError);
  const types: string[] = [];
  for await (const { type } of await openai.responses.create(asked, id)) types.push(type);
  expect(types.at(-1)).toBe('response.completed');
});

test("the guide's plan is good, and its fault is told as the guide says", () => {
  const guide = readFileSync(new URL('../../../docs/guide/fault-plans.md', import.meta.url), 'utf8');
  const yaml = /```yaml\n(.*?)```/s.exec(guide)?.[1] ?? '';
  const told = /`plan\.yaml:(\d.*?)`/.exec(guide)?.[1];
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-guide-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'plan.yaml');
  const active = new ActiveFaults();
  active.serve(app.families.flatMap((one) => Object.values(one.operations)));
  writeFileSync(file, yaml);
  active.putFile('start', readPlanFile(file));
  expect(active.get('start').rules.map(({ given }) => given.name)).toEqual(['busy', 'flaky', 'torn']);
  writeFileSync(file, yaml.replace('first: 2', 'frist: 2'));
  expect(() => readPlanFile(file)).toThrow(`${file}:${told}`);
});

test('without plans nothing is listed', async () => {
  expect(await fired()).toEqual([]);
  expect((await app.call('GET', '/admin/fault_plans')).json).toEqual({ value: [] });
});
