import { expect, test } from 'vitest';
import { collect, deployment, freshName, openai, project } from './clients.ts';

const finished = async (id: string) => {
  for (;;) {
    const response = await openai.responses.retrieve(id);
    if (response.status !== 'queued' && response.status !== 'in_progress') return response;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};

test('a background response is polled until it has ended', async () => {
  const { id, status } = await openai.responses.create({
    model: deployment,
    input: 'Count to 5.',
    background: true,
  });
  expect(status).toBe('queued');
  expect(await finished(id)).toMatchObject({ status: 'completed', output_text: '1 2 3 4 5' });
});

test('a background stream is left and taken up again, and nothing is missing or twice', async () => {
  const stream = await openai.responses.create({
    model: deployment,
    input: 'Count to 300.',
    background: true,
    stream: true,
  });
  const seen: number[] = [];
  let id = '';
  for await (const event of stream) {
    if (event.type === 'response.created') id = event.response.id;
    seen.push(event.sequence_number);
    if (seen.length === 20) break;
  }
  const rest = await openai.responses.retrieve(id, { stream: true, starting_after: seen.at(-1) ?? 0 });
  let last = '';
  for await (const event of rest) {
    seen.push(event.sequence_number);
    last = event.type;
  }
  expect(seen).toEqual(seen.map((_, i) => i));
  expect(last).toBe('response.completed');
});

test('the client’s own resuming reader gets the whole', async () => {
  const created = await openai.responses.create({
    model: deployment,
    input: 'Count to 50.',
    background: true,
  });
  const stream = openai.responses.stream({ response_id: created.id });
  const final = await stream.finalResponse();
  expect([final.status, final.output_text.split(' ').length]).toEqual(['completed', 50]);
});

test('a response is cancelled, and cancelling again changes nothing', async () => {
  const { id } = await openai.responses.create({
    model: deployment,
    input: 'Write 4000 words.',
    background: true,
  });
  const results = await Promise.allSettled([openai.responses.cancel(id), openai.responses.cancel(id)]);
  const { status } = await finished(id);
  // It may have been faster than the cancelling.
  if (status === 'completed') {
    for (const result of results) expect(result).toMatchObject({ reason: { status: 409 } });
  } else {
    expect(status).toBe('cancelled');
    for (const result of results) expect(result).toMatchObject({ value: { status: 'cancelled' } });
  }
});

test('an agent works in the background, in a conversation', async () => {
  const name = freshName('background');
  await project.agents.createVersion(name, { kind: 'prompt', model: deployment });
  const conversation = await openai.conversations.create();
  const { id } = await openai.responses.create(
    { conversation: conversation.id, input: 'Say done.', background: true },
    { body: { agent_reference: { type: 'agent_reference', name } } },
  );
  expect(await finished(id)).toMatchObject({ output_text: 'done', agent_reference: { name } });
  expect(await collect(openai.conversations.items.list(conversation.id))).toHaveLength(2);
  await project.agents.delete(name);
});

test('a conversation is compacted and goes on', async () => {
  const first = await openai.responses.create({ model: deployment, input: 'My name is Ada Lovelace.' });
  const compacted = await openai.responses.compact({ model: deployment, previous_response_id: first.id });
  expect(compacted.output.at(-1)).toMatchObject({ type: 'compaction' });
  const next = await openai.responses.create({
    model: deployment,
    input: [...(compacted.output as never[]), { role: 'user', content: 'What is my name?' }],
  });
  expect(next.output_text).toContain('Ada Lovelace');
});

test('reasoning is carried by a caller who keeps nothing here', async () => {
  const ask = {
    model: deployment,
    store: false,
    include: ['reasoning.encrypted_content' as const],
    reasoning: { effort: 'low' as const },
  };
  const first = await openai.responses.create({ ...ask, input: 'Count to 3.' });
  const [reasoning] = first.output;
  expect(reasoning).toMatchObject({ type: 'reasoning', encrypted_content: expect.any(String) });
  const second = await openai.responses.create({
    ...ask,
    input: [
      { role: 'user', content: 'Count to 3.' },
      ...(first.output as never[]),
      { role: 'user', content: 'Again.' },
    ],
  });
  expect(second.status).toBe('completed');
});
