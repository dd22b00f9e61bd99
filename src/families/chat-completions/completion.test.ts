import { expect, test } from 'vitest';
import { finish } from '../testing/scripted-model.ts';
import { keeping } from './completion.ts';
import type { Delta, Finish } from './deltas.ts';

const envelope = { id: 'chatcmpl-1', created: 1, model: 'mine' };
const end = finish('length') as Finish;

async function* pieces(): AsyncGenerator<Delta | Finish> {
  yield { role: 'assistant', content: '', refusal: null };
  yield { content: 'Hi' };
  yield end;
}

test('the end of a stream is told once its answer is kept', async () => {
  const order: unknown[] = [];
  const keep = async (whole: { choices: { message: { content: string | null } }[] }) => {
    await new Promise(setImmediate);
    order.push(`kept ${whole.choices[0]?.message.content}`);
  };
  for await (const piece of keeping(envelope, pieces(), keep)) order.push(piece);
  expect(order.slice(1)).toEqual([{ content: 'Hi' }, 'kept Hi', end]);
});

test('an answer that cannot be kept has no end', async () => {
  const told: unknown[] = [];
  const read = async () => {
    const passed = keeping(envelope, pieces(), () => Promise.reject(new Error('disk full')));
    for await (const piece of passed) told.push(piece);
  };
  await expect(read()).rejects.toThrow('disk full');
  expect(told).not.toContain(end);
});
