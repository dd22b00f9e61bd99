import { createHmac } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  ContainerClient,
  ContainerSASPermissions,
  generateBlobSASQueryParameters,
  type UserDelegationKey,
} from '@azure/storage-blob';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openAzurite } from './azurite.ts';
import { type EmbeddedBlobs, embeddedAccount, embeddedBlobs } from './embedded-blobs.ts';

const key = Buffer.alloc(64, 5).toString('base64');

let root: string;
let origin: string;
let blobs: EmbeddedBlobs;
let server: Server;
const opened: EmbeddedBlobs[] = [];

function open(directory: string, sasMinutes = 10): EmbeddedBlobs {
  const made = embeddedBlobs({ directory: join(root, directory), key, sasMinutes });
  opened.push(made);
  return made;
}

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), 'bloomery-blobs-'));
  blobs = open('blobs');
  server = createServer((request, response) => blobs.serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterEach(async () => {
  server.closeAllConnections();
  server.close();
  for (const one of opened.splice(0)) await one.close();
  rmSync(root, { recursive: true, force: true });
});

const clientOf = async (container: string, rights: 'fill' | 'read' = 'fill', from = blobs) =>
  new ContainerClient(await from.signedUrl(origin, container, rights), undefined, {
    retryOptions: { maxTries: 1 },
  });

const files = (directory = 'blobs') => readdirSync(join(root, directory, 'extents'));

test('nothing is made before the first use, and a request does not start it', async () => {
  const reply = await fetch(`${origin}/${embeddedAccount}/some?sr=c&sig=x`);
  expect(reply.status).toBe(404);
  await blobs.close();
  expect(existsSync(join(root, 'blobs'))).toBe(false);
});

test('what clients write is read again, whole and in parts, by them and by the server', async () => {
  await blobs.createContainer('one');
  await blobs.createContainer('one');
  const client = await clientOf('one');
  const blob = client.getBlockBlobClient('a b/ü%.txt');
  await blob.stageBlock(Buffer.from('1').toString('base64'), 'Hello, ', 7);
  await blob.stageBlock(Buffer.from('2').toString('base64'), 'world', 5);
  await blob.commitBlockList(['1', '2'].map((id) => Buffer.from(id).toString('base64')));
  expect((await blob.downloadToBuffer()).toString()).toBe('Hello, world');
  expect((await blob.downloadToBuffer(5, 4)).toString()).toBe(', wo');
  await client.getBlockBlobClient('empty').upload('', 0);
  expect(await blobs.list('one', 10)).toEqual([
    { name: 'a b/ü%.txt', bytes: 12 },
    { name: 'empty', bytes: 0 },
  ]);
  expect(await blobs.list('one', 1)).toHaveLength(1);
  expect(await blobs.size('one', 'a b/ü%.txt')).toBe(12);
  expect(await blobs.size('one', 'none')).toBeNull();
  expect(Buffer.from((await blobs.read('one', 'a b/ü%.txt', 5)) ?? '').toString()).toBe('Hello');
  expect(await blobs.read('one', 'none', 5)).toBeNull();
  expect(blobs.locate(blob.url)).toEqual({ container: 'one', blob: 'a b/ü%.txt' });
  expect(blobs.url(origin, 'one', 'a b/ü%.txt')).toBe(blob.url.split('?')[0]);
});

test('an address is good for its container, its rights and its time, and for nothing else', async () => {
  await blobs.createContainer('mine');
  await blobs.createContainer('theirs');
  const mine = await clientOf('mine');
  await mine.getBlockBlobClient('x').upload('x', 1);
  await expect(mine.getBlobClient('x').delete()).rejects.toMatchObject({ statusCode: 403 });
  for (const change of [mine.delete(), mine.create(), mine.setAccessPolicy('container')]) {
    await expect(change).rejects.toMatchObject({ statusCode: 400 });
  }

  const reader = await clientOf('mine', 'read');
  expect((await reader.getBlobClient('x').downloadToBuffer()).toString()).toBe('x');
  await expect(reader.getBlockBlobClient('x').upload('y', 1)).rejects.toMatchObject({ statusCode: 403 });

  const elsewhere = new ContainerClient(mine.url.replace('/mine?', '/theirs?'));
  await expect(elsewhere.getBlockBlobClient('x').upload('x', 1)).rejects.toMatchObject({ statusCode: 403 });
  await expect(elsewhere.listBlobsFlat().next()).rejects.toMatchObject({ statusCode: 403 });
  const climbing = await fetch(mine.url.replace('/mine?', '/mine%2F..%2Ftheirs/x?'));
  expect(climbing.status).toBe(404);

  const late = new ContainerClient(await open('blobs', -1).signedUrl(origin, 'mine', 'fill'));
  await expect(late.getBlobClient('x').downloadToBuffer()).rejects.toMatchObject({ statusCode: 403 });
});

test('no key but that of the account signs, not even the one that Azurite publishes', async () => {
  await blobs.createContainer('mine');
  await (await clientOf('mine')).getBlockBlobClient('x').upload('x', 1);
  await blobs.close();
  const from = new Date('2020-01-01T00:00:00Z');
  const to = new Date('2099-01-01T00:00:00Z');
  const lines = ['o', 't', '2020-01-01T00:00:00Z', '2099-01-01T00:00:00Z', 'b', '2025-01-05'];
  const seed = 'azurite-user-delegation-signing-seed-v1';
  const published: UserDelegationKey = {
    signedObjectId: 'o',
    signedTenantId: 't',
    signedStartsOn: from,
    signedExpiresOn: to,
    signedService: 'b',
    signedVersion: '2025-01-05',
    value: createHmac('sha256', seed).update(lines.join('\n'), 'utf8').digest('base64'),
  };
  const forged = generateBlobSASQueryParameters(
    {
      containerName: 'mine',
      permissions: ContainerSASPermissions.parse('rl'),
      startsOn: from,
      expiresOn: to,
      version: '2025-01-05',
    },
    published,
    embeddedAccount,
  );
  const path = `/${embeddedAccount}/mine?restype=container&comp=list&${forged}`;

  const unguarded = await openAzurite({ directory: join(root, 'blobs'), account: embeddedAccount, key });
  server.removeAllListeners('request').on('request', unguarded.serve);
  expect((await fetch(origin + path)).status, 'what this test is about').toBe(200);
  await unguarded.close();

  blobs = open('blobs');
  server.removeAllListeners('request').on('request', blobs.serve);
  const reply = await fetch(origin + path);
  expect(reply.status).toBe(400);
  expect(await reply.text()).toContain('UnsupportedOperation');
});

test.each<[string, RequestInit, (url: string) => string, number]>([
  ['without a signature', {}, (url) => url.split('?')[0] ?? '', 403],
  ['with a key instead', { headers: { authorization: 'SharedKey a:b' } }, (url) => url, 403],
  ['with a parameter twice', {}, (url) => `${url}&sr=c`, 400],
  ['with an unknown parameter', {}, (url) => `${url}&si=policy`, 400],
  [
    'that asks for several operations',
    { method: 'POST' },
    (url) => `${url}&restype=container&comp=batch`,
    400,
  ],
  ['that sets who may read', { method: 'PUT' }, (url) => `${url}&restype=container&comp=acl`, 400],
  [
    'that has the server read an address',
    {
      method: 'PUT',
      headers: { 'x-ms-copy-source': 'http://169.254.169.254/', 'x-ms-blob-type': 'BlockBlob' },
    },
    (url) => url.replace('?', '/x?'),
    400,
  ],
  [
    'for a blob of another kind',
    { method: 'PUT', headers: { 'x-ms-blob-type': 'PageBlob' } },
    (url) => url.replace('?', '/x?'),
    400,
  ],
])('a request %s is refused', async (_, init, change, status) => {
  await blobs.createContainer('mine');
  const reply = await fetch(change(await blobs.signedUrl(origin, 'mine', 'fill')), init);
  expect({ status: reply.status, code: reply.headers.get('x-ms-error-code') }).toEqual({
    status,
    code: expect.stringMatching(/^(AuthenticationFailed|UnsupportedOperation)$/),
  });
});

test('what was confirmed is there after a crash', async () => {
  await blobs.createContainer('kept');
  await (await clientOf('kept')).getBlockBlobClient('x').upload('kept', 4);
  cpSync(join(root, 'blobs'), join(root, 'crashed'), { recursive: true });
  const after = open('crashed');
  expect(await after.size('kept', 'x')).toBe(4);
  blobs = after;
  expect((await (await clientOf('kept', 'read')).getBlobClient('x').downloadToBuffer()).toString()).toBe(
    'kept',
  );
});

test('deleted content is gone from the disk, and what stays stays', async () => {
  await blobs.createContainer('gone');
  await blobs.createContainer('stays');
  await (await clientOf('gone')).getBlockBlobClient('x').upload('secret', 6);
  await (await clientOf('stays')).getBlockBlobClient('x').upload('stays', 5);
  expect(files()).toHaveLength(2);
  await blobs.deleteContainer('gone');
  await blobs.deleteContainer('gone');
  expect(files()).toHaveLength(1);
  expect((await (await clientOf('stays')).getBlobClient('x').downloadToBuffer()).toString()).toBe('stays');
});

test('an upload that breaks off leaves nothing on the disk', async () => {
  await blobs.createContainer('broken');
  const url = (await blobs.signedUrl(origin, 'broken', 'fill')).replace('?', '/x?');
  const abort = new AbortController();
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array(100_000)),
  });
  const upload = fetch(url, {
    method: 'PUT',
    headers: { 'x-ms-blob-type': 'BlockBlob', 'content-length': '200000' },
    body,
    duplex: 'half',
    signal: abort.signal,
  } as RequestInit);
  await expect.poll(() => files().length).toBe(1);
  abort.abort();
  await expect(upload).rejects.toThrow();
  await expect.poll(() => files().length).toBe(0);
  expect(await blobs.list('broken', 1)).toEqual([]);
});
