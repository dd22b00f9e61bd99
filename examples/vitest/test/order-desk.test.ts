import { AIProjectClient } from '@azure/ai-projects';
import { test as bloomeryTest } from 'bloomery/testing/vitest';
import { expect, vi } from 'vitest';
import { answer, makeAgent } from '../src/order-desk.ts';

/** Each test has a fork of this project: with the agent, and without what the others do to it. */
const test = bloomeryTest
  .extend('origin', { scope: 'file' }, async ({ server }, { onCleanup }) => {
    const origin = await server.project();
    onCleanup(origin.delete);
    await makeAgent(new AIProjectClient(origin.endpoint, origin.credential), 'builtin');
    return origin;
  })
  .extend('foundry', ({ project }) => new AIProjectClient(project.endpoint, project.credential));

test('tells what the function has found', async ({ foundry }) => {
  const getOrder = vi.fn(() => ({ state: 'shipped' }));
  expect(await answer(foundry, 'Where is order A-1001? Look it up.', getOrder)).toContain('shipped');
  expect(getOrder).toHaveBeenCalledWith('A-1001');
});

test('calls the function again when the model wants it', async ({ foundry, project }) => {
  const call = (number: string) => ({ tool_calls: [{ name: 'get_order', arguments: { number } }] });
  await project.scenarios([
    { when: { input: 'both' }, reply: call('A-1') },
    { when: { tool_output: 'first' }, reply: call('A-2') },
    { when: { tool_output: 'second' }, reply: { text: 'Both are on their way.' } },
  ]);
  const getOrder = vi.fn((number: string) => ({ order: number === 'A-1' ? 'first' : 'second' }));
  expect(await answer(foundry, 'Where are both my orders?', getOrder)).toBe('Both are on their way.');
  expect(getOrder.mock.calls).toEqual([['A-1'], ['A-2']]);
});

test('waits as it is told when the service is busy', async ({ foundry, project }) => {
  await project.faults([{ fault: 'status', status: 429, retryAfterSeconds: 1, when: { first: 1 } }]);
  const getOrder = vi.fn(() => ({ state: 'shipped' }));
  expect(await answer(foundry, 'Where is order A-1001? Look it up.', getOrder)).toContain('shipped');
  expect(getOrder).toHaveBeenCalledOnce();
  expect(await project.struck()).toMatchObject([{ fault: 'status' }]);
});
