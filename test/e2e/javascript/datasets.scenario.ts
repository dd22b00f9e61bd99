import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ManagedAzureAISearchIndex } from '@azure/ai-projects';
import { ContainerClient } from '@azure/storage-blob';
import { afterAll, expect, test } from 'vitest';
import { collect, freshName, openai, project } from './clients.ts';

const directory = mkdtempSync(join(tmpdir(), 'bloomery-datasets-'));
const lines = '{"query":"What is iron?"}\n';
writeFileSync(join(directory, 'questions.jsonl'), lines);
mkdirSync(join(directory, 'more'));
writeFileSync(join(directory, 'more', 'answer one.txt'), 'A metal.');

afterAll(() => rmSync(directory, { recursive: true }));

test('a file becomes a dataset, whose credentials read it again', async () => {
  const name = freshName('file');
  const made = await project.datasets.uploadFile(name, '1', join(directory, 'questions.jsonl'));
  expect(made).toMatchObject({ name, version: '1', type: 'uri_file', isReference: false });
  expect(made.dataUri).toMatch(/\/questions\.jsonl$/);
  expect(await project.datasets.get(name, '1')).toEqual(made);

  const { blobReference } = await project.datasets.getCredentials(name, '1');
  expect(blobReference.blobUri).toBe(made.dataUri);
  const container = new ContainerClient(blobReference.credential.sasUri);
  const content = await container.getBlobClient('questions.jsonl').downloadToBuffer();
  expect(content.toString()).toBe(lines);
  await expect(container.getBlockBlobClient('questions.jsonl').upload('x', 1)).rejects.toMatchObject({
    statusCode: 403,
  });

  await project.datasets.delete(name, '1');
  await project.datasets.delete(name, '1');
  await expect(project.datasets.get(name, '1')).rejects.toMatchObject({
    statusCode: 404,
    message: expect.stringContaining('Could not find asset with ID'),
  });
  await expect(container.getBlobClient('questions.jsonl').downloadToBuffer()).rejects.toMatchObject({
    statusCode: 404,
  });
});

test('a folder becomes a dataset with the paths of its files', async () => {
  const name = freshName('folder');
  const made = await project.datasets.uploadFolder(name, '2024-05', directory);
  expect(made.type).toBe('uri_folder');
  const { blobReference } = await project.datasets.getCredentials(name, '2024-05');
  const blobs = await collect(new ContainerClient(blobReference.credential.sasUri).listBlobsFlat());
  expect(blobs.map((blob) => blob.name)).toEqual(['more/answer one.txt', 'questions.jsonl']);
  await project.datasets.delete(name, '2024-05');
});

test('an upload for a version that exists is refused before anything is sent', async () => {
  const name = freshName('twice');
  await project.datasets.uploadFile(name, '1', join(directory, 'questions.jsonl'));
  await expect(
    project.datasets.uploadFile(name, '1', join(directory, 'questions.jsonl')),
  ).rejects.toMatchObject({ statusCode: 409 });
  const changed = await project.datasets.createOrUpdate(name, '1', {
    ...(await project.datasets.get(name, '1')),
    description: 'Questions',
    tags: { of: 'iron' },
  });
  expect(changed).toMatchObject({ description: 'Questions', tags: { of: 'iron' } });
  await project.datasets.delete(name, '1');
});

test('indexes by the SDK', async () => {
  const name = freshName('index');
  const { id: vectorStoreId } = await openai.vectorStores.create({});
  const index: ManagedAzureAISearchIndex = {
    type: 'ManagedAzureSearch',
    vectorStoreId,
    name,
    version: '1',
  };
  const made = await project.indexes.createOrUpdate(name, '1', index);
  expect(made).toMatchObject(index);
  await project.indexes.createOrUpdate(name, '2', index);
  const versions = await collect(project.indexes.listVersions(name));
  expect(versions.map(({ version }) => version)).toEqual(['2', '1']);
  const latest = (await collect(project.indexes.list())).filter((index) => index.name === name);
  expect(latest.map(({ version }) => version)).toEqual(['2']);
  await project.indexes.delete(name, '1');
  await project.indexes.delete(name, '2');
  await expect(project.indexes.get(name, '2')).rejects.toMatchObject({ statusCode: 404 });
});

test('models are registered from a folder', async () => {
  const name = freshName('model');
  const { models } = project.beta;
  const made = await models.create(name, '1', directory, {
    weightType: 'FullWeight',
    tags: { from: 'test' },
    pollingInterval: 10,
  });
  expect(made).toMatchObject({ name, version: '1', weightType: 'FullWeight', tags: { from: 'test' } });
  expect(made.artifactProfile).toEqual({ category: 'DataOnly', signals: [] });
  const updated = await models.update(name, { description: 'A model' }, '1');
  expect(updated.description).toBe('A model');
  const credentials = await models.getCredentials(name, '1', { blobUri: made.blobUri });
  const blobs = await collect(
    new ContainerClient(credentials.blobReference.credential.sasUri).listBlobsFlat(),
  );
  expect(blobs).toHaveLength(2);
  expect((await collect(models.listVersions(name))).map(({ version }) => version)).toEqual(['1']);
  await models.delete(name, '1');
  await expect(models.get(name, '1')).rejects.toMatchObject({ statusCode: 404 });
});

test('a listing of more names and versions than fit on a page is followed to its end', async () => {
  const name = freshName('many');
  const numbers = Array.from({ length: 130 }, (_, number) => String(number).padStart(3, '0'));
  const { id: vectorStoreId } = await openai.vectorStores.create({});
  const index = { type: 'ManagedAzureSearch', vectorStoreId } as ManagedAzureAISearchIndex;
  for (const number of numbers) {
    await project.indexes.createOrUpdate(name, number, index);
    await project.indexes.createOrUpdate(`${name}-${number}`, '1', index);
  }
  const versions = await collect(project.indexes.listVersions(name));
  expect(versions.map(({ version }) => version)).toEqual(numbers.toReversed());
  const names = (await collect(project.indexes.list())).map((found) => found.name);
  expect(names.filter((found) => found.startsWith(`${name}-`))).toEqual(
    numbers.map((number) => `${name}-${number}`),
  );
  for (const number of numbers) {
    await project.indexes.delete(name, number);
    await project.indexes.delete(`${name}-${number}`, '1');
  }
});
