import fc from 'fast-check';
import { expect, test } from 'vitest';
import { modelRequest } from '../testing/fake-upstream.ts';
import { countRequestTokens, countTextTokens } from '../token-count.ts';
import { createBuiltinModel } from './index.ts';
import { answered, ask, system, tool, user } from './testing/ask.ts';

const weather = tool('get_weather', 'Get weather', { location: { type: 'string' } });

test('says what it is, and answers from instructions, input and earlier turns', async () => {
  const { text } = await ask([system('Be kind.'), user('Hello'), user('What is the capital of Spain?')]);
  expect(text).toBe(
    `Bloomery's builtin model here. My instructions: "Be kind.". The capital of Spain is Madrid. Earlier you said: "Hello".`,
  );
  expect((await ask('Say exactly: tick tock')).text).toBe('tick tock');
});

test('streams word by word, or in one piece', async () => {
  const streamed = await ask('Say exactly: one two  three\nfour');
  const deltas = streamed.events.flatMap((event) => (event.type === 'text' ? [event.delta] : []));
  expect(deltas).toEqual(['one', ' two', '  three']);
  const whole = await ask('Say exactly: one two  three\nfour', { stream: false });
  expect(whole.events.map(({ type }) => type)).toEqual(['text', 'finish']);
  expect(whole.text).toBe(streamed.text);
});

test('usage is counted exactly', async () => {
  const messages = [system('Be kind.'), user('Count to 30, please.')];
  const { text, finish } = await ask(messages);
  const inputTokens = await countRequestTokens(modelRequest({ messages }));
  const outputTokens = await countTextTokens([text]);
  expect(finish.usage).toEqual({ inputTokens, cachedInputTokens: 0, outputTokens, reasoningTokens: 0 });
});

test('the bound on tokens is kept to the token', async () => {
  const whole = await ask('count to 100');
  for (const maxOutputTokens of [1, 7, 16]) {
    const { text, finish } = await ask('count to 100', { maxOutputTokens });
    expect(finish).toMatchObject({ reason: 'length', usage: { outputTokens: maxOutputTokens } });
    expect(await countTextTokens([text])).toBe(maxOutputTokens);
    expect(whole.text.startsWith(text)).toBe(true);
  }
  const fits = await ask('count to 100', { maxOutputTokens: whole.finish.usage.outputTokens });
  expect(fits.finish.reason).toBe('stop');
  const emoji = await ask('Say exactly: 🦦🦦🦦🦦🦦🦦', { maxOutputTokens: 4 });
  expect(emoji.text).toMatch(/^🦦*$/u);
});

test('reasoning comes first, grows with the effort and counts', async () => {
  expect((await ask('hello', { reasoningEffort: 'none' })).reasoning).toBe('');
  const low = await ask('hello', { reasoningEffort: 'low' });
  const high = await ask('hello', { reasoningEffort: 'high' });
  expect(low.events[0]?.type).toBe('reasoning');
  expect(high.reasoning.length).toBeGreaterThan(low.reasoning.length);
  const reasoningTokens = await countTextTokens([low.reasoning]);
  const outputTokens = reasoningTokens + (await countTextTokens([low.text]));
  expect(low.finish.usage).toMatchObject({ reasoningTokens, outputTokens });
  const cut = await ask('hello', { reasoningEffort: 'high', maxOutputTokens: 5 });
  expect(cut).toMatchObject({
    text: '',
    finish: { reason: 'length', usage: { outputTokens: 5, reasoningTokens: 5 } },
  });
});

test('verbosity leaves the frame out or adds what the model sees', async () => {
  const input = 'What is the capital of Spain?';
  expect((await ask(input, { verbosity: 'low' })).text).toBe('The capital of Spain is Madrid.');
  expect((await ask(input, { verbosity: 'medium' })).text).toBe((await ask(input)).text);
  expect((await ask(input, { verbosity: 'high', tools: [weather] })).text).toContain(
    'I see 1 turn, 0 tool outputs and 1 tool (get_weather).',
  );
});

test('stop sequences end the text before the first of them', async () => {
  const { text, finish } = await ask('count to 20', { stop: ['9', '5'] });
  expect(text).toBe('1 2 3 4 ');
  expect(finish).toMatchObject({ reason: 'stop', usage: { outputTokens: await countTextTokens([text]) } });
});

test('sampling changes nothing', async () => {
  const plain = await ask('Tell me something');
  const sampled = await ask('Tell me something', { temperature: 2, topP: 0.1, seed: 7, frequencyPenalty: 1 });
  expect(sampled.events).toEqual(plain.events);
});

test('an input beyond the context window is refused with the numbers', async () => {
  await expect(ask('word '.repeat(128_000))).rejects.toMatchObject({
    code: 'context_length_exceeded',
    status: 400,
    message: expect.stringMatching(/12800\d tokens.*128000/),
  });
});

test('an abort stops at the next piece with its reason', async () => {
  const { generate } = createBuiltinModel({ scenarios: [] });
  const controller = new AbortController();
  const reason = new Error('gone');
  let pieces = 0;
  const run = async () => {
    for await (const _event of generate(
      modelRequest({ messages: [user('count to 100')] }),
      controller.signal,
    )) {
      if (++pieces === 3) controller.abort(reason);
    }
  };
  await expect(run()).rejects.toBe(reason);
  expect(pieces).toBe(3);
});

test('the same input has the same events, and pieces make up the whole', async () => {
  const messages = fc.array(
    fc
      .oneof(fc.string({ maxLength: 300, unit: 'binary' }), fc.constantFrom('weather in Rome', 'count to 5'))
      .map(user),
    { minLength: 1, maxLength: 3 },
  );
  const limits = fc.record({
    maxOutputTokens: fc.option(fc.integer({ min: 1, max: 40 })),
    stop: fc.array(fc.string({ maxLength: 2 }), { maxLength: 2 }),
    reasoningEffort: fc.constantFrom(null, 'low' as const),
    tools: fc.boolean().map((offered) => (offered ? [weather] : [])),
  });
  await fc.assert(
    fc.asyncProperty(messages, limits, async (turns, rest) => {
      const once = await ask(turns, rest);
      expect((await ask(structuredClone(turns), rest)).events).toEqual(once.events);
      const whole = await ask(turns, { ...rest, stream: false });
      expect({ ...whole, events: [] }).toEqual({ ...once, events: [] });
      expect(once.finish.usage.outputTokens).toBeLessThanOrEqual(rest.maxOutputTokens ?? Infinity);
    }),
    { numRuns: 150 },
  );
});

test('tool outputs are in the answer', async () => {
  const { text } = await ask([user('weather?'), ...answered('get_weather', '{"temp_c":21,"sky":"clear"}')]);
  expect(text).toContain('According to get_weather: temp c is 21, sky is clear.');
});
