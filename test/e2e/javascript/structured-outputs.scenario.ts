import { expect, test } from 'vitest';
import { deployment, freshName, openai, plainOpenAI, project } from './clients.ts';

const outputs = {
  name: 'trip',
  description: 'The trip that the user wants.',
  schema: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
  strict: true,
};

test('an agent captures what the user wants', async () => {
  const name = freshName('traveller');
  const version = await project.agents.createVersion(name, {
    kind: 'prompt',
    model: deployment,
    tools: [{ type: 'capture_structured_outputs', outputs }],
    tool_choice: 'required',
  });
  expect(version.definition).toMatchObject({ tools: [{ type: 'capture_structured_outputs', outputs }] });
  const response = await openai.responses.create(
    { input: 'I want a trip to Oslo for 3 days.' },
    { body: { agent_reference: { type: 'agent_reference', name } } },
  );
  expect(response.output).toMatchObject([
    { type: 'structured_outputs', output: { city: 'Oslo', days: 3 } },
    { type: 'message' },
  ]);
  await project.agents.delete(name);
});

test('the client’s own reader of streams passes over the item', async () => {
  const stream = plainOpenAI.responses.stream({
    model: deployment,
    input: 'I want a trip to Oslo for 3 days.',
    tools: [{ type: 'capture_structured_outputs', outputs } as never],
    tool_choice: 'required',
  });
  const types = (await Array.fromAsync(stream)).map(({ type }) => type);
  expect(types.at(-1)).toBe('response.completed');
  const [first, second] = (await stream.finalResponse()).output;
  expect(first).toMatchObject({ type: 'structured_outputs', output: { city: 'Oslo', days: 3 } });
  expect(second?.type).toBe('message');
});

test('an image is refused where no deployment can make one', async () => {
  await expect(
    openai.responses.create({
      model: deployment,
      input: 'Draw a cat.',
      tools: [{ type: 'image_generation', model: deployment }],
    }),
  ).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'tools[0].model' });
});
