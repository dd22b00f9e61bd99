import { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type WholeApp, wholeApp } from '../../testing/whole-app.ts';
import type { BlobReference } from '../asset-shapes.ts';
import { artifactProfile, artifactWarnings } from './artifact-profile.ts';

let app: WholeApp;
let origin: string;

beforeAll(async () => {
  app = await wholeApp({});
  origin = new URL(await app.listen()).origin;
});
afterAll(() => app.close());

/** A dated preview version opens what is in preview. */
const query = '?api-version=2025-11-15-preview';
const at = (name: string, more = '') => `/models/${name}/versions/1${more}${query}`;

async function uploaded(name: string, files: Record<string, string>): Promise<string> {
  const { json } = await app.call('POST', at(name, '/startPendingUpload'), {
    pendingUploadType: 'TemporaryBlobReference',
  });
  const { credential, blobUri } = json.blobReference as BlobReference;
  const container = new ContainerClient(credential.sasUri.replace(/^http:\/\/[^/]+/, origin));
  for (const [file, text] of Object.entries(files)) {
    await container.getBlockBlobClient(file).upload(text, text.length);
  }
  return blobUri;
}

test('models are in preview, but the second page of a listing is not asked for the key', async () => {
  expect((await app.call('GET', '/models')).json.error?.code).toBe('preview_feature_required');
  const token = Buffer.from('a').toString('base64url');
  expect((await app.call('GET', `/models?skipToken=${token}`)).status).toBe(200);
});

test('a model is registered of what was uploaded, changed and deleted with its files', async () => {
  const blobUri = await uploaded('iron', { 'weights.safetensors': 'w', 'config.json': '{}' });
  expect((await app.call('GET', at('iron'))).status).toBe(404);
  const accepted = await app.call('POST', at('iron', '/createAsync'), {
    ...{ blobUri, weightType: 'FullWeight', baseModel: 'base', source: { sourceType: 'LocalUpload' } },
  });
  expect(accepted.status).toBe(202);
  expect(accepted.headers.location).toBe(accepted.json.location);
  const { pathname, search } = new URL(accepted.json.location as string);
  const got = await app.call('GET', pathname.replace('/api/projects/default', '') + search);
  expect(got.json).toEqual({
    id: 'azureai://accounts/bloomery/projects/default/models/iron/versions/1',
    ...{ name: 'iron', version: '1', blobUri, weightType: 'FullWeight', baseModel: 'base' },
    source: { sourceType: 'LocalUpload' },
    artifactProfile: { category: 'DataOnly', signals: [] },
    warnings: [],
  });
  const changed = await app.call('PATCH', at('iron'), { description: 'Iron', tags: { a: '1' } });
  expect([changed.status, changed.json]).toEqual([
    200,
    { ...got.json, description: 'Iron', tags: { a: '1' } },
  ]);

  const twice = await app.call('POST', at('iron', '/createAsync'), { blobUri });
  expect(twice.status).toBe(409);
  const credentials = await app.call('POST', at('iron', '/credentials'), {
    blobUri: `${blobUri}/config.json`,
  });
  const reference = credentials.json.blobReference as BlobReference;
  const container = new ContainerClient(reference.credential.sasUri.replace(/^http:\/\/[^/]+/, origin));
  expect(await container.getBlobClient('config.json').exists()).toBe(true);
  expect((await app.call('DELETE', at('iron'))).status).toBe(200);
  expect((await app.call('DELETE', at('iron'))).status).toBe(200);
  expect(await container.getBlobClient('config.json').exists()).toBe(false);
});

test('an adapter says what it is in its own configuration, which the caller can overrule', async () => {
  const adapter =
    '{"r":16,"lora_alpha":32,"target_modules":["q_proj"],"lora_dropout":0.1,"peft_type":"LORA"}';
  const blobUri = await uploaded('adapter', {
    'adapter_config.json': adapter,
    'adapter_model.safetensors': 'w',
  });
  const body = { blobUri, weightType: 'LoRA', loraConfig: { alpha: 64 } };
  expect((await app.call('POST', at('adapter', '/createAsync'), body)).status).toBe(202);
  expect((await app.call('GET', at('adapter'))).json.loraConfig).toEqual({
    ...{ rank: 16, alpha: 64, targetModules: ['q_proj'], dropout: 0.1 },
  });
});

test.each<[string, (uri: string) => [path: string, body: object], string]>([
  [
    'an adapter that says nothing of itself',
    (blobUri) => ['', { blobUri, weightType: 'LoRA' }],
    'loraConfig',
  ],
  ['another kind of weights', (blobUri) => ['', { blobUri, weightType: 'Half' }], 'weightType'],
  ['a rank below one', (blobUri) => ['', { blobUri, loraConfig: { rank: 0 } }], 'loraConfig.rank'],
  ['no address', () => ['', {}], 'blobUri'],
  ['an address elsewhere', () => ['', { blobUri: 'https://acc.blob.core.windows.net/box' }], 'blobUri'],
  ['an empty folder', (uri) => ['', { blobUri: `${uri}/none` }], 'blobUri'],
  ['another name', (blobUri) => ['', { blobUri, name: 'other' }], 'name'],
])('a model with %s is refused', async (_, given, target) => {
  const [, body] = given(await uploaded('refused', { 'weights.safetensors': 'w' }));
  const reply = await app.call('POST', at('refused', '/createAsync'), body);
  expect({ status: reply.status, target: reply.json.error?.param }).toEqual({ status: 400, target });
  expect((await app.call('GET', at('refused'))).status).toBe(404);
});

test('only description and tags can be changed, of what is there', async () => {
  expect((await app.call('PATCH', at('none'), { description: 'x' })).status).toBe(404);
  const { status, json } = await app.call('PATCH', at('none'), { blobUri: 'https://a' });
  expect([status, json.error?.code, json.error?.param]).toEqual([400, 'invalid_payload', 'blobUri']);
});

test('credentials are given for the address of the model only', async () => {
  const mine = await uploaded('mine', { 'a.safetensors': 'w' });
  await app.call('POST', at('mine', '/createAsync'), { blobUri: mine });
  const theirs = await uploaded('theirs', { 'a.safetensors': 'w' });
  const reply = await app.call('POST', at('mine', '/credentials'), { blobUri: theirs });
  expect([reply.status, reply.json.error?.param]).toEqual([400, 'blobUri']);
});

test.each([
  [['model.safetensors', 'tokenizer.json', 'LICENSE'], 'DataOnly', []],
  [
    ['pytorch_model-00001.bin', 'modeling.py'],
    'RuntimeDependent',
    ['PickleDeserialization', 'CustomPythonCode'],
  ],
  [['lib/kernel.so.1', 'a.xyz'], 'RuntimeDependent', ['NativeBinary', 'UnknownFormat']],
  [['weights.bin'], 'Unknown', ['UnknownFormat']],
])('files %j are judged %s', (files, category, signals) => {
  const profile = artifactProfile(files);
  expect(profile).toEqual({ category, signals });
  expect(artifactWarnings(profile)).toHaveLength(category === 'DataOnly' ? 0 : 1);
});
