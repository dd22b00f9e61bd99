import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, expect, test } from 'vitest';
import { createBuiltinModel } from '../../providers/models/builtin/index.ts';
import type { ModelProvider } from '../../providers/models/model.ts';
import { finish, says, scriptedModel } from '../testing/scripted-model.ts';
import { type StoreApp, type StoreAppOptions, storeApp } from '../testing/store-app.ts';

let app: StoreApp;
afterEach(() => app.close());
const start = async (options?: StoreAppOptions) => {
  app = await storeApp(options);
  return app;
};
const base = '/openai/v1/vector_stores';
const search = (id: string, body: object) => app.call('POST', `${base}/${id}/search`, body);
const foundIn = ({ json }: { json: Record<string, unknown> }) =>
  (json.data as { file_id: string }[]).map(({ file_id }) => file_id);

async function animals() {
  const { files, store, fill, call } = app;
  const id = await store();
  const otters = files.add('otters.txt', 'Otters swim in rivers.');
  const owls = files.add('owls.txt', 'Owls fly over rivers.');
  await fill(id, otters, owls);
  await call('POST', `${base}/${id}/files/${otters}`, { attributes: { legs: 4, wild: true } });
  await call('POST', `${base}/${id}/files/${owls}`, { attributes: { legs: 2 } });
  return { id, otters, owls };
}

test('what is found comes best first, with file, score, attributes and text', async () => {
  await start();
  const { id, otters, owls } = await animals();
  const { status, json } = await search(id, { query: '  Do owls fly?  ' });
  expect([status, json]).toMatchObject([
    200,
    {
      object: 'vector_store.search_results.page',
      search_query: ['Do owls fly?'],
      data: [
        {
          file_id: owls,
          filename: 'owls.txt',
          attributes: { legs: 2 },
          content: [{ type: 'text', text: 'Owls fly over rivers.' }],
        },
      ],
      has_more: false,
      next_page: null,
    },
  ]);
  const [hit] = json.data as [{ score: number }];
  expect(hit.score).toBeGreaterThan(0);
  expect(hit.score).toBeLessThanOrEqual(1);
  expect(foundIn(await search(id, { query: ['otters', 'owls'] })).sort()).toEqual([otters, owls].sort());
});

test('as many as wanted, as good as wanted, and of the files wanted', async () => {
  await start();
  const { id, otters, owls } = await animals();
  const query = 'otters in rivers';
  expect(foundIn(await search(id, { query }))).toEqual([otters, owls]);
  expect(foundIn(await search(id, { query, max_num_results: 1 }))).toEqual([otters]);
  expect(foundIn(await search(id, { query, ranking_options: { score_threshold: 0.9 } }))).toEqual([otters]);
  const filters = {
    type: 'and',
    filters: [
      { type: 'in', key: 'legs', value: [1, 2] },
      { type: 'ne', key: 'wild', value: true },
    ],
  };
  expect(foundIn(await search(id, { query, filters }))).toEqual([owls]);
});

test.each([
  ['no query', {}, 'query'],
  ['an empty query', { query: '' }, 'query'],
  ['a query of nothing', { query: ['otters', ' \n '] }, 'query[1]'],
  ['too many results', { query: 'x', max_num_results: 51 }, 'max_num_results'],
  ['a threshold', { query: 'x', ranking_options: { score_threshold: 2 } }, 'ranking_options.score_threshold'],
  ['a ranker', { query: 'x', ranking_options: { ranker: 'best' } }, 'ranking_options.ranker'],
  [
    'no weight',
    { query: 'x', ranking_options: { hybrid_search: { embedding_weight: 0, text_weight: 0 } } },
    'ranking_options.hybrid_search',
  ],
  [
    'an operator',
    { query: 'x', filters: { type: 'or', filters: [{ type: 'like', key: 'k', value: 'v' }] } },
    'filters.filters[0].type',
  ],
])('%s is refused', async (_, body, param) => {
  await start();
  const { status, json } = await search(await app.store(), body);
  expect([status, json.error?.param]).toEqual([400, param]);
});

const json = fc.jsonValue({ maxDepth: 3 });
const operators = ['eq', 'ne', 'gt', 'gte', 'lt', 'lte', 'in', 'nin', 'and', 'or'];
/** What looks like a filter, right or wrong at any place. */
const { filterLike } = fc.letrec<{ filterLike: unknown }>((tie) => ({
  filterLike: fc.oneof(
    { maxDepth: 12, withCrossShrink: true },
    json,
    fc.record(
      {
        type: fc.oneof(fc.constantFrom(...operators), json),
        key: fc.oneof(fc.constantFrom('legs', 'wild'), fc.string(), json),
        value: fc.oneof(json, fc.array(fc.oneof(fc.string(), fc.double()))),
      },
      { requiredKeys: ['type'] },
    ),
    fc.record({
      type: fc.constantFrom('and', 'or'),
      filters: fc.oneof({ weight: 9, arbitrary: fc.array(tie('filterLike'), { maxLength: 3 }) }, json),
    }),
  ),
}));

test('whatever is sent as a filter is taken, or refused at its place', async () => {
  await start();
  const { id } = await animals();
  await fc.assert(
    fc.asyncProperty(filterLike, async (filters) => {
      const { status, json } = await search(id, { query: 'otters in rivers', filters });
      if (status === 200) return;
      expect([status, json.error?.param]).toEqual([400, expect.stringMatching(/^(filters|body$)/)]);
    }),
    { numRuns: 300 },
  );
  const nested = (depth: number): object =>
    depth === 0 ? { type: 'eq', key: 'k', value: 1 } : { type: 'or', filters: [nested(depth - 1)] };
  const { status, json: deep } = await search(id, { query: 'x', filters: nested(2000) });
  expect([status, deep.error?.message]).toEqual([400, expect.stringContaining('8 deep')]);
});

test('without embeddings words are all there is, so they need some weight', async () => {
  await start();
  const { status, json } = await search(await app.store(), {
    query: 'x',
    ranking_options: { ranker: 'none' },
  });
  expect([status, json.error]).toMatchObject([
    400,
    { code: 'unsupported_parameter', param: 'ranking_options' },
  ]);
});

test('queries are rewritten where that is wanted, and search_query tells', async () => {
  const model = scriptedModel(
    [...says(' "otters', '\nrivers" '), finish()],
    [...says('owls'), finish()],
    [...says('cut o'), finish('length')],
    [new Error('away')],
    [...says(' '), finish()],
  );
  const callers: unknown[] = [];
  const m: ModelProvider = {
    ...model.provider,
    async *generate(request, signal, caller) {
      callers.push({ project: caller?.project, key: caller?.key });
      yield* model.provider.generate?.(request, signal) ?? [];
    },
  };
  await start({ models: { m }, parts: { rewriteModel: 'm' } });
  const { id, owls } = await animals();
  const rewritten = async (body: object) => (await search(id, { rewrite_query: true, ...body })).json;
  expect(await rewritten({ query: 'Hi! Do otters, perhaps, swim in rivers?' })).toMatchObject({
    search_query: ['otters rivers'],
  });
  expect(callers).toEqual([{ project: 'default', key: expect.any(String) }]);
  const [task, asked] = model.requests[0]?.messages ?? [];
  expect(task?.role).toBe('system');
  expect(asked).toMatchObject({ content: [{ text: 'Hi! Do otters, perhaps, swim in rivers?' }] });
  const found = await rewritten({ query: 'those birds' });
  expect([found.search_query, foundIn({ json: found })]).toEqual([['owls'], [owls]]);
  // What is of no use is not searched for.
  expect(await rewritten({ query: ['a', ' b ', 'c'] })).toMatchObject({ search_query: ['a', 'b', 'c'] });
  expect(model.requests).toHaveLength(5);
  expect((await search(id, { query: 'those birds' })).json.search_query).toEqual(['those birds']);
  expect(model.requests).toHaveLength(5);
});

test('without a model that can, queries are searched for as they are', async () => {
  const { generate: _, ...mute } = scriptedModel().provider;
  for (const rewriteModel of [null, 'gone', 'mute']) {
    await start({ models: { mute }, parts: { rewriteModel } });
    const { id, owls } = await animals();
    const { status, json } = await search(id, { query: ' owls ', rewrite_query: true });
    expect([status, json.search_query, foundIn({ json })]).toEqual([200, ['owls'], [owls]]);
    if (rewriteModel !== 'mute') await app.close();
  }
});

test('with embeddings texts are found that share no word with the query', async () => {
  const builtin = createBuiltinModel({ scenarios: [] });
  const { files, store, fill } = await start({ models: { builtin }, parts: { embeddings: 'builtin' } });
  const id = await store();
  const swimming = files.add('swimming.txt', 'Swimmers are swimming.');
  await fill(id, swimming, files.add('cooking.txt', 'Onions and garlic.'));
  const weights = (embedding_weight: number, text_weight: number) => ({
    query: 'swim',
    ranking_options: { hybrid_search: { embedding_weight, text_weight } },
  });
  expect(foundIn(await search(id, weights(0, 1)))).toEqual([]);
  expect(foundIn(await search(id, weights(1, 0)))[0]).toBe(swimming);
});

test('a store keeps the embeddings that it was made with', async () => {
  const asked: string[] = [];
  const embedding = (name: string, dimensions: number) => ({
    ...scriptedModel().provider,
    embed: async ({ inputs }: { inputs: string[] }) => {
      asked.push(name);
      return { embeddings: inputs.map(() => Array(dimensions).fill(1)), inputTokens: 1 };
    },
  });
  const models = { first: embedding('first', 3), second: embedding('second', 5) };
  const directory = mkdtempSync(join(tmpdir(), 'bloomery-stores-'));
  const before = await start({ models, directory, parts: { embeddings: 'first' } });
  const { files, index } = before;
  const id = await app.store();
  await app.drain(1000);
  const after = await start({ models, directory, files, index, parts: { embeddings: 'second' } });
  const file = files.add('a.txt', 'Otters swim.');
  await after.fill(id, file);
  expect(foundIn(await search(id, { query: 'x' }))).toEqual([file]);
  expect(asked).toEqual(['first', 'first']);
  const other = await after.store();
  await after.fill(other, file);
  expect(asked).toEqual(['first', 'first', 'second']);

  await after.drain(1000);
  const { first: _, ...left } = models;
  await start({ models: left, directory, files, index, parts: { embeddings: 'second' } });
  const { status, json } = await search(id, { query: 'x' });
  expect([status, json.error]).toMatchObject([
    409,
    { message: expect.stringContaining("embeddings of 'first'") },
  ]);
  const lexical = { hybrid_search: { embedding_weight: 0, text_weight: 1 } };
  expect(foundIn(await search(id, { query: 'otters', ranking_options: lexical }))).toEqual([file]);
  await before.close();
  await after.close();
});

test('what the index holds is shown only while the file is attached and whole', async () => {
  const { index } = await start();
  const { id, otters } = await animals();
  // They are all better than what may be shown.
  for (let n = 0; n < 5; n++) {
    const file = { id: `file-stray-${n}`, filename: 'stray.txt', attributes: {} };
    await index.put({ project: 'default', id }, file, [{ text: `Otters swim today ${n}`, vector: null }]);
  }
  expect(foundIn(await search(id, { query: 'otters swim today', max_num_results: 2 }))).toContain(otters);
});

test('a store that is not there is named', async () => {
  await start();
  const { status, json } = await search('vs_none', { query: 'x' });
  expect([status, json.error]).toMatchObject([
    404,
    { param: 'vector_store_id', message: expect.stringContaining("'vs_none'") },
  ]);
});
