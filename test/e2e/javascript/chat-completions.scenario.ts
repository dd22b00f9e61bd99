import { describe, expect, test } from 'vitest';
import { collect, deployment, freshName, openai, plainOpenAI } from './clients.ts';

const ask = (content: string) => ({
  model: deployment,
  messages: [{ role: 'user' as const, content }],
});

describe('stored chat completions', () => {
  test('are created, read, updated and deleted', async () => {
    const topic = freshName('topic');
    const created = await openai.chat.completions.create({
      ...ask('Reply with exactly: pong'),
      store: true,
      metadata: { topic },
    });
    expect(created.choices[0]?.message.content).toBe('pong');
    expect(await openai.chat.completions.retrieve(created.id)).toEqual(created);

    const messages = await collect(openai.chat.completions.messages.list(created.id));
    expect(messages).toMatchObject([
      { id: `${created.id}-0`, role: 'user', content: 'Reply with exactly: pong' },
    ]);

    const updated = await openai.chat.completions.update(created.id, { metadata: { topic, rated: 'good' } });
    expect(updated).toEqual({ ...created, metadata: { topic, rated: 'good' } });
    const rated = await collect(openai.chat.completions.list({ metadata: { topic, rated: 'good' } }));
    expect(rated).toEqual([updated]);

    expect(await openai.chat.completions.delete(created.id)).toEqual({
      object: 'chat.completion.deleted',
      id: created.id,
      deleted: true,
    });
    await expect(openai.chat.completions.retrieve(created.id)).rejects.toMatchObject({
      status: 404,
      code: 'not_found',
      param: 'completion_id',
    });
  });

  test('are listed through all pages, oldest first', async () => {
    const topic = freshName('pages');
    const ids: string[] = [];
    for (let i = 0; i < 45; i++) {
      const { id } = await openai.chat.completions.create({
        ...ask(`Reply with exactly: ${i}`),
        store: true,
        metadata: { topic },
      });
      ids.push(id);
    }
    const metadata = { topic };
    const first = await openai.chat.completions.list({ metadata });
    expect(first.data.map(({ id }) => id)).toEqual(ids.slice(0, 20));
    const all = await collect(openai.chat.completions.list({ metadata }));
    expect(all.map(({ id }) => id)).toEqual(ids);
    expect(all.at(-1)?.choices[0]?.message.content).toBe('44');
    const newest = await collect(
      openai.chat.completions.list({ metadata, model: deployment, order: 'desc', limit: 7 }),
    );
    expect(newest.map(({ id }) => id)).toEqual(ids.toReversed());
    expect(await collect(openai.chat.completions.list({ metadata, model: 'other' }))).toEqual([]);
  });

  test('may be streamed', async () => {
    const stream = openai.chat.completions.stream({ ...ask('Count to 5.'), store: true });
    const streamed = await stream.finalChatCompletion();
    const stored = await openai.chat.completions.retrieve(streamed.id);
    expect(stored.choices[0]?.message.content).toBe('1 2 3 4 5');
    expect(streamed.choices[0]?.message.content).toBe('1 2 3 4 5');
  });

  test('are only those that asked for it', async () => {
    const { id } = await openai.chat.completions.create(ask('Reply with exactly: pong'));
    await expect(openai.chat.completions.retrieve(id)).rejects.toMatchObject({ status: 404 });
  });
});

describe('completions of the older kind', () => {
  test('complete one text, or several', async () => {
    const one = await plainOpenAI.completions.create({
      model: deployment,
      prompt: 'Reply with exactly: pong',
    });
    expect(one).toMatchObject({
      object: 'text_completion',
      choices: [{ index: 0, text: 'pong', finish_reason: 'stop', logprobs: null }],
    });
    const several = await plainOpenAI.completions.create({
      model: deployment,
      prompt: ['Reply with exactly: ping', 'Reply with exactly: pong'],
      echo: true,
    });
    expect(several.choices.map(({ text }) => text)).toEqual([
      'Reply with exactly: pingping',
      'Reply with exactly: pongpong',
    ]);
  });

  test('end after 16 tokens unless told otherwise, or where they are told to stop', async () => {
    const count = { model: deployment, prompt: 'Count to 40.' };
    const short = await plainOpenAI.completions.create(count);
    expect(short.choices[0]?.finish_reason).toBe('length');
    expect(short.usage?.completion_tokens).toBe(16);
    const stopped = await plainOpenAI.completions.create({ ...count, max_tokens: 200, stop: ' 6' });
    expect(stopped.choices[0]).toMatchObject({ text: '1 2 3 4 5', finish_reason: 'stop' });
  });

  test('are streamed', async () => {
    const stream = await plainOpenAI.completions.create({
      model: deployment,
      prompt: 'Count to 5.',
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let total = 0;
    const reasons: string[] = [];
    for await (const { choices, usage } of stream) {
      text += choices[0]?.text ?? '';
      if (choices[0]?.finish_reason) reasons.push(choices[0].finish_reason);
      total = usage?.total_tokens ?? total;
    }
    expect([text, reasons]).toEqual(['1 2 3 4 5', ['stop']]);
    expect(total).toBeGreaterThan(0);
  });

  test('refuse what they cannot honour', async () => {
    await expect(
      plainOpenAI.completions.create({ model: deployment, prompt: 'x', suffix: 'y' }),
    ).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'suffix' });
  });
});
