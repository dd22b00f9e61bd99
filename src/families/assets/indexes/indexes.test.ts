import { afterAll, beforeAll, expect, test } from 'vitest';
import { type StoreApp, storeApp } from '../../testing/store-app.ts';

let app: StoreApp;

beforeAll(async () => {
  app = await storeApp();
  managed.vectorStoreId = await app.store();
  const target = 'https://mine.example.com/';
  await app.call('PUT', '/connections/search', { type: 'CognitiveSearch', target });
  await app.call('PUT', '/connections/cosmos', { type: 'CosmosDB', target });
});
afterAll(() => app.close());

const at = (name: string, version = '1') => `/indexes/${name}/versions/${version}`;

const search = {
  type: 'AzureSearch',
  connectionName: 'search',
  indexName: 'docs',
  fieldMapping: { contentFields: ['text'], titleField: 'title' },
};
const managed = { type: 'ManagedAzureSearch', vectorStoreId: 'made when there is a server' };
const cosmos = {
  type: 'CosmosDBNoSqlVectorStore',
  connectionName: 'cosmos',
  databaseName: 'db',
  containerName: 'docs',
  embeddingConfiguration: { modelDeploymentName: 'embed', embeddingField: 'vector' },
  fieldMapping: { contentFields: ['text'] },
};

test.each([search, managed, cosmos])(
  'an index of type $type is made, read, changed and deleted',
  async (index) => {
    const name = index.type;
    const made = await app.call('PATCH', at(name), { ...index, tags: { a: '1' } });
    expect(made.status).toBe(201);
    expect(made.json).toEqual({
      ...index,
      id: `azureai://accounts/bloomery/projects/default/indexes/${name}/versions/1`,
      ...{ name, version: '1', tags: { a: '1' } },
    });
    const again = await app.call('PATCH', at(name), { ...made.json, description: 'Mine' });
    expect([again.status, again.json]).toEqual([200, { ...made.json, description: 'Mine' }]);
    expect((await app.call('GET', at(name))).json).toEqual(again.json);
    expect((await app.call('DELETE', at(name))).status).toBe(204);
    expect((await app.call('DELETE', at(name))).status).toBe(204);
    expect((await app.call('GET', at(name))).json.error?.message).toContain('Could not find asset with ID');
  },
);

test('what an index is stays as it was made', async () => {
  await app.call('PATCH', at('set'), search);
  for (const [field, value] of Object.entries({
    type: 'ManagedAzureSearch',
    indexName: 'other',
    fieldMapping: { contentFields: ['body'] },
    vectorStoreId: 'vs_1',
  })) {
    const { status, json } = await app.call('PATCH', at('set'), { [field]: value });
    expect({ status, target: json.error?.param }).toEqual({ status: 409, target: field });
  }
});

test.each<[string, object, string]>([
  ['no type', { ...search, type: undefined }, 'type'],
  ['another type', { ...search, type: 'Elastic' }, 'type'],
  ['no connection', { ...search, connectionName: undefined }, 'connectionName'],
  ['a connection that is not there', { ...search, connectionName: 'none' }, 'connectionName'],
  ['a connection to something else', { ...search, connectionName: 'cosmos' }, 'connectionName'],
  ['no mapping where one is needed', { ...cosmos, fieldMapping: undefined }, 'fieldMapping'],
  ['a mapping without fields of content', { ...search, fieldMapping: {} }, 'fieldMapping.contentFields'],
  ['an empty name of the index', { ...search, indexName: '' }, 'indexName'],
  ['a field of another type', { ...managed, indexName: 'docs' }, 'body'],
  ['another name', { ...managed, name: 'other' }, 'name'],
])('an index with %s is refused', async (_, body, target) => {
  const reply = await app.call('PATCH', at('bad'), body);
  expect({ status: reply.status, target: reply.json.error?.param }).toEqual({ status: 400, target });
});

test('a vector store must be there, and in the project of the index', async () => {
  const gone = await app.store();
  await app.call('DELETE', `/openai/v1/vector_stores/${gone}`);
  const refused = async (vectorStoreId: string) => {
    const { status, json } = await app.call('PATCH', at('stray'), { ...managed, vectorStoreId });
    expect([status, json.error]).toMatchObject([400, { param: 'vectorStoreId' }]);
    return String(json.error?.message);
  };
  expect(await refused('vs_none')).toContain("No vector store 'vs_none' exists in project 'default'. Create");
  await refused(gone);
  expect((await app.call('GET', at('stray'))).status).toBe(404);
});

test('an index outlives its vector store', async () => {
  const vectorStoreId = await app.store();
  await app.call('PATCH', at('outlives'), { ...managed, vectorStoreId });
  await app.call('DELETE', `/openai/v1/vector_stores/${vectorStoreId}`);
  const changed = await app.call('PATCH', at('outlives'), { ...managed, vectorStoreId, description: 'Old' });
  expect([changed.status, changed.json]).toMatchObject([200, { vectorStoreId, description: 'Old' }]);
});

test('pages follow each other by nextLink, whatever is made and deleted between them', async () => {
  for (let number = 0; number < 150; number++) {
    await app.call('PATCH', at(`p${String(number).padStart(3, '0')}`), managed);
    await app.call('PATCH', at('versions', String(number)), managed);
  }
  const walk = async (path: string, meanwhile: () => Promise<unknown>) => {
    const found: { name: string; version: string }[] = [];
    let next: string | undefined = path;
    while (next !== undefined) {
      const { json } = await app.call('GET', next);
      found.push(...(json.value as typeof found));
      next = (json.nextLink as string | undefined)?.replace(/^http:\/\/[^/]+\/api\/projects\/default/, '');
      await meanwhile();
    }
    return found;
  };
  const names = await walk('/indexes', () => app.call('DELETE', at('p000')));
  expect(names.map(({ name }) => name).filter((name) => /^p\d/.test(name))).toHaveLength(150);
  expect(names.find(({ name }) => name === 'versions')?.version).toBe('149');
  const versions = await walk('/indexes/versions/versions', () =>
    app.call('PATCH', at('versions', 'new'), managed),
  );
  expect(versions.map(({ version }) => Number(version))).toEqual(
    Array.from({ length: 150 }, (_, at) => 149 - at),
  );
});
