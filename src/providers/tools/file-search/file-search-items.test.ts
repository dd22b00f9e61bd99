import { afterEach, expect, test, vi } from 'vitest';
import { calls, finish, says, scriptedModel } from '../../../families/testing/scripted-model.ts';
import { type StoreApp, storeApp } from '../../../families/testing/store-app.ts';

let app: StoreApp;
afterEach(() => {
  vi.useRealTimers();
  return app.close();
});

const search = (id: string) => [
  ...calls(id, 'file_search', '{"query":"otters swim"}'),
  finish('tool_calls' as const),
];

/** Two stores with a file each, and a model that searches and answers. */
async function twoStores(...turns: Parameters<typeof scriptedModel>) {
  const model = scriptedModel(...turns);
  app = await storeApp({ models: { m: model.provider } });
  const [first, second] = [await app.store(), await app.store()];
  const otters = app.files.add('otters.md', 'Otters swim in rivers.');
  const seals = app.files.add('seals.md', 'Seals swim.');
  await app.fill(first, otters);
  await app.fill(second, seals);
  return { model, first, second, otters, seals };
}

test('an answer cites the files of all stores that it takes from, by their place in the text', async () => {
  const { first, second, otters, seals, model } = await twoStores(search('a'), [
    ...says('Otters do.【1】 Seals', ' do.【2】【1】'),
    finish(),
  ]);
  // What is in both stores is found once.
  await app.fill(second, otters);
  const { text } = await app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: 'Who swims?',
    tools: [{ type: 'file_search', vector_store_ids: [first, second] }],
    include: ['file_search_call.results'],
    stream: true,
  });
  const events = [...text.matchAll(/^data: (\{.*)$/gm)].map(([, data]) => JSON.parse(data ?? ''));
  expect(events.map(({ type }) => type).filter((type) => /file_search|annotation/.test(type))).toEqual([
    'response.file_search_call.in_progress',
    'response.file_search_call.searching',
    'response.file_search_call.completed',
    ...Array(3).fill('response.output_text.annotation.added'),
  ]);
  const [call, message] = events.at(-1).response.output;
  expect(call).toMatchObject({
    id: expect.stringMatching(/^fs_/),
    type: 'file_search_call',
    status: 'completed',
    queries: ['otters swim'],
    results: [
      { file_id: otters, filename: 'otters.md', text: 'Otters swim in rivers.', attributes: {} },
      { file_id: seals, filename: 'seals.md', text: 'Seals swim.' },
    ],
  });
  expect(message.content[0].annotations).toEqual([
    { type: 'file_citation', file_id: otters, filename: 'otters.md', index: 10 },
    { type: 'file_citation', file_id: seals, filename: 'seals.md', index: 23 },
    { type: 'file_citation', file_id: otters, filename: 'otters.md', index: 26 },
  ]);
  expect(JSON.stringify(model.requests[1]?.messages)).toContain('Otters swim in rivers.');
});

test('results that nobody asked for are not in the item', async () => {
  const { first } = await twoStores(search('a'), [...says('Yes.'), finish()]);
  const { json } = await app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: 'Who swims?',
    tools: [{ type: 'file_search', vector_store_ids: [first] }],
  });
  expect((json.output as object[])[0]).toMatchObject({ queries: ['otters swim'], results: null });
});

test('the next turn hears of the search of the one before', async () => {
  const { first, model } = await twoStores(
    search('a'),
    [...says('Yes.'), finish()],
    [...says('As I said.'), finish()],
  );
  const request = {
    model: 'm',
    input: 'Who swims?',
    tools: [{ type: 'file_search', vector_store_ids: [first] }],
  };
  const { json } = await app.call('POST', '/openai/v1/responses', request);
  const next = await app.call('POST', '/openai/v1/responses', { ...request, previous_response_id: json.id });
  expect(next.status).toBe(200);
  expect(JSON.stringify(model.requests[2]?.messages)).toContain('otters swim');
});

test('a store that is not there, or has expired, is named before the model is asked', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { first, model } = await twoStores(search('a'));
  const old = await app.store({ expires_after: { anchor: 'last_active_at', days: 1 } });
  const ask = (...vector_store_ids: string[]) =>
    app.call('POST', '/openai/v1/responses', {
      model: 'm',
      input: 'Who swims?',
      tools: [{ type: 'file_search', vector_store_ids }],
    });
  const missing = await ask(first, 'vs_none');
  expect([missing.status, missing.json.error]).toMatchObject([
    404,
    { param: 'tools[0].vector_store_ids[1]', message: expect.stringContaining('vs_none') },
  ]);
  vi.setSystemTime(Date.now() + 2 * 86_400_000);
  const expired = await ask(old);
  expect([expired.status, expired.json.error]).toMatchObject([
    400,
    { param: 'tools[0].vector_store_ids[0]', message: expect.stringContaining('has expired') },
  ]);
  expect(model.requests).toEqual([]);
});

test('an agent searches the store that a request names by a structured input', async () => {
  const { second, seals } = await twoStores(search('a'), [...says('Seals.【1】'), finish()]);
  const made = await app.call('POST', '/agents/finder/versions', {
    definition: {
      kind: 'prompt',
      model: 'm',
      tools: [{ type: 'file_search', vector_store_ids: ['{{store}}', '{{other}}'] }],
      structured_inputs: {
        store: { required: true, schema: { type: 'string' } },
        other: { default_value: '' },
      },
    },
  });
  expect(made.status).toBe(200);
  const ask = (structured_inputs: object) =>
    app.call('POST', '/openai/v1/responses', {
      input: 'Who swims?',
      agent_reference: { type: 'agent_reference', name: 'finder' },
      structured_inputs,
    });
  expect((await ask({})).json.error?.param).toBe('structured_inputs.store');
  expect((await ask({ store: 'vs_none' })).status).toBe(404);
  const { json } = await ask({ store: second });
  const message = (json.output as { content?: { annotations: object[] }[] }[]).at(-1);
  expect(message?.content?.[0]?.annotations).toMatchObject([{ type: 'file_citation', file_id: seals }]);
});
