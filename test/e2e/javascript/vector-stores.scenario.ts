import { toFile } from 'openai';
import { expect, test } from 'vitest';
import { collect, deployment, freshName, openai, project } from './clients.ts';

const upload = (name: string, text: string) => toFile(Buffer.from(text), name);

test('a vector store takes files in, is searched, changed and deleted', async () => {
  const store = await openai.vectorStores.create({ name: freshName('store'), metadata: { team: 'a' } });
  expect(store).toMatchObject({ object: 'vector_store', status: 'completed', file_counts: { total: 0 } });

  const file = await openai.vectorStores.files.uploadAndPoll(
    store.id,
    await upload('otters.md', '# Otters\n\nOtters swim in rivers and eat fish.'),
  );
  expect(file).toMatchObject({ status: 'completed', last_error: null, vector_store_id: store.id });
  const batch = await openai.vectorStores.fileBatches.uploadAndPoll(store.id, {
    files: [await upload('owls.txt', 'Owls fly at night.'), await upload('bees.txt', 'Bees make honey.')],
  });
  expect(batch).toMatchObject({ status: 'completed', file_counts: { completed: 2, total: 2 } });

  const changed = await openai.vectorStores.files.update(file.id, {
    vector_store_id: store.id,
    attributes: { legs: 4 },
  });
  expect(changed.attributes).toEqual({ legs: 4 });
  const [found] = await collect(openai.vectorStores.search(store.id, { query: 'What do otters eat?' }));
  expect(found).toMatchObject({ file_id: file.id, filename: 'otters.md', attributes: { legs: 4 } });
  expect(found?.score).toBeLessThanOrEqual(1);
  const filters = { type: 'gt' as const, key: 'legs', value: 2 };
  const filtered = await collect(openai.vectorStores.search(store.id, { query: 'night honey', filters }));
  expect(filtered.every(({ file_id }) => file_id === file.id)).toBe(true);
  const content = await collect(
    await openai.vectorStores.files.content(file.id, { vector_store_id: store.id }),
  );
  expect(content.map(({ text }) => text).join('')).toContain('eat fish');

  const listed = await collect(openai.vectorStores.files.list(store.id, { limit: 2, order: 'asc' }));
  expect(listed).toHaveLength(3);
  await openai.vectorStores.files.delete(file.id, { vector_store_id: store.id });
  const after = await collect(openai.vectorStores.search(store.id, { query: 'otters' }));
  expect(after.every(({ file_id }) => file_id !== file.id)).toBe(true);
  const [other] = listed.filter(({ id }) => id !== file.id);
  await openai.files.delete(other?.id ?? '');
  expect((await openai.vectorStores.retrieve(store.id)).file_counts.total).toBe(1);

  expect(await openai.vectorStores.delete(store.id)).toMatchObject({ deleted: true });
  await expect(openai.vectorStores.retrieve(store.id)).rejects.toMatchObject({ status: 404 });
});

test('a file that cannot be read fails and says why', async () => {
  const store = await openai.vectorStores.create({});
  const file = await openai.vectorStores.files.uploadAndPoll(store.id, await upload('empty.txt', ' \n'));
  expect(file).toMatchObject({ status: 'failed', last_error: { code: 'invalid_file' } });
  await openai.vectorStores.delete(store.id);
});

test('a response searches files and cites them, in a stream', async () => {
  const store = await openai.vectorStores.create({});
  const { id } = await openai.vectorStores.files.uploadAndPoll(
    store.id,
    await upload('otters.md', 'Otters swim in rivers and eat fish.'),
  );
  const stream = openai.responses.stream({
    model: deployment,
    input: 'Use file_search: what do otters eat?',
    tools: [{ type: 'file_search', vector_store_ids: [store.id] }],
    include: ['file_search_call.results'],
  });
  const types = (await Array.fromAsync(stream)).map(({ type }) => type);
  expect(types).toEqual(
    expect.arrayContaining([
      'response.file_search_call.in_progress',
      'response.file_search_call.searching',
      'response.file_search_call.completed',
    ]),
  );
  const { output } = await stream.finalResponse();
  const call = output.find((item) => item.type === 'file_search_call');
  expect(call).toMatchObject({ status: 'completed', results: [{ file_id: id, filename: 'otters.md' }] });
  const message = output.find((item) => item.type === 'message');
  const [part] = message?.content ?? [];
  if (part?.type !== 'output_text') throw new Error('there is no text');
  const [citation] = part.annotations;
  expect(citation).toMatchObject({ type: 'file_citation', file_id: id, filename: 'otters.md' });
  expect(part.text.slice(citation?.type === 'file_citation' ? citation.index : 0)).toMatch(/^【1】/);
  await openai.vectorStores.delete(store.id);
});

test('an agent searches the store that a request names', async () => {
  const store = await openai.vectorStores.create({});
  await openai.vectorStores.files.uploadAndPoll(store.id, await upload('otters.md', 'Otters eat fish.'));
  const name = freshName('finder');
  await project.agents.createVersion(name, {
    kind: 'prompt',
    model: deployment,
    tools: [{ type: 'file_search', vector_store_ids: ['{{store}}'] }],
    structured_inputs: { store: { required: true, schema: { type: 'string' } } },
  });
  const response = await openai.responses.create(
    { input: 'Tell me about otters' },
    {
      body: {
        input: 'Tell me about otters',
        agent_reference: { name, type: 'agent_reference' },
        structured_inputs: { store: store.id },
      },
    },
  );
  expect(response.output_text).toContain('eat fish');
  await project.agents.delete(name);
  await openai.vectorStores.delete(store.id);
});
