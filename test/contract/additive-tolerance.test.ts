import fc from 'fast-check';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type OpenFamilies, openFamilies } from '../../scripts/open-families.ts';
import { notBuiltName } from '../../src/families/not-built/index.ts';
import { type TestApp, testApp } from '../../src/families/testing/test-app.ts';
import { isRecord } from '../../src/kit/record.ts';

let opened: OpenFamilies;
let app: TestApp;
let ids: Record<string, string>;

const definition = { kind: 'prompt', model: 'm', tools: [{ type: 'function', name: 'f', parameters: {} }] };
const items = [{ type: 'message', role: 'user', content: [{ type: 'input_text', text: 'Hi' }] }];
const connection = { type: 'CognitiveSearch', target: 'https://mine.search.windows.net/' };
const index = { type: 'ManagedAzureSearch', vectorStoreId: 'vs_1' };

beforeAll(async () => {
  opened = await openFamilies();
  app = await testApp(...opened.families);
  const made = async (path: string, body: object) =>
    (await app.call('POST', `/openai/v1${path}`, body)).json.id as string;
  await app.call('POST', '/agents', { name: 'guide', definition });
  await app.call('PUT', '/connections/search', connection);
  await app.call('PATCH', '/indexes/i/versions/1', index);
  ids = {
    conversation: await made('/conversations', {}),
    container: await made('/containers', { name: 'box' }),
    store: await made('/vector_stores', {}),
    upload: await made('/uploads', {
      filename: 'a',
      purpose: 'user_data',
      bytes: 1,
      mime_type: 'text/plain',
    }),
  };
});
afterAll(async () => {
  await app.close();
  await opened.close();
});

type Method = 'POST' | 'PUT' | 'PATCH';

/** A request for each operation that takes JSON. Where it needs what is not here, its error shows how far it came. */
const requests: Record<string, () => [Method, path: string, body: object]> = {
  'agents.create': () => ['POST', '/agents', { name: 'guide', definition, metadata: { a: 'b' } }],
  'agents.update': () => ['POST', '/agents/guide', { definition }],
  'agents.patchAgentObject': () => ['PATCH', '/agents/guide', { agent_card: null }],
  'agents.createVersion': () => ['POST', '/agents/guide/versions', { definition }],
  'conversations.create': () => ['POST', '/openai/v1/conversations', { items }],
  'conversations.update': () => ['POST', `/openai/v1/conversations/${ids.conversation}`, { metadata: {} }],
  'conversations.createItems': () => [
    'POST',
    `/openai/v1/conversations/${ids.conversation}/items`,
    { items },
  ],
  'responses.create': () => [
    'POST',
    '/openai/v1/responses',
    { model: 'm', input: items, reasoning: {}, text: { format: { type: 'text' } }, tools: definition.tools },
  ],
  'responses.compact': () => ['POST', '/openai/v1/responses/compact', { model: 'm', input: items }],
  'responses.inputTokens': () => ['POST', '/openai/v1/responses/input_tokens', { model: 'm', input: items }],
  'connections.set': () => ['PUT', '/connections/search', connection],
  'chat-completions.create': () => [
    'POST',
    '/openai/v1/chat/completions',
    { model: 'm', messages: [{ role: 'user', content: [{ type: 'text', text: 'Hi' }] }] },
  ],
  'chat-completions.update': () => ['POST', '/openai/v1/chat/completions/chatcmpl_1', { metadata: {} }],
  'completions.create': () => ['POST', '/openai/v1/completions', { model: 'm', prompt: 'a' }],
  'embeddings.create': () => ['POST', '/openai/v1/embeddings', { model: 'm', input: 'a' }],
  'moderations.create': () => [
    'POST',
    '/openai/v1/moderations',
    { model: 'm', input: [{ type: 'text', text: 'a' }] },
  ],
  'images.generate': () => ['POST', '/openai/v1/images/generations', { model: 'm', prompt: 'a' }],
  'audio.createSpeech': () => ['POST', '/openai/v1/audio/speech', { model: 'm', input: 'a', voice: 'alloy' }],
  'containers.create': () => ['POST', '/openai/v1/containers', { name: 'box' }],
  'containers.createFile': () => [
    'POST',
    `/openai/v1/containers/${ids.container}/files`,
    { file_id: 'file_1' },
  ],
  'datasets.createOrUpdate': () => [
    'PATCH',
    '/datasets/d/versions/1',
    { type: 'uri_file', dataUri: 'https://a/b' },
  ],
  'datasets.pendingUpload': () => [
    'POST',
    '/datasets/d/versions/2/startPendingUpload',
    { pendingUploadType: 'BlobReference', connectionName: 'none' },
  ],
  'indexes.createOrUpdate': () => ['PATCH', '/indexes/i/versions/1', index],
  'registered-models.update': () => ['PATCH', '/models/m/versions/1', { description: 'a' }],
  'registered-models.pendingUpload': () => [
    'POST',
    '/models/m/versions/1/startPendingUpload',
    { pendingUploadType: 'TemporaryBlobReference', connectionName: 'none' },
  ],
  'registered-models.pendingCreateVersion': () => [
    'POST',
    '/models/m/versions/1/createAsync',
    { blobUri: 'https://a/b' },
  ],
  'registered-models.getCredentials': () => [
    'POST',
    '/models/m/versions/1/credentials',
    { blobUri: 'https://a/b' },
  ],
  'vector-stores.create': () => ['POST', '/openai/v1/vector_stores', { chunking_strategy: { type: 'auto' } }],
  'vector-stores.update': () => ['POST', `/openai/v1/vector_stores/${ids.store}`, { name: 'a' }],
  'vector-stores.search': () => [
    'POST',
    `/openai/v1/vector_stores/${ids.store}/search`,
    { query: 'a', ranking_options: {} },
  ],
  'vector-stores.createFile': () => [
    'POST',
    `/openai/v1/vector_stores/${ids.store}/files`,
    { file_id: 'file_1' },
  ],
  'vector-stores.updateFile': () => [
    'POST',
    `/openai/v1/vector_stores/${ids.store}/files/file_1`,
    { attributes: {} },
  ],
  'vector-stores.createBatch': () => [
    'POST',
    `/openai/v1/vector_stores/${ids.store}/file_batches`,
    { file_ids: ['file_1'] },
  ],
  'uploads.create': () => [
    'POST',
    '/openai/v1/uploads',
    { filename: 'a', purpose: 'user_data', bytes: 1, mime_type: 'text/plain' },
  ],
  'uploads.complete': () => ['POST', `/openai/v1/uploads/${ids.upload}/complete`, { part_ids: ['part_1'] }],
};

test('there is a request for every operation that takes JSON', () => {
  const taking = opened.families
    .filter(({ name }) => name !== notBuiltName)
    .flatMap(({ name, operations }) =>
      Object.entries(operations)
        .filter(
          ([, { body, consumes, wire }]) => wire !== 'admin' && body !== undefined && consumes === undefined,
        )
        .map(([key]) => `${name}.${key}`),
    );
  expect(Object.keys(requests).sort()).toEqual(taking.sort());
});

/** What is in these is the caller's own, and bounded. */
const callers = new Set(['metadata', 'parameters', 'attributes']);

/** The body with more fields in each of its objects. */
function withMore(value: unknown, more: Record<string, unknown>): unknown {
  if (Array.isArray(value)) return value.map((inner) => withMore(inner, more));
  if (!isRecord(value)) return value;
  const inner = Object.entries(value).map(([key, one]) => [
    key,
    callers.has(key) ? one : withMore(one, more),
  ]);
  return { ...more, ...Object.fromEntries(inner) };
}

const newName = fc.stringMatching(/^x_[a-z]{1,12}$/);
/** Names that would change what an object is are refused, whoever sends them. */
const value = fc.jsonValue().filter((json) => !/__proto__|constructor/.test(JSON.stringify(json)));
const fields = fc.dictionary(newName, value, { minKeys: 1, maxKeys: 3 });
const headers = fc.dictionary(
  fc.stringMatching(/^(x-ms-|x-stainless-|sec-)[a-z]{3,9}$/),
  fc.stringMatching(/^[ -~]{1,20}$/).filter((text) => text.trim() !== ''),
  { maxKeys: 3 },
);
const parameters = fc.dictionary(newName, fc.string({ maxLength: 10 }), { maxKeys: 3 });

test.each(Object.keys(requests))('%s takes what newer clients add', async (name) => {
  await fc.assert(
    fc.asyncProperty(fields, headers, parameters, async (added, sent, asked) => {
      const [method, path, body] = (requests[name] as (typeof requests)[string])();
      const plain = await app.call(method, path, body);
      const query = new URLSearchParams({ ...asked, 'api-version': 'v1' });
      const richer = await app.call(method, `${path}?${query}`, withMore(body, added), sent);
      const outcome = ({ status, json }: typeof plain) => [status, json.error?.code, json.error?.param];
      expect(outcome(richer)).toEqual(outcome(plain));
      expect(plain.status).toBeLessThan(500);
    }),
    { numRuns: 6 },
  );
});

test('what a response is asked to include may be something that only newer servers have', async () => {
  const body = {
    model: 'm',
    input: 'Hi',
    include: ['tomorrow_call.results'],
    reasoning: { summary: 'poetic' },
  };
  const { status, json } = await app.call('POST', '/openai/v1/responses', body);
  expect([status, json.error?.code]).toEqual([404, 'DeploymentNotFound']);
});
