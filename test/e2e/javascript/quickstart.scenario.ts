import { expect, test } from 'vitest';
import { collect, deployment, freshName, openai, plainOpenAI, project } from './clients.ts';

test('quickstart: agent version, conversation, two turns, a stream, and all deleted', async () => {
  const name = freshName('quickstart');
  const agent = await project.agents.createVersion(name, {
    kind: 'prompt',
    model: deployment,
    instructions: 'You are a helpful assistant that answers general questions.',
  });
  expect(agent).toMatchObject({
    object: 'agent.version',
    id: `${name}:1`,
    name,
    version: '1',
    status: 'active',
  });

  const conversation = await openai.conversations.create({
    items: [{ type: 'message', role: 'user', content: 'My name is Ada Lovelace.' }],
  });
  const first = await openai.responses.create(
    { conversation: conversation.id },
    { body: { agent: { name: agent.name, type: 'agent_reference' } } },
  );
  expect(first).toMatchObject({ status: 'completed', conversation: { id: conversation.id } });
  expect(first.output_text).not.toBe('');

  await openai.conversations.items.create(conversation.id, {
    items: [{ type: 'message', role: 'user', content: 'What is my name?' }],
  });
  const reference = { agent_reference: { type: 'agent_reference', name: agent.name, version: '1' } };
  const second = await openai.responses.create({ conversation: conversation.id }, { body: reference });
  expect(second.output_text).toContain('Ada Lovelace');
  expect(second).toMatchObject({ agent_reference: { type: 'agent_reference', name, version: '1' } });

  const stream = await openai.responses.create(
    { conversation: conversation.id, input: 'Count to 10.', stream: true },
    { body: reference },
  );
  let text = '';
  const types: string[] = [];
  for await (const event of stream) {
    types.push(event.type);
    if (event.type === 'response.output_text.delta') text += event.delta;
  }
  expect([types[0], types.at(-1)]).toEqual(['response.created', 'response.completed']);
  expect(text).toBe('1 2 3 4 5 6 7 8 9 10');

  const items = await collect(openai.conversations.items.list(conversation.id, { order: 'asc' }));
  expect(items.map((item) => (item.type === 'message' ? item.role : item.type))).toEqual([
    'user',
    'assistant',
    'user',
    'assistant',
    'user',
    'assistant',
  ]);
  expect(await openai.conversations.delete(conversation.id)).toMatchObject({ deleted: true });
  expect(await project.agents.deleteVersion(name, '1')).toMatchObject({ deleted: true });
  await expect(project.agents.get(name)).rejects.toMatchObject({ statusCode: 404 });
});

test('the README of the SDK: a response, and one that continues it', async () => {
  const response = await openai.responses.create({
    model: deployment,
    input: 'What is the capital of France?',
  });
  expect(response.output_text).toContain('Paris');
  const detail = await openai.responses.create({
    model: deployment,
    input: 'What did I ask?',
    previous_response_id: response.id,
  });
  expect(detail.output_text).toContain('What is the capital of France?');
});

test('the plain OpenAI client needs only its usual variables', async () => {
  const response = await plainOpenAI.responses.create({ model: deployment, input: 'Say hello there.' });
  expect(response.output_text).toBe('hello there');
  expect(response._request_id).toMatch(/^[0-9a-f]{32}$/);
  const models = await collect(plainOpenAI.models.list());
  expect(models).toMatchObject([{ id: 'builtin', object: 'model' }]);
});

test('an agent answers at its own address', async () => {
  const name = freshName('endpoint');
  await project.agents.createVersion(name, {
    kind: 'prompt',
    model: deployment,
    instructions: 'Reply with exactly: pong',
  });
  const client = project.getOpenAIClient({ azureConfig: { agentName: name, allowPreview: true } });
  const response = await client.responses.create({ input: 'ping' });
  expect(response).toMatchObject({ output_text: 'pong', agent_reference: { name, version: '1' } });
  expect(await client.responses.retrieve(response.id)).toMatchObject({ id: response.id });
  await project.agents.delete(name);
});
