import { afterEach, beforeEach, expect, test } from 'vitest';
import { status } from '../../providers/models/testing/fake-upstream.ts';
import { type UpstreamApp, upstreamApp } from '../audio/testing/upstream-app.ts';
import { moderationsFamily } from './index.ts';

const verdict = {
  id: 'modr-1',
  model: 'some-model',
  results: [{ flagged: true, categories: { violence: true }, category_scores: { violence: 0.9 } }],
};

let app: UpstreamApp;
beforeEach(async () => {
  app = await upstreamApp(moderationsFamily, status(200, verdict));
});
afterEach(() => app.close());

const create = (body: object) => app.call('POST', '/openai/v1/moderations', { model: 'mine', ...body });

test('the OpenAI client moderates texts', async () => {
  const moderation = await app.client.moderations.create({ model: 'mine', input: ['a', 'b'] });
  expect(moderation).toEqual({ ...verdict, model: 'mine' });
  expect(app.upstream.requests).toMatchObject([
    { path: '/v1/moderations', body: { model: 'some-model', input: ['a', 'b'] } },
  ]);
});

test('the OpenAI client moderates images', async () => {
  const input = [
    { type: 'text' as const, text: 'Look' },
    { type: 'image_url' as const, image_url: { url: 'data:image/png;base64,AAAA' } },
  ];
  await app.client.moderations.create({ model: 'mine', input });
  expect(app.upstream.requests[0]?.body.input).toEqual(input);
});

test.each([
  [{}, 'missing_required_parameter', 'input'],
  [{ input: 'a', model: undefined }, 'missing_required_parameter', 'model'],
  [{ input: [] }, 'invalid_payload', 'input'],
  [{ input: [{ type: 'audio' }] }, 'invalid_payload', 'input[0].type'],
  [{ input: [{ type: 'text' }] }, 'missing_required_parameter', 'input[0].text'],
  [{ input: 'a', model: 'builtin' }, 'unsupported_parameter', 'model'],
  [{ input: 'a', model: 'claude' }, 'unsupported_parameter', 'model'],
])('case %#: what cannot be passed on is refused by its place', async (body, code, param) => {
  const { status, json } = await create(body);
  expect([status, json.error]).toMatchObject([400, { code, param }]);
  expect(app.upstream.requests).toEqual([]);
});

test('the refusal of a deployment that cannot says what to configure', async () => {
  const { json } = await create({ input: 'a', model: 'builtin' });
  expect(json.error?.message).toMatch(/cannot moderate.*bloomery\.yaml.*`provider: openai-compatible`/);
});

test('an unknown model is 404', async () => {
  const { status, json } = await create({ input: 'a', model: 'nobody' });
  expect([status, json.error]).toMatchObject([404, { code: 'DeploymentNotFound', param: 'model' }]);
});
