import OpenAI from 'openai';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { apiError } from '../../errors.ts';
import type { EmbeddingRequest, ModelProvider } from '../../providers/models/model.ts';
import { scriptedGateway, scriptedModel } from '../testing/scripted-model.ts';
import { type TestApp, testApp, testKey } from '../testing/test-app.ts';
import { embeddingsFamily } from './index.ts';

const { provider: chatOnly } = scriptedModel();
const precise = [0.1, -2.5, 1e-7];

let requests: EmbeddingRequest[];
let app: TestApp;

/** Vectors of the length asked for, or of three. */
const embedding: ModelProvider = {
  ...chatOnly,
  async embed(request) {
    requests.push(request);
    const length = request.dimensions ?? precise.length;
    const vector = Array.from({ length }, (_, i) => precise[i % precise.length] ?? 0);
    return { embeddings: request.inputs.map(() => vector), inputTokens: request.inputs.length * 2 };
  },
};
const stubborn: ModelProvider = {
  ...chatOnly,
  embed: async ({ inputs }) => ({ embeddings: inputs.map(() => precise), inputTokens: 1 }),
};
const failing: ModelProvider = {
  ...chatOnly,
  embed: async () => {
    throw apiError('rate_limit_exceeded', 'Too many.', { headers: { 'retry-after': '7' } });
  },
};

beforeEach(async () => {
  requests = [];
  app = await testApp(embeddingsFamily(scriptedGateway({ mine: embedding, chatOnly, stubborn, failing })));
});
afterEach(() => app.close());

const create = (body: object) => app.call('POST', '/openai/v1/embeddings', { model: 'mine', ...body });

test('embeds a text', async () => {
  const { status, json } = await create({ input: 'Hello' });
  expect(status).toBe(200);
  expect(json).toEqual({
    object: 'list',
    model: 'mine',
    data: [{ object: 'embedding', index: 0, embedding: precise }],
    usage: { prompt_tokens: 2, total_tokens: 2 },
  });
  expect(requests).toEqual([{ inputs: ['Hello'], dimensions: null }]);
});

test('embeds several texts in their order', async () => {
  const { json } = await create({
    input: ['a', 'b', 'c'],
    encoding_format: 'float',
    dimensions: 2,
    user: 'u',
  });
  expect((json.data as { index: number }[]).map(({ index }) => index)).toEqual([0, 1, 2]);
  expect(requests).toEqual([{ inputs: ['a', 'b', 'c'], dimensions: 2 }]);
});

test('base64 is little-endian 32-bit floats', async () => {
  const { json } = await create({ input: 'Hello', encoding_format: 'base64' });
  const [{ embedding }] = json.data as [{ embedding: string }];
  const bytes = Buffer.from(embedding, 'base64');
  expect(bytes).toHaveLength(12);
  expect([0, 4, 8].map((at) => bytes.readFloatLE(at))).toEqual(precise.map(Math.fround));
});

test('token ids are read as cl100k_base', async () => {
  // tiktoken's cl100k_base has these ids for these words.
  await create({ input: [9906, 1917] });
  await create({ input: [[9906], [9906, 1917]] });
  expect(requests.map(({ inputs }) => inputs)).toEqual([['Hello world'], ['Hello', 'Hello world']]);
});

test.each([
  [{ input: '' }, 'input'],
  [{ input: [] }, 'input'],
  [{ input: ['a', ''] }, 'input[1]'],
  [{ input: [[9906], []] }, 'input[1]'],
  [{ input: [1.5] }, 'input[0]'],
  [{ input: { text: 'a' } }, 'input'],
  [{ input: Array.from({ length: 2049 }, () => 'a') }, 'input'],
  [{ input: [9906, 100_257] }, 'input[1]'],
  [{ input: [[9906], [9906, 200_000]] }, 'input[1][1]'],
  [{ input: 'a', dimensions: 0 }, 'dimensions'],
  [{ input: 'a', encoding_format: 'int8' }, 'encoding_format'],
  [{ input: 'a', model: 7 }, 'model'],
])('case %#: a wrong value is refused by its place', async (body, param) => {
  const { status, json } = await create(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code: 'invalid_payload', param });
  expect(requests).toEqual([]);
});

test('2048 texts are taken', async () => {
  const { status } = await create({ input: Array.from({ length: 2048 }, () => 'a') });
  expect(status).toBe(200);
});

test.each([
  [{ input: 'a', model: 'chatOnly' }, 'unsupported_parameter', 'model'],
  [{ input: 'a', model: 'stubborn', dimensions: 2 }, 'unsupported_parameter', 'dimensions'],
  [{}, 'missing_required_parameter', 'input'],
])('case %#: what cannot be honoured is refused by name', async (body, code, param) => {
  const { status, json } = await create(body);
  expect(status).toBe(400);
  expect(json.error).toMatchObject({ code, param });
});

test('an unknown model is 404', async () => {
  const { status, json } = await create({ input: 'a', model: 'nobody' });
  expect(status).toBe(404);
  expect(json.error).toMatchObject({ code: 'DeploymentNotFound', param: 'model' });
});

test("the provider's error is passed on with its headers", async () => {
  const { status, json, headers } = await create({ input: 'a', model: 'failing' });
  expect(status).toBe(429);
  expect(json.error).toMatchObject({ code: 'rate_limit_exceeded', type: 'rate_limit_error' });
  expect(headers['retry-after']).toBe('7');
});

test('the OpenAI client reads both encodings', async () => {
  const client = new OpenAI({ apiKey: testKey, baseURL: `${await app.listen()}/openai/v1`, maxRetries: 0 });
  const packed = await client.embeddings.create({ model: 'mine', input: ['a', 'b'] });
  expect(packed.data).toHaveLength(2);
  expect([...(packed.data[1]?.embedding ?? [])]).toEqual(precise.map(Math.fround));
  const plain = await client.embeddings.create({ model: 'mine', input: 'a', encoding_format: 'float' });
  expect(plain.data[0]?.embedding).toEqual(precise);
});
