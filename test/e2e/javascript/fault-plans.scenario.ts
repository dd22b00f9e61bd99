import { AIProjectClient } from '@azure/ai-projects';
import { DefaultAzureCredential } from '@azure/identity';
import OpenAI, { APIConnectionError, InternalServerError, RateLimitError } from 'openai';
import { ResponsesWS } from 'openai/resources/responses/ws';
import { afterAll, expect, test } from 'vitest';
import { collect, deployment, endpoint, freshName } from './clients.ts';

const server = new URL(endpoint).origin;
const ownKey = process.env.FOUNDRY_PROJECT_API_KEY ?? '';
const plans: string[] = [];

const admin = (method: string, path: string, body?: object, key = ownKey) =>
  fetch(`${server}/admin${path}`, {
    method,
    headers: { 'api-key': key, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });

/** Puts a plan in force that only those clients meet who send its token; answers the header to send. */
async function rehearse(...faults: object[]): Promise<{ plan: string; headers: Record<string, string> }> {
  const plan = freshName('rehearsal');
  const answer = await admin('PUT', `/fault_plans/${plan}`, { scope: { token: plan }, faults });
  expect(answer.status).toBe(200);
  plans.push(plan);
  return { plan, headers: { 'x-bloomery-fault-plan': plan } };
}

async function firedRules(plan: string): Promise<string[]> {
  const { value } = (await (await admin('GET', `/faults?plan=${plan}`)).json()) as {
    value: { rule: string }[];
  };
  return value.map(({ rule }) => rule);
}

afterAll(() => Promise.all(plans.map((plan) => admin('DELETE', `/fault_plans/${plan}`))));

const question = { model: deployment, input: 'Say hello.' };
const quick = { retryAfterSeconds: 0 };

const clientOf = (headers: Record<string, string>, maxRetries: number) =>
  new OpenAI({ defaultHeaders: headers, maxRetries, logLevel: 'off' });

const projectOf = (headers: Record<string, string>, maxRetries: number) =>
  new AIProjectClient(endpoint, new DefaultAzureCredential(), {
    retryOptions: { maxRetries, retryDelayInMs: 1, maxRetryDelayInMs: 1 },
    additionalPolicies: [
      {
        position: 'perCall',
        policy: {
          name: 'rehearsal',
          sendRequest(request, next) {
            for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
            return next(request);
          },
        },
      },
    ],
  });

test.each([
  ['429 with Retry-After, twice', { status: 429, ...quick }],
  ['500, twice', { status: 500, ...quick }],
  ['503, twice', { status: 503, ...quick }],
])('%s: the OpenAI client succeeds at its third attempt, and not with fewer', async (_, answer) => {
  const rule = { name: 'busy', fault: 'status', when: { first: 2 }, ...answer };
  const { plan, headers } = await rehearse(rule);
  const { output_text } = await clientOf(headers, 2).responses.create(question);
  expect(output_text).not.toBe('');
  expect(await firedRules(plan)).toEqual(['busy', 'busy']);

  const again = await rehearse(rule);
  const expected = answer.status === 429 ? RateLimitError : InternalServerError;
  await expect(clientOf(again.headers, 1).responses.create(question)).rejects.toBeInstanceOf(expected);
});

test.each([
  ['429 with Retry-After', { status: 429, ...quick }],
  ['500', { status: 500 }],
  ['503', { status: 503 }],
])('%s, twice: the Azure client succeeds at its third attempt, and not with fewer', async (_, answer) => {
  const rule = { name: 'busy', fault: 'status', when: { first: 2 }, ...answer };
  const { plan, headers } = await rehearse(rule);
  await collect(projectOf(headers, 2).deployments.list());
  expect(await firedRules(plan)).toEqual(['busy', 'busy']);

  const again = await rehearse(rule);
  await expect(collect(projectOf(again.headers, 1).deployments.list())).rejects.toMatchObject({
    statusCode: answer.status,
  });
});

test("a status that is nobody else's fault is not tried again", async () => {
  const { plan, headers } = await rehearse({ name: 'no', fault: 'status', status: 400 });
  await expect(clientOf(headers, 3).responses.create(question)).rejects.toMatchObject({ status: 400 });
  await expect(collect(projectOf(headers, 3).deployments.list())).rejects.toMatchObject({ statusCode: 400 });
  expect(await firedRules(plan)).toEqual(['no', 'no']);
});

test('a reset connection is tried again, over TLS', async () => {
  const rule = { name: 'reset', fault: 'reset', when: { first: 1 } };
  const { plan, headers } = await rehearse(rule);
  expect((await clientOf(headers, 1).responses.create(question)).output_text).not.toBe('');
  expect(await firedRules(plan)).toEqual(['reset']);

  const native = await rehearse(rule);
  await collect(projectOf(native.headers, 1).deployments.list());
  expect(await firedRules(native.plan)).toEqual(['reset']);

  const alone = await rehearse(rule);
  await expect(clientOf(alone.headers, 0).responses.create(question)).rejects.toBeInstanceOf(
    APIConnectionError,
  );
});

async function read(client: OpenAI): Promise<{ types: string[]; error: unknown }> {
  const types: string[] = [];
  try {
    for await (const { type } of await client.responses.create({ ...question, stream: true }))
      types.push(type);
    return { types, error: null };
  } catch (error) {
    return { types, error };
  }
}

test('a stream that is cut is an error after just so many events, over TLS', async () => {
  const { headers } = await rehearse({ name: 'cut', fault: 'cut_stream', event: 4, when: { nth: 2 } });
  const client = clientOf(headers, 0);
  const whole = await read(client);
  expect([whole.types.at(-1), whole.error]).toEqual(['response.completed', null]);
  const cut = await read(client);
  expect(cut.types).toEqual(whole.types.slice(0, 4));
  expect(cut.error).toBeInstanceOf(Error);
});

test('a malformed event is an error, and a model that fails mid-way a failed response', async () => {
  const { headers } = await rehearse({ name: 'bad', fault: 'malformed_event', event: 3 });
  const garbled = await read(clientOf(headers, 0));
  expect(garbled.types).toHaveLength(2);
  expect(garbled.error).toBeInstanceOf(SyntaxError);

  const failing = await rehearse({ name: 'down', fault: 'model_failure', status: 503, event: 1 });
  const failed = await read(clientOf(failing.headers, 0));
  expect([failed.types.at(-1), failed.error]).toEqual(['response.failed', null]);
});

test('a model whose server is busy, and a full disk, are told by status', async () => {
  const { headers } = await rehearse(
    { name: 'limited', fault: 'model_failure', status: 429, ...quick, when: { nth: 1 } },
    { name: 'full', fault: 'storage_full', match: { operation: 'POST /openai/v1/conversations' } },
  );
  const client = clientOf(headers, 1);
  expect((await client.responses.create(question)).output_text).not.toBe('');
  await expect(client.conversations.create({})).rejects.toMatchObject({
    status: 507,
    code: 'insufficient_storage',
  });
});

test('slow answers outlast a client that does not wait for them', async () => {
  const { headers } = await rehearse({ name: 'slow', fault: 'slow_first_byte', milliseconds: 60_000 });
  const hasty = new OpenAI({ defaultHeaders: headers, maxRetries: 0, timeout: 200 });
  await expect(hasty.responses.create(question)).rejects.toThrow('timed out');
});

test('messages on a WebSocket meet faults like requests, and the connection breaks', async () => {
  const { plan, headers } = await rehearse(
    { name: 'busy', fault: 'status', status: 429, retryAfterSeconds: 5, when: { nth: 1 } },
    { name: 'cut', fault: 'cut_stream', event: 2, when: { nth: 2 } },
  );
  const ws = new ResponsesWS(new OpenAI({ logLevel: 'off' }), { headers });
  const types: string[] = [];
  const refused = Promise.withResolvers<unknown>();
  const closed = Promise.withResolvers<number>();
  ws.on('error', refused.resolve);
  ws.on('event', ({ type }) => types.push(type));
  ws.socket.on('close', (code) => closed.resolve(code));
  ws.send({ type: 'response.create', ...question });
  expect(await refused.promise).toMatchObject({ error: { error: { code: 'rate_limit_exceeded' } } });
  types.length = 0;
  ws.send({ type: 'response.create', ...question });
  // Not a code that anybody has sent.
  expect(await closed.promise).toBe(1006);
  expect(types).toEqual(['response.created', 'response.in_progress']);
  expect(await firedRules(plan)).toEqual(['busy', 'cut']);
});

test('only who administers the server makes plans; everybody else runs clean', async () => {
  const name = freshName('user');
  const made = await admin('POST', '/api_keys', { name, grants: [{ role: 'Azure AI User', project: null }] });
  const { key } = (await made.json()) as { key: string };
  const plan = { faults: [{ name: 'down', fault: 'status', status: 503 }] };
  const refused = await Promise.all([
    admin('PUT', '/fault_plans/mine', plan, key),
    admin('DELETE', '/fault_plans/mine', undefined, key),
    admin('GET', '/fault_plans', undefined, 'nobody'),
  ]);
  expect(refused.map(({ status }) => status)).toEqual([403, 403, 401]);
  const { response } = await new OpenAI({ apiKey: key }).responses.create(question).withResponse();
  expect(response.headers.get('x-bloomery-fault-plan')).toBeNull();
  await admin('DELETE', `/api_keys/${name}`);
});
