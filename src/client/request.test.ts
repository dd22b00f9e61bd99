import { describe, expect, test } from 'vitest';
import { FoundryError, NoAnswerError } from './index.ts';
import { bodyOf, endpoint, json, scriptedService } from './testing/scripted-service.ts';

const agent = { object: 'agent', id: 'a', name: 'a' };
const get = { params: { agent_name: 'a' } };
const newAgent = { body: { name: 'a', definition: { kind: 'prompt' as const, model: 'm' } } };
const tooMany = (headers: Record<string, string> = {}) =>
  json({ error: { code: 'rate_limit', message: 'slow down' } }, 429, headers);
const failure = () => json({ error: { code: 'server_error', message: 'oh' } }, 500);
const lost = new TypeError('fetch failed', {
  cause: Object.assign(new Error('reset'), { code: 'ECONNRESET' }),
});

type Caught = Error & Partial<Omit<FoundryError, keyof Error>>;

async function caught(promise: Promise<unknown>): Promise<Caught> {
  const error = await promise.then(
    () => null,
    (thrown) => thrown,
  );
  expect(error).toBeInstanceOf(Error);
  return error;
}

describe('a request', () => {
  test('is sent as the reference says', async () => {
    const { client, received } = scriptedService([json(agent)], { features: ['Skills=V1Preview'] });
    expect(await client.agents.get({ params: { agent_name: "a b/c'" } })).toEqual(agent);
    expect(received).toHaveLength(1);
    const { url, headers } = received[0] ?? expect.fail();
    expect(url).toBe(`${endpoint}/agents/a%20b%2Fc%27?api-version=v1`);
    expect(Object.fromEntries(headers)).toEqual({
      accept: 'application/json',
      'api-key': 'k',
      'foundry-features': 'Skills=V1Preview',
      'x-ms-client-request-id': expect.stringMatching(/^[\da-f-]{36}$/),
    });
  });

  test('to the OpenAI half has no api-version, arrays in brackets, and previews opt in by themselves', async () => {
    const { client, received } = scriptedService([json({ data: [] })]);
    await client.responses.inputItems({
      params: { response_id: 'r' },
      query: { include: ['reasoning.encrypted_content'], limit: 5 },
    });
    await client.registeredModels.list();
    await client.request({ method: 'POST', path: '/projects', wire: 'admin', body: { name: 'x' } });
    expect(received.map(({ url }) => url)).toEqual([
      `${endpoint}/openai/v1/responses/r/input_items?include%5B%5D=reasoning.encrypted_content&limit=5`,
      `${endpoint}/models?api-version=v1`,
      'https://foundry.test/admin/projects',
    ]);
    expect(received[1]?.headers.get('foundry-features')).toBe('Models=V1Preview');
    expect(received[2]?.body).toBe('{"name":"x"}');
  });

  test('that changes something carries an id, patches are merge patches', async () => {
    const { client, received } = scriptedService([json(agent)]);
    await client.agents.create(newAgent);
    await client.agents.patchAgentObject({ ...get, body: {} }, { id: 'mine' });
    await client.agents.get(get);
    expect(received.map(({ headers }) => headers.get('idempotency-key'))).toEqual([
      expect.stringMatching(/^[\da-f-]{36}$/),
      'mine',
      null,
    ]);
    expect(received.map(({ headers }) => headers.get('content-type'))).toEqual([
      'application/json',
      'application/merge-patch+json',
      null,
    ]);
  });

  test.each(['', '.', '..'])('never leaves its path: %j', async (agent_name) => {
    const { client, received } = scriptedService([json(agent)]);
    await expect(client.agents.get({ params: { agent_name } })).rejects.toThrow("'agent_name' is needed");
    await expect(client.request({ method: 'GET', path: 'https://elsewhere.test/agents' })).rejects.toThrow(
      'does not belong',
    );
    expect(received).toEqual([]);
  });

  test.each([
    'http://foundry.test/api/projects/p',
    'https://u:p@foundry.test/x',
    'https://foundry.test/x?a=b',
  ])('goes to no endpoint like %s', (address) => {
    expect(() => scriptedService([], { endpoint: address })).toThrow(TypeError);
  });

  test('of a form sends fields and files, and tells how far it is, anew with each attempt', async () => {
    const { client, received } = scriptedService([lost, json({ id: 'f' })]);
    const progress: number[] = [];
    const file = new File(['hello'], 'a.txt');
    await client.files.create(
      { body: { file, purpose: 'assistants', expires_after: { anchor: 'created_at', seconds: 3600 } } },
      { onProgress: (bytes) => progress.push(bytes) },
    );
    const [, second] = received;
    expect(second?.headers.get('content-type')).toMatch(/^multipart\/form-data; boundary=/);
    expect(second?.body).toMatch(
      /name="file"; filename="a.txt"[\s\S]*hello[\s\S]*name="expires_after\[seconds\]"/,
    );
    expect(progress.filter((bytes) => bytes === 0)).toHaveLength(2);
    expect(progress.at(-1)).toBe(second?.body.length);
  });
});

describe('attempts', () => {
  test('wait exactly as long as they are told, under one id', async () => {
    const { client, received, waits } = scriptedService([
      tooMany({ 'retry-after': '12' }),
      tooMany(),
      json(agent),
    ]);
    await client.agents.create(newAgent);
    expect(waits).toEqual([12_000, 500]);
    for (const name of ['x-ms-client-request-id', 'idempotency-key']) {
      expect(new Set(received.map(({ headers }) => headers.get(name))).size).toBe(1);
    }
    expect(new Set(received.map(({ body }) => body)).size).toBe(1);
  });

  test('are reported, each with what is needed to ask about it', async () => {
    const reports: unknown[] = [];
    const { client } = scriptedService([lost, json(agent, 200, { 'x-request-id': 'r2' })], {
      onAttempt: (report) => reports.push(report),
    });
    await client.agents.get(get, { clientRequestId: 'c' });
    const common = { method: 'GET', url: `${endpoint}/agents/a?api-version=v1`, clientRequestId: 'c' };
    expect(reports).toEqual([
      { ...common, attempt: 1, status: null, requestId: null, waitMs: 250 },
      { ...common, attempt: 2, status: 200, requestId: 'r2', waitMs: null },
    ]);
  });

  test('end after their number, and the error tells of all', async () => {
    const { client, received, waits } = scriptedService([failure()], { retry: { attempts: 3 } });
    const error = await caught(client.agents.get(get));
    expect(error).toMatchObject({ status: 500, attempts: 3, method: 'GET' });
    expect(error.clientRequestId).toBe(received[0]?.headers.get('x-ms-client-request-id'));
    expect(waits).toEqual([250, 500]);
  });

  test.each([
    ['a write whose id is known', {}, failure(), 2],
    ['a write whose answer was lost', {}, lost, 2],
    ['a write whose id means nothing', { honoursIds: false }, failure(), 1],
    ['a write whose id means nothing, lost', { honoursIds: false }, lost, 1],
    ['a write that was turned away', { honoursIds: false }, tooMany(), 2],
    ['a write to Microsoft', { endpoint: 'https://x.services.ai.azure.com/api/projects/p' }, failure(), 1],
  ])('%s', async (_, options, first, attempts) => {
    const { client, received } = scriptedService([first, json(agent)], options);
    const result = client.agents.create(newAgent);
    await (attempts === 2 ? result : caught(result));
    expect(received).toHaveLength(attempts);
  });

  test('an answer that breaks off or is no JSON is none', async () => {
    const cut = () => new Response(bodyOf(['{"object":"ag'], 'broken'));
    const { client, received } = scriptedService([cut, new Response('{"object":"ag'), json(agent)]);
    expect(await client.agents.get(get)).toEqual(agent);
    expect(received).toHaveLength(3);
  });

  test('an answer that is too large is let go of at once', async () => {
    const { client, received } = scriptedService([json(agent)], { answerBytes: 10 });
    expect((await caught(client.agents.get(get))).message).toContain('larger than 10 bytes');
    expect(received).toHaveLength(1);
  });

  test('an attempt that takes too long is followed by another', async () => {
    const hangs = (): Promise<Response> => new Promise(() => {});
    const { client } = scriptedService([json(agent)], {
      timeoutMs: 5,
      retry: { attempts: 2 },
      fetch: (_, init) =>
        new Promise((resolve, reject) => {
          init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
          void hangs().then(resolve);
        }),
    });
    expect(await caught(client.agents.get(get))).toMatchObject({ name: 'NoAnswerError', attempts: 2 });
  });

  test('a refused token is renewed once, a refused key is not', async () => {
    const refusal = json({ error: { code: 'unauthorized', message: 'no' } }, 401);
    const asked: boolean[] = [];
    const token = async ({ refused }: { refused: boolean }) => {
      asked.push(refused);
      return refused ? 'new' : 'old';
    };
    const renewed = scriptedService([refusal, json(agent)], { credential: { token } });
    await renewed.client.agents.get(get);
    expect(renewed.received.map(({ headers }) => headers.get('authorization'))).toEqual([
      'Bearer old',
      'Bearer new',
    ]);
    const never = scriptedService([refusal], { credential: { token } });
    await caught(never.client.agents.get(get));
    expect(asked).toEqual([false, true, false, true]);
    const keyed = scriptedService([refusal]);
    expect((await caught(keyed.client.agents.get(get))).status).toBe(401);
    expect(keyed.received).toHaveLength(1);
  });

  test('the caller may end them, also while they wait', async () => {
    const leaving = new AbortController();
    const { client, received } = scriptedService([
      () => {
        leaving.abort(new Error('enough'));
        return tooMany({ 'retry-after': '1' });
      },
    ]);
    await expect(client.agents.get(get, { signal: leaving.signal })).rejects.toThrow('enough');
    expect(received).toHaveLength(1);
  });

  test('a redirect is not followed: it would take the key along', async () => {
    const { client, received } = scriptedService([
      new Response(null, { status: 307, headers: { location: 'https://elsewhere.test/' } }),
    ]);
    expect(await caught(client.agents.get(get))).toMatchObject({ status: 307, code: 'http_307' });
    expect(received).toHaveLength(1);
  });
});

describe('errors', () => {
  const ids = { 'x-request-id': 'r1', 'retry-after': '400' };
  test.each([
    [
      json(
        { error: { code: 'not_found', message: 'No agent.', target: 'agent_name', details: [1] } },
        404,
        ids,
      ),
      { code: 'not_found', message: 'No agent.', target: 'agent_name', details: [1], requestId: 'r1' },
    ],
    [
      json({ error: { code: null, type: 'invalid_request_error', message: 'No.', param: 'model' } }, 400),
      { code: 'invalid_request_error', target: 'model', details: [], requestId: null, retryAfterMs: null },
    ],
    [tooMany(ids), { code: 'rate_limit', retryAfterMs: 400_000, requestId: 'r1' }],
    [new Response('<html>Bad gateway', { status: 404 }), { code: 'http_404', message: 'HTTP 404' }],
    [new Response('Nothing here', { status: 404 }), { code: 'http_404', message: 'Nothing here' }],
    [json({ error: 'Nothing' }, 404), { code: 'http_404', message: 'Nothing', body: { error: 'Nothing' } }],
    [new Response(null, { status: 404 }), { code: 'http_404', message: 'HTTP 404', body: '' }],
    [json([null], 404), { code: 'http_404', message: 'HTTP 404' }],
  ])('%#', async (answer, expected) => {
    const { client } = scriptedService([answer]);
    const error = await caught(client.agents.get(get));
    expect(error).toBeInstanceOf(FoundryError);
    expect(error).toMatchObject({ status: answer.status, attempts: 1, ...expected });
  });

  test('without an answer say why', async () => {
    const { client } = scriptedService([lost], { retry: { attempts: 1 } });
    const error = await caught(client.agents.get(get));
    expect(error).toBeInstanceOf(NoAnswerError);
    expect(error.message).toContain('fetch failed: reset');
  });
});
