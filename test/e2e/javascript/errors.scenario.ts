import { AIProjectClient, RestError } from '@azure/ai-projects';
import OpenAI, { AuthenticationError, BadRequestError, NotFoundError } from 'openai';
import { describe, expect, test } from 'vitest';
import { deployment, endpoint, freshName, openai, project, tokenOf } from './clients.ts';

const failure = async (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => {
      throw new Error('It went well.');
    },
    (error: unknown) => error,
  );

describe('native errors are RestErrors with code, message and request id', () => {
  const prompt = { kind: 'prompt' as const, model: deployment };

  test.each([
    ['an unknown agent', () => project.agents.get('nobody'), 404, 'not_found'],
    ['an unknown version', () => project.agents.getVersion('nobody', '1'), 404, 'not_found'],
    ['a bad name', () => project.agents.createVersion('no spaces', prompt), 400, 'invalid_parameter'],
    [
      'a bad definition',
      () => project.agents.createVersion('good', { ...prompt, temperature: 9 }),
      400,
      'invalid_payload',
    ],
    [
      'too much metadata',
      () => project.agents.createVersion('good', prompt, { metadata: { a: 'x'.repeat(513) } }),
      400,
      'invalid_payload',
    ],
    [
      'a preview kind without its key',
      () => project.agents.createVersion('good', { kind: 'workflow' }),
      403,
      'preview_feature_required',
    ],
    [
      'a kind that does not run yet',
      () =>
        project.agents.createVersion(
          'good',
          { kind: 'workflow' },
          { foundryFeatures: 'WorkflowAgents=V1Preview' },
        ),
      400,
      'unsupported_parameter',
    ],
    ['an operation that is not built', () => project.evaluationRules.get('r'), 501, 'not_implemented'],
    [
      'a bad page size',
      async () => {
        for await (const _ of project.agents.list({ limit: 0 })) break;
      },
      400,
      'invalid_parameter',
    ],
  ])('%s', async (_, call, statusCode, code) => {
    const error = (await failure(call())) as RestError;
    expect(error).toBeInstanceOf(RestError);
    expect([error.statusCode, error.code]).toEqual([statusCode, code]);
    expect(error.response?.headers.get('x-request-id')).toMatch(/^[0-9a-f]{32}$/);
    const sent = error.request?.headers.get('x-ms-client-request-id');
    expect(error.response?.headers.get('x-ms-client-request-id')).toBe(sent);
    await expect(project.agents.get('good')).rejects.toMatchObject({ statusCode: 404 });
  });

  test.each([
    ['of somebody else', async () => 'a.b.c', 'malformed'],
    [
      'for another audience',
      () => tokenOf({ audience: 'https://graph.microsoft.com' }),
      'https://ai.azure.com',
    ],
    ['that has expired', () => tokenOf({ lifetimeSeconds: -60 }), 'expired at'],
  ])('a token %s is 401, and says why', async (_, made, why) => {
    const token = await made();
    const stranger = new AIProjectClient(endpoint, {
      getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 60_000 }),
    });
    const error = (await failure(stranger.agents.get('nobody'))) as RestError;
    expect([error.statusCode, error.code]).toEqual([401, 'invalid_credential']);
    expect(error.message).toContain(why);
    expect(error.response?.headers.get('www-authenticate')).toMatch(/^Bearer/);
    const openai = new OpenAI({ apiKey: token, maxRetries: 0 });
    const refused = await failure(openai.models.list());
    expect(refused).toBeInstanceOf(AuthenticationError);
    expect((refused as Error).message).toContain(why);
  });
});

describe('errors of the OpenAI half are classes of the client', () => {
  test('an unknown response', async () => {
    const error = (await failure(openai.responses.retrieve('resp_none'))) as NotFoundError;
    expect(error).toBeInstanceOf(NotFoundError);
    expect([error.code, error.param, error.type]).toEqual([
      'not_found',
      'response_id',
      'invalid_request_error',
    ]);
    expect(error.requestID).toMatch(/^[0-9a-f]{32}$/);
  });

  test('an unknown model, and a wrong value', async () => {
    const model = (await failure(openai.responses.create({ model: 'none', input: 'Hi' }))) as NotFoundError;
    expect([model.status, model.code, model.param]).toEqual([404, 'DeploymentNotFound', 'model']);
    const value = (await failure(
      openai.responses.create({ model: deployment, input: 'Hi', temperature: 5 }),
    )) as BadRequestError;
    expect(value).toBeInstanceOf(BadRequestError);
    expect([value.code, value.param]).toEqual(['invalid_payload', 'temperature']);
  });

  test('what an agent decides cannot be overridden', async () => {
    const name = freshName('fixed');
    await project.agents.createVersion(name, { kind: 'prompt', model: deployment });
    const reference = { agent_reference: { type: 'agent_reference', name } };
    for (const [param, value] of Object.entries({
      tools: [{ type: 'function', name: 'f', strict: null, parameters: null }],
      instructions: 'Be rude.',
      text: { format: { type: 'text' } },
      reasoning: { effort: 'low' },
      model: 'another',
    })) {
      const error = await failure(
        openai.responses.create({ input: 'Hi', [param]: value }, { body: reference }),
      );
      expect(error).toMatchObject({ status: 400, code: 'invalid_payload', param });
      expect((error as Error).message).toContain('Not allowed when agent is specified.');
    }
    await project.agents.delete(name);
  });

  test('a wrong key', async () => {
    const stranger = new OpenAI({ apiKey: 'blm_wrong' });
    const error = await failure(stranger.responses.retrieve('resp_none'));
    expect(error).toBeInstanceOf(AuthenticationError);
    expect(error).toMatchObject({ code: 'invalid_credential' });
  });

  test('a conflict in a conversation', async () => {
    const conversation = await openai.conversations.create();
    const slow = openai.responses.create({
      model: deployment,
      conversation: conversation.id,
      input: 'Write 4000 words.',
      stream: true,
    });
    const stream = await slow;
    const reader = stream[Symbol.asyncIterator]();
    await reader.next();
    const client = project.getOpenAIClient({ maxRetries: 0 });
    const results = await Promise.allSettled([
      client.responses.create({ model: deployment, conversation: conversation.id, input: 'Hi' }),
      client.responses.create({ model: deployment, conversation: conversation.id, input: 'Ho' }),
    ]);
    for (const result of results) {
      if (result.status === 'rejected') {
        expect(result.reason).toMatchObject({ status: 409, code: 'conversation_locked' });
      }
    }
    for (let next = await reader.next(); !next.done; next = await reader.next());
    const items = await Array.fromAsync(openai.conversations.items.list(conversation.id));
    const answered = results.filter(({ status }) => status === 'fulfilled').length;
    expect(items.length).toBe(2 + 2 * answered);
  });
});

test('bare requests: methods, versions, media types, routes', async () => {
  const key = { 'api-key': process.env.FOUNDRY_PROJECT_API_KEY ?? '' };
  const call = async (path: string, init: RequestInit = {}) => {
    const response = await fetch(endpoint + path, { ...init, headers: { ...key, ...init.headers } });
    return {
      status: response.status,
      headers: response.headers,
      body: (await response.json()) as { error: { code: string } },
    };
  };
  expect(await call('/agents')).toMatchObject({ status: 400, body: { error: { code: 'BadRequest' } } });
  expect(await call('/agents?api-version=2020-01-01')).toMatchObject({
    status: 400,
    body: { error: { code: 'UnsupportedApiVersionValue' } },
  });
  expect(await call('/agents?api-version=2025-05-01')).toMatchObject({ status: 200 });
  expect(await call('/nothing?api-version=v1')).toMatchObject({
    status: 404,
    body: { error: { code: 'not_found' } },
  });
  const method = await call('/agents?api-version=v1', { method: 'PUT' });
  expect([method.status, method.headers.get('allow'), method.body.error.code]).toEqual([
    405,
    'GET, POST',
    'method_not_allowed',
  ]);
  const post = (body: string, type: string) =>
    call('/agents?api-version=v1', { method: 'POST', body, headers: { 'content-type': type } });
  expect(await post('<a/>', 'application/xml')).toMatchObject({
    status: 415,
    body: { error: { code: 'unsupported_media_type' } },
  });
  expect(await post('{"name":', 'application/json')).toMatchObject({
    status: 400,
    body: { error: { code: 'invalid_json' } },
  });
  const missing = await call('/responses', { method: 'POST' });
  expect([missing.status, missing.body.error.code]).toEqual([400, 'BadRequest']);
});
