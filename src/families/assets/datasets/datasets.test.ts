import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ContainerClient } from '@azure/storage-blob';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openAzurite } from '../../../providers/blobs/embedded/azurite.ts';
import type { TestReply } from '../../testing/test-app.ts';
import { type WholeApp, wholeApp } from '../../testing/whole-app.ts';
import type { BlobReference } from '../asset-shapes.ts';

let app: WholeApp;
let origin: string;

beforeAll(async () => {
  app = await wholeApp({});
  origin = new URL(await app.listen()).origin;
  const connections: [string, object][] = [
    ['own', { type: 'AzureStorageAccount', target: 'bloomery-blobs' }],
    [
      'azure',
      { type: 'AzureBlob', target: 'https://acc.blob.core.windows.net/', credentials: { type: 'AAD' } },
    ],
    ['nowhere', { type: 'AzureBlob', target: 'my-account', credentials: { type: 'ApiKey', key: 'a2V5' } }],
    [
      'metadata',
      {
        type: 'AzureBlob',
        target: 'http://169.254.169.254/acc',
        credentials: { type: 'ApiKey', key: 'a2V5' },
      },
    ],
    ['search', { type: 'CognitiveSearch', target: 'https://mine.search.windows.net/' }],
  ];
  for (const [name, connection] of connections) {
    expect((await app.call('PUT', `/connections/${name}`, connection)).status).toBe(201);
  }
});
afterAll(() => app.close());

let count = 0;
const fresh = () => `data-${++count}`;
const at = (name: string, version = '1') => `/datasets/${name}/versions/${version}`;

/** Addresses as a client reaches them that listens where the app does. */
const here = (uri: string) => uri.replace(/^http:\/\/[^/]+/, origin);
const referenceOf = ({ json }: TestReply) => json.blobReference as BlobReference;
const containerOf = (reply: TestReply) =>
  new ContainerClient(here(referenceOf(reply).credential.sasUri), undefined, {
    retryOptions: { maxTries: 1 },
  });

const startUpload = (name: string, version = '1', more: object = {}) =>
  app.call('POST', `${at(name, version)}/startPendingUpload`, {
    pendingUploadType: 'BlobReference',
    ...more,
  });

async function uploaded(name: string, version = '1', blob = 'a.txt', more: object = {}) {
  const reply = await startUpload(name, version, more);
  expect(reply.status).toBe(200);
  const client = containerOf(reply).getBlockBlobClient(blob);
  await client.upload('hello', 5);
  return client.url;
}

test('an upload becomes a dataset; it reads the same ever after, and the signature is not kept', async () => {
  const name = fresh();
  const dataUri = await uploaded(name);
  const made = await app.call('PATCH', at(name), { type: 'uri_file', dataUri, tags: { a: '1' } });
  expect(made.status).toBe(201);
  expect(made.json).toEqual({
    id: `azureai://accounts/bloomery/projects/default/datasets/${name}/versions/1`,
    ...{ name, version: '1', type: 'uri_file', isReference: false, tags: { a: '1' } },
    dataUri: expect.stringMatching(/^http:\/\/[^/]+\/bloomeryblobs\/bloomery-[0-9a-f-]+\/a\.txt$/),
  });
  expect((await app.call('GET', at(name))).json).toEqual(made.json);
  const again = await app.call('PATCH', at(name), { ...made.json, dataUri });
  expect([again.status, again.json]).toEqual([200, made.json]);
});

test('description and tags change by merge patch, and nothing else does', async () => {
  const name = fresh();
  const dataUri = await uploaded(name);
  await app.call('PATCH', at(name), { type: 'uri_file', dataUri, tags: { a: '1', b: '2' } });
  const changed = await app.call('PATCH', at(name), { description: 'Iron', tags: { a: null, c: '3' } });
  expect(changed.json).toMatchObject({ description: 'Iron', tags: { b: '2', c: '3' } });
  const without = await app.call('PATCH', at(name), { description: null });
  expect(without.json).not.toHaveProperty('description');
  for (const [field, value] of Object.entries({
    type: 'uri_folder',
    dataUri: dataUri.replace('a.txt', 'b.txt'),
    connectionName: 'own',
  })) {
    const { status, json } = await app.call('PATCH', at(name), { [field]: value });
    expect({ status, target: json.error?.param }, field).toEqual({ status: 409, target: field });
  }
  const early = await startUpload(name);
  expect(early.status).toBe(409);
});

test('an upload that was started is got again, another id is another one', async () => {
  const name = fresh();
  const first = await startUpload(name);
  expect(first.json).toMatchObject({ version: '1', pendingUploadType: 'BlobReference' });
  expect(referenceOf(first)).toMatchObject({
    credential: { type: 'SAS', sasUri: expect.stringContaining(`${referenceOf(first).blobUri}?`) },
    storageAccountArmId: expect.stringMatching(/\/storageAccounts\/bloomeryblobs$/),
  });
  const second = await startUpload(name);
  expect(second.json.pendingUploadId).toBe(first.json.pendingUploadId);
  expect(referenceOf(second).blobUri).toBe(referenceOf(first).blobUri);
  const other = await startUpload(name, '1', { pendingUploadId: 'mine' });
  expect(other.json.pendingUploadId).toBe('mine');
  expect(referenceOf(other).blobUri).not.toBe(referenceOf(first).blobUri);
});

test('credentials read what was uploaded, but write nothing', async () => {
  const name = fresh();
  const dataUri = await uploaded(name, '1', 'dir/a.txt');
  const folder = dataUri.replace('/dir/a.txt', '');
  expect((await app.call('PATCH', at(name), { type: 'uri_folder', dataUri: folder })).status).toBe(201);
  const reply = await app.call('POST', `${at(name)}/credentials`);
  expect(reply.headers['cache-control']).toBe('no-store');
  const container = containerOf(reply);
  expect((await container.getBlobClient('dir/a.txt').downloadToBuffer()).toString()).toBe('hello');
  await expect(container.getBlockBlobClient('b').upload('x', 1)).rejects.toMatchObject({ statusCode: 403 });
});

test('blobs have names as long as Azure allows, of any characters', async () => {
  const name = fresh();
  const blob = `${'ä/ %2F?#'.repeat(127)}end`;
  const dataUri = await uploaded(name, '1', blob);
  expect((await app.call('PATCH', at(name), { type: 'uri_file', dataUri })).status).toBe(201);
  const container = containerOf(await app.call('POST', `${at(name)}/credentials`));
  expect((await container.getBlobClient(blob).downloadToBuffer()).toString()).toBe('hello');
});

test('deleting a version deletes its data, and the one before is the latest again', async () => {
  const name = fresh();
  for (const version of ['1', '2']) {
    const dataUri = await uploaded(name, version);
    await app.call('PATCH', at(name, version), { type: 'uri_file', dataUri });
  }
  const latest = async () =>
    ((await app.call('GET', '/datasets')).json.value as { name: string; version: string }[])
      .filter((found) => found.name === name)
      .map(({ version }) => version);
  expect(await latest()).toEqual(['2']);
  const container = containerOf(await app.call('POST', `${at(name, '2')}/credentials`));
  const gone = await app.call('DELETE', at(name, '2'));
  expect([gone.status, gone.text]).toEqual([204, '']);
  expect((await app.call('DELETE', at(name, '2'))).status).toBe(204);
  await expect(container.getBlobClient('a.txt').downloadToBuffer()).rejects.toMatchObject({
    statusCode: 404,
  });
  expect(await latest()).toEqual(['1']);
  const missing = await app.call('GET', at(name, '2'));
  expect(missing.status).toBe(404);
  expect(missing.json.error?.message).toContain('Could not find asset with ID azureai://');
});

test('data elsewhere is referred to by its connection, and stays', async () => {
  const name = fresh();
  const dataUri = 'https://acc.blob.core.windows.net/box/a.txt?sv=1&sig=secret';
  const made = await app.call('PATCH', at(name), { type: 'uri_file', dataUri, connectionName: 'azure' });
  expect(made.json).toMatchObject({
    isReference: true,
    connectionName: 'azure',
    dataUri: 'https://acc.blob.core.windows.net/box/a.txt',
  });
  const credentials = await app.call('POST', `${at(name)}/credentials`);
  expect([credentials.status, credentials.json.error?.param]).toEqual([400, 'connectionName']);
  expect((await app.call('DELETE', at(name))).status).toBe(204);
});

test('an account behind a connection is where the upload goes, and where deletion reaches', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-account-'));
  const key = Buffer.alloc(64, 9).toString('base64');
  const azurite = await openAzurite({ directory, account: 'elsewhere', key });
  const server = createServer(azurite.serve).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const target = `http://127.0.0.1:${(server.address() as AddressInfo).port}/elsewhere`;
  try {
    await app.call('PUT', '/connections/elsewhere', {
      ...{ type: 'AzureStorageAccount', target, credentials: { type: 'ApiKey', key } },
    });
    const name = fresh();
    const started = await startUpload(name, '1', { connectionName: 'elsewhere' });
    expect(referenceOf(started).blobUri).toContain(`${target}/bloomery-`);
    const container = new ContainerClient(referenceOf(started).credential.sasUri);
    await container.getBlockBlobClient('a b.txt').upload('hello', 5);
    const dataUri = container.getBlobClient('a b.txt').url;
    const made = await app.call('PATCH', at(name), {
      type: 'uri_file',
      dataUri,
      connectionName: 'elsewhere',
    });
    expect(made.json).toMatchObject({ isReference: false, dataUri: dataUri.split('?')[0] });

    const copy = fresh();
    await app.call('PATCH', at(copy), { type: 'uri_file', dataUri, connectionName: 'elsewhere' });
    const read = referenceOf(await app.call('POST', `${at(copy)}/credentials`));
    expect(read.blobUri).toBe(dataUri.split('?')[0]);
    const reader = new ContainerClient(read.credential.sasUri);
    expect((await reader.getBlobClient('a b.txt').downloadToBuffer()).toString()).toBe('hello');
    await app.call('DELETE', at(copy));
    expect(await reader.getBlobClient('a b.txt').exists()).toBe(true);
    await app.call('DELETE', at(name));
    expect(await reader.getBlobClient('a b.txt').exists()).toBe(false);

    const otherKey = { type: 'ApiKey', key: Buffer.alloc(64, 8).toString('base64') };
    await app.call('PUT', '/connections/refused', {
      ...{ type: 'AzureStorageAccount', target, credentials: otherKey },
    });
    const refused = await startUpload(fresh(), '1', { connectionName: 'refused' });
    expect([refused.status, refused.json.error?.message]).toEqual([
      422,
      expect.stringContaining('refused the key'),
    ]);
    const nobody = target.replace(/:\d+/, ':9');
    await app.call('PUT', '/connections/nobody', {
      ...{ type: 'AzureStorageAccount', target: nobody, credentials: otherKey },
    });
    expect((await startUpload(fresh(), '1', { connectionName: 'nobody' })).status).toBe(503);
  } finally {
    server.closeAllConnections();
    server.close();
    await azurite.close();
    rmSync(directory, { recursive: true });
  }
});

test('one version never gets the upload of another', async () => {
  const name = fresh();
  const dataUri = await uploaded(name);
  const { status, json } = await app.call('PATCH', at(fresh()), {
    ...{ type: 'uri_file', dataUri, connectionName: 'own' },
  });
  expect({ status, target: json.error?.param }).toEqual({ status: 400, target: 'dataUri' });
});

test('an upload that was started survives a restart', async () => {
  const first = await wholeApp({});
  const started = await first.call('POST', `${at('kept')}/startPendingUpload`, {
    pendingUploadType: 'BlobReference',
  });
  const second = await first.restart();
  const again = await second.call('POST', `${at('kept')}/startPendingUpload`, {
    pendingUploadType: 'BlobReference',
  });
  expect(again.json.pendingUploadId).toBe(started.json.pendingUploadId);
  await second.drain(0);
  await first.close();
});

const valid = {
  type: 'uri_file',
  dataUri: 'https://acc.blob.core.windows.net/box/a.txt',
  connectionName: 'azure',
};

test.each<[string, string, object, number, string]>([
  ['no type', at('bad'), { ...valid, type: undefined }, 400, 'type'],
  ['another type', at('bad'), { ...valid, type: 'mltable' }, 400, 'type'],
  ['no address', at('bad'), { ...valid, dataUri: undefined }, 400, 'dataUri'],
  ['an empty address', at('bad'), { ...valid, dataUri: '' }, 400, 'dataUri'],
  ['an address without a letter', at('bad'), { ...valid, dataUri: '://' }, 400, 'dataUri'],
  ['an address on two lines', at('bad'), { ...valid, dataUri: 'https://a\n' }, 400, 'dataUri'],
  ['no connection', at('bad'), { ...valid, connectionName: null }, 400, 'connectionName'],
  ['a connection that is not there', at('bad'), { ...valid, connectionName: 'none' }, 400, 'connectionName'],
  [
    'a connection to something else',
    at('bad'),
    { ...valid, connectionName: 'search' },
    400,
    'connectionName',
  ],
  ['another name', at('bad'), { ...valid, name: 'good' }, 400, 'name'],
  ['another version', at('bad'), { ...valid, version: 2 }, 400, 'version'],
  ['a tag that is no text', at('bad'), { ...valid, tags: { a: 1 } }, 400, 'tags.a'],
  ['a name with a slash', at('a%2Fb'), valid, 400, 'name'],
  ['a name that begins with a dot', at('.a'), valid, 400, 'name'],
  ['a version with a space', at('bad', '1%202'), valid, 400, 'version'],
  ['a name that is too long', at('a'.repeat(256)), valid, 400, 'name'],
])('a dataset with %s is refused', async (_, path, body, status, target) => {
  const reply = await app.call('PATCH', path, body);
  expect({ status: reply.status, target: reply.json.error?.param }).toEqual({ status, target });
});

test('a version may be a number in the body', async () => {
  const made = await app.call('PATCH', at(fresh(), '7'), { ...valid, version: 7 });
  expect([made.status, made.json.version]).toEqual([201, '7']);
});

test.each<[string, object, string]>([
  ['no type', {}, 'pendingUploadType'],
  ['a type that models have', { pendingUploadType: 'None' }, 'pendingUploadType'],
  ['a connection that is not there', { connectionName: 'none' }, 'connectionName'],
  ['a connection to something else', { connectionName: 'search' }, 'connectionName'],
  ['a connection that it has no key for', { connectionName: 'azure' }, 'connectionName'],
  ['a connection to no address', { connectionName: 'nowhere' }, 'connectionName'],
  ['an address that nobody may call', { connectionName: 'metadata' }, 'connectionName'],
  ['an id that is none', { pendingUploadId: 'a b' }, 'pendingUploadId'],
])('an upload with %s is refused', async (what, body, target) => {
  const type = what === 'no type' ? {} : { pendingUploadType: 'BlobReference' };
  const reply = await app.call('POST', `${at('bad')}/startPendingUpload`, { ...type, ...body });
  expect({ status: reply.status, target: reply.json.error?.param }).toEqual({ status: 400, target });
});

test('what was not uploaded yet makes no dataset', async () => {
  const name = fresh();
  const container = referenceOf(await startUpload(name)).blobUri;
  for (const [type, dataUri] of [
    ['uri_file', `${container}/a.txt`],
    ['uri_file', container],
    ['uri_folder', container],
  ]) {
    const reply = await app.call('PATCH', at(name), { type, dataUri });
    expect([reply.status, reply.json.error?.param]).toEqual([400, 'dataUri']);
  }
});
