import { expect, test } from 'vitest';
import { notFound } from '../../../errors.ts';
import { called, opened } from '../testing/opened-tool.ts';
import { fileSearchTool } from './file-search-tool.ts';
import type { FoundText, SearchedStores, StoreSearch } from './searched-stores.ts';

const otters: FoundText = {
  fileId: 'file-1',
  filename: 'otters.md',
  attributes: { legs: 4 },
  text: 'Otters swim.',
  score: 0.9,
};

/** Stores that find the same whatever is asked, and note what is. */
function stores(found: FoundText[] = [otters]) {
  const asked: { ids: readonly string[]; request: StoreSearch }[] = [];
  const searched: SearchedStores = {
    async require(_project, ids, place) {
      for (const [at, id] of ids.entries()) {
        if (!id.startsWith('vs_')) throw notFound('vector store', id, place(at));
      }
    },
    async search(_project, ids, request) {
      asked.push({ ids, request });
      return found;
    },
  };
  return { asked, tool: fileSearchTool(searched) };
}

const definition = (more: object = {}) => ({ type: 'file_search', vector_store_ids: ['vs_1'], ...more });
const include = ['file_search_call.results'];

test('a search tells what it has found, and how an answer refers to it', async () => {
  const { tool } = stores();
  const call = await called(await opened(tool, definition()), 'file_search', { query: ' otters ' });
  expect(call).toEqual({
    events: ['response.file_search_call.searching'],
    fields: { queries: ['otters'], results: null },
    output: '【1】 otters.md\nOtters swim.',
    sources: [
      {
        mention: '【1】',
        annotation: { type: 'file_citation', file_id: 'file-1', filename: 'otters.md' },
        place: 'index',
      },
    ],
  });
});

test('results are with the item where they are asked for', async () => {
  const { tool } = stores();
  const { fields } = await called(await opened(tool, definition(), { include }), 'file_search', {
    query: 'o',
  });
  expect(fields.results).toEqual([
    { file_id: 'file-1', filename: 'otters.md', score: 0.9, attributes: { legs: 4 }, text: 'Otters swim.' },
  ]);
});

test('several stores are searched together, as the definition says', async () => {
  const { tool, asked } = stores([]);
  const filters = { type: 'eq', key: 'k', value: 1 };
  const ranking_options = {
    ranker: 'auto',
    score_threshold: 0.5,
    hybrid_search: { embedding_weight: 2, text_weight: 1 },
  };
  const open = await opened(
    tool,
    definition({ vector_store_ids: ['vs_1', 'vs_2'], max_num_results: 3, filters, ranking_options }),
  );
  expect((await called(open, 'file_search', { query: 'o' })).output).toBe("Nothing was found for 'o'.");
  expect(asked).toEqual([
    {
      ids: ['vs_1', 'vs_2'],
      request: {
        queries: ['o'],
        limit: 3,
        filter: filters,
        weights: { embedding: 2, text: 1 },
        scoreThreshold: 0.5,
      },
    },
  ]);
});

test.each([
  [{ vector_store_ids: [] }, 'tools[0].vector_store_ids'],
  [{ vector_store_ids: [''] }, 'tools[0].vector_store_ids'],
  [{ vector_store_ids: ['', 'vs_1', '{{name}}'] }, 'tools[0].vector_store_ids[2]'],
  [{ max_num_results: 51 }, 'tools[0].max_num_results'],
  [{ filters: { type: 'like' } }, 'tools[0].filters.type'],
  [{ ranking_options: { score_threshold: -1 } }, 'tools[0].ranking_options.score_threshold'],
])('%j is refused', async (more, target) => {
  await expect(opened(stores().tool, definition(more))).rejects.toMatchObject({ target });
});

test('an id that was left empty by its template is passed over', async () => {
  const { tool, asked } = stores();
  const open = await opened(tool, definition({ vector_store_ids: ['vs_1', ''] }));
  await called(open, 'file_search', { query: 'o' });
  expect(asked[0]?.ids).toEqual(['vs_1']);
});

test('a call without a query fails', async () => {
  const open = await opened(stores().tool, definition());
  await expect(called(open, 'file_search', {})).rejects.toThrow("'query' is missing");
  expect(open.fields({ name: 'file_search', arguments: '{' })).toEqual({ queries: [], results: null });
});

test('later turns hear of the search, and of its results where they were kept', () => {
  const { tool } = stores();
  const item = { type: 'file_search_call', queries: ['otters'], results: null };
  expect(tool.replay(item, null)).toEqual({
    name: 'file_search',
    arguments: '{"query":"otters"}',
    output: expect.stringContaining('no longer at hand'),
  });
  const results = [{ filename: 'otters.md', text: 'Otters swim.' }];
  expect(tool.replay({ ...item, results }, null)?.output).toBe('otters.md\nOtters swim.');
  expect(tool.replay({ ...item, queries: [] }, null)).toBeNull();
});
