import { setTimeout } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { GgufSettings } from '../../../config.ts';
import type { ModelEvent, ModelRequest, ModelTool } from '../model.ts';
import { collect, modelRequest, recordedLog } from '../testing/fake-upstream.ts';
import { createGgufProvider } from './gguf.ts';
import { locatePackage } from './node-llama-cpp.ts';

/** Path of a small chat model; what is asked of it below any model can do. */
const file = process.env.BLOOMERY_GGUF;
const address = locatePackage('node-llama-cpp', [import.meta.dirname, process.cwd()]);

const settings: GgufSettings = { file: file ?? '', contextTokens: 1024, parallel: 1, queue: 1, threads: 1 };
const model = (rest: Partial<GgufSettings> = {}) =>
  createGgufProvider(
    { name: 'small', gguf: { ...settings, ...rest } },
    address ?? 'data:text/javascript,',
    recordedLog(),
  );

const ask = (text: string, rest: Partial<ModelRequest> = {}): ModelRequest =>
  modelRequest({
    messages: [{ role: 'user', content: [{ type: 'text', text }] }],
    temperature: 0,
    maxOutputTokens: 40,
    ...rest,
  });

const capital = 'What is the capital of France?';
const endless = 'Write a very long story about a dragon and a knight.';

const textOf = (events: ModelEvent[]) =>
  events.map((event) => (event.type === 'text' ? event.delta : '')).join('');
const argumentsOf = (events: ModelEvent[]) =>
  events.map((event) => (event.type === 'tool_arguments' ? event.delta : '')).join('');
const namesOf = (events: ModelEvent[]) =>
  events.flatMap((event) => (event.type === 'tool_call' ? event.name : []));
function finishOf(events: ModelEvent[]) {
  const last = events.at(-1);
  return last?.type === 'finish' ? last : expect.fail('the last event is not a finish');
}

const weather: ModelTool = {
  name: 'get_weather',
  description: 'The weather of a city.',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string', maxLength: 20 }, unit: { enum: ['celsius', 'fahrenheit'] } },
    required: ['city', 'unit'],
    additionalProperties: false,
  },
  strict: true,
};
const clock: ModelTool = {
  name: 'get_time',
  description: null,
  parameters: { type: 'object', properties: {} },
  strict: null,
};
const person = {
  type: 'json_schema',
  name: 'person',
  description: null,
  strict: true,
  schema: {
    type: 'object',
    properties: {
      name: { type: 'string', maxLength: 30 },
      age: { type: 'integer' },
      pet: { anyOf: [{ $ref: '#/$defs/Pet' }, { type: 'null' }] },
    },
    required: ['name', 'age', 'pet'],
    additionalProperties: false,
    $defs: {
      Pet: {
        type: 'object',
        properties: { kind: { type: 'string', enum: ['cat', 'dog'] } },
        required: ['kind'],
        additionalProperties: false,
      },
    },
  },
} as const;

describe.runIf(file !== undefined && address !== null)('a model file', { timeout: 300_000 }, () => {
  const small = model();

  test('answers in pieces, with the tokens counted by its own tokenizer, and the same at temperature 0', async () => {
    const events = await collect(small, ask(capital));
    expect(textOf(events)).toMatch(/Paris/);
    expect(events.filter(({ type }) => type === 'text').length).toBeGreaterThan(3);
    const { reason, usage } = finishOf(events);
    expect(reason).toBe('stop');
    expect(usage.inputTokens).toBe(await small.countTokens(ask(capital)));
    expect(usage.outputTokens).toBeGreaterThanOrEqual(events.length - 1);
    expect(usage.outputTokens).toBeLessThan(40);

    const again = await collect(small, ask(capital));
    expect(textOf(again)).toBe(textOf(events));
    expect(finishOf(again).usage.cachedInputTokens).toBe(usage.inputTokens - 1);
  });

  test('takes instructions, earlier turns, and what a call gave', async () => {
    const events = await collect(
      small,
      ask('', {
        messages: [
          { role: 'system', content: 'You are a helpful assistant.' },
          { role: 'user', content: [{ type: 'text', text: 'My name is Bob. What is the weather in Oslo?' }] },
          {
            role: 'assistant',
            content: [
              { type: 'reasoning', text: 'I should look.' },
              { type: 'tool_call', callId: 'call_1', name: 'get_weather', arguments: '{"city":"Oslo"}' },
            ],
          },
          { role: 'tool', callId: 'call_1', name: 'get_weather', output: '{"sky":"snow"}' },
        ],
        tools: [weather],
      }),
    );
    expect(textOf(events).length + argumentsOf(events).length).toBeGreaterThan(0);
    const count = (output: string) =>
      small.countTokens({
        ...ask(''),
        messages: [
          { role: 'user', content: [] },
          { role: 'assistant', content: [{ type: 'tool_call', callId: 'a', name: 'f', arguments: '{}' }] },
          { role: 'tool', callId: 'a', name: 'f', output },
        ],
      });
    expect(await count('a longer output than the other')).toBeGreaterThan(await count('short'));
  });

  test('stops at the bound on tokens and before a stop sequence', async () => {
    const whole = await collect(small, ask(endless, { maxOutputTokens: 30 }));
    expect(finishOf(whole)).toMatchObject({ reason: 'length', usage: { outputTokens: 30 } });
    const text = textOf(whole);
    const stop = text.slice(20, 26);
    const stopped = await collect(small, ask(endless, { maxOutputTokens: 30, stop: ['~~', stop] }));
    expect(finishOf(stopped).reason).toBe('stop');
    expect(textOf(stopped)).toBe(text.slice(0, text.indexOf(stop)));
  });

  test('repeats itself with a seed, and not without', async () => {
    const hot = (seed: number | null) =>
      collect(small, ask(endless, { temperature: 1.5, topP: 1, maxOutputTokens: 24, seed })).then(textOf);
    expect(await hot(-7)).toBe(await hot(-7));
    expect(new Set([await hot(1), await hot(2), await hot(null), await hot(null)]).size).toBe(4);
  });

  test('writes what a penalty leaves it', async () => {
    const plain = textOf(await collect(small, ask('Repeat the word tea forever.')));
    const request = ask('Repeat the word tea forever.', { presencePenalty: 2, frequencyPenalty: 2 });
    expect(textOf(await collect(small, request))).not.toBe(plain);
  });

  test('is held to a JSON Schema, and to JSON', async () => {
    const events = await collect(
      small,
      ask('Bob is 42 and has a dog.', { outputFormat: person, maxOutputTokens: 200 }),
    );
    expect(finishOf(events).reason).toBe('stop');
    const found = JSON.parse(textOf(events));
    expect(Object.keys(found)).toEqual(['name', 'age', 'pet']);
    expect(Number.isInteger(found.age)).toBe(true);
    expect(found.pet === null || ['cat', 'dog'].includes(found.pet.kind)).toBe(true);

    const free = await collect(
      small,
      ask('Bob is 42.', { outputFormat: { type: 'json_object' }, maxOutputTokens: 300 }),
    );
    expect(textOf(free)).toMatch(/^\{/);
    if (finishOf(free).reason === 'stop') expect(JSON.parse(textOf(free))).toBeTypeOf('object');
  });

  test('calls the function it has to call, with arguments of its schema', async () => {
    const request = ask('What is the weather in Oslo?', { tools: [weather, clock], maxOutputTokens: 100 });
    const required = await collect(small, { ...request, toolChoice: 'required', parallelToolCalls: false });
    expect(finishOf(required).reason).toBe('tool_calls');
    expect(namesOf(required)).toHaveLength(1);
    expect(textOf(required)).toBe('');

    const named = await collect(small, { ...request, toolChoice: { name: 'get_weather' } });
    expect(namesOf(named)).toEqual(['get_weather']);
    expect(JSON.parse(argumentsOf(named))).toEqual({
      city: expect.any(String),
      unit: expect.stringMatching(/^(celsius|fahrenheit)$/),
    });
    expect(argumentsOf(named)).toBe(argumentsOf(named).trim());
    expect(named.filter(({ type }) => type === 'tool_arguments').length).toBeGreaterThan(3);
    expect(finishOf(named).usage.outputTokens).toBeGreaterThan(5);

    const bare = await collect(small, { ...request, toolChoice: { name: 'get_time' } });
    expect(argumentsOf(bare)).toBe('{}');
    const cut = await collect(small, { ...request, toolChoice: { name: 'get_weather' }, maxOutputTokens: 4 });
    expect(finishOf(cut).reason).toBe('length');
  });

  test('either calls a function or answers in the format, when it has both', async () => {
    const events = await collect(
      small,
      ask('Bob is 42 and has a dog. Who is he?', {
        tools: [weather],
        outputFormat: person,
        maxOutputTokens: 200,
      }),
    );
    if (finishOf(events).reason === 'tool_calls') expect(namesOf(events)).toEqual(['get_weather']);
    else expect(JSON.parse(textOf(events))).toHaveProperty('age');

    const none = await collect(
      small,
      ask('Bob is 42.', {
        tools: [weather],
        toolChoice: 'none',
        outputFormat: person,
        maxOutputTokens: 200,
      }),
    );
    expect(JSON.parse(textOf(none))).toHaveProperty('pet');
  });

  test('refuses a prompt that does not fit, and ends an answer where its memory ends', async () => {
    await expect(collect(small, ask('word '.repeat(2000)))).rejects.toMatchObject({
      code: 'context_length_exceeded',
      target: 'input',
      message: expect.stringMatching(/has 20\d\d tokens, and deployment 'small' takes 1024/),
    });
    await expect(collect(small, ask('a b '.repeat(200_000)))).rejects.toMatchObject({
      code: 'context_length_exceeded',
    });
    expect(await small.countTokens(ask('a b '.repeat(200_000)))).toBeGreaterThan(300_000);
    const long = { type: 'string', minLength: 900 };
    const filled = await collect(
      small,
      ask('word '.repeat(800), {
        outputFormat: { ...person, schema: { type: 'array', items: long, minItems: 9 } },
        maxOutputTokens: null,
      }),
    );
    const { reason, usage } = finishOf(filled);
    expect(reason).toBe('length');
    expect(usage.inputTokens + usage.outputTokens).toBeLessThanOrEqual(1024);
    expect(usage.inputTokens + usage.outputTokens).toBeGreaterThan(1000);
    const call = await collect(
      small,
      ask('word '.repeat(700), {
        tools: [{ ...weather, parameters: { properties: { city: long } } }],
        toolChoice: 'required',
        maxOutputTokens: null,
      }),
    );
    expect(finishOf(call).reason).toBe('length');
  });

  test('gives its slot to the next call at once when nobody wants more of an answer', async () => {
    const abandoned = new AbortController();
    const events: ModelEvent[] = [];
    const reading = (async () => {
      for await (const event of small.generate(ask(endless, { maxOutputTokens: 900 }), abandoned.signal)) {
        events.push(event);
        if (events.length === 3) abandoned.abort(new Error('gone'));
      }
    })();
    await expect(reading).rejects.toThrow('gone');
    expect(events).toHaveLength(3);

    // Left in the middle of its prompt, before its first event.
    const early = collect(small, ask('word '.repeat(900)), AbortSignal.timeout(30));
    await expect(early).rejects.toThrow(expect.objectContaining({ name: 'TimeoutError' }));
    for await (const event of small.generate(ask(endless), new AbortController().signal)) {
      expect(event.type).toBe('text');
      break;
    }
    expect(textOf(await collect(small, ask(capital)))).toMatch(/Paris/);
  });

  test('lets calls wait for a slot, as many as the queue holds', async () => {
    const first = new AbortController();
    const running = small
      .generate(ask(endless, { maxOutputTokens: 900 }), first.signal)
      [Symbol.asyncIterator]();
    await running.next();
    const waiting = collect(small, ask(capital));
    const impatient = new AbortController();
    // Its prompt is looked at first, so the queue is not entered at once.
    await setTimeout(50);
    await expect(collect(small, ask(capital), impatient.signal)).rejects.toMatchObject({
      code: 'rate_limit_exceeded',
      headers: { 'retry-after': expect.stringMatching(/^\d+$/) },
    });
    first.abort();
    await expect(Array.fromAsync({ [Symbol.asyncIterator]: () => running })).rejects.toThrow();
    expect(textOf(await waiting)).toMatch(/Paris/);
  });

  test('runs calls side by side in their own slots', async () => {
    const two = model({ parallel: 2, contextTokens: 512 });
    const texts = await Promise.all([capital, endless, capital].map((text) => collect(two, ask(text))));
    expect(texts.map((events) => finishOf(events).reason)).toEqual(['stop', 'length', 'stop']);
    const [one, , other] = texts.map(textOf);
    expect(one).toMatch(/Paris/);
    expect(other).toMatch(/Paris/);
  });

  test('embeds texts as vectors of unit length', async () => {
    const signal = new AbortController().signal;
    const inputs = ['The cat sleeps.', 'The cat sleeps.', 'Stock prices fell on Monday.'];
    const { embeddings, inputTokens } = await small.embed({ inputs, dimensions: null }, signal);
    expect(embeddings.map((vector) => Math.hypot(...vector).toFixed(3))).toEqual(['1.000', '1.000', '1.000']);
    expect(embeddings[0]).toEqual(embeddings[1]);
    expect(embeddings[0]).not.toEqual(embeddings[2]);
    expect(inputTokens).toBeGreaterThan(10);
    await expect(small.embed({ inputs, dimensions: 2 }, signal)).rejects.toMatchObject({
      target: 'dimensions',
    });
    await expect(
      small.embed({ inputs: ['x '.repeat(2000)], dimensions: null }, signal),
    ).rejects.toMatchObject({ code: 'context_length_exceeded' });
  });

  test.each([
    ['reasoning.effort', { reasoningEffort: 'high' }],
    ['text.verbosity', { verbosity: 'low' }],
    [
      'input',
      { messages: [{ role: 'user', content: [{ type: 'image', url: 'data:image/png;base64,AA' }] }] },
    ],
    ['text.format', { outputFormat: { ...person, schema: { type: 'string', pattern: '^a' } } }],
  ] satisfies [string, Partial<ModelRequest>][])(
    'refuses what it cannot do by name: %s',
    async (target, rest) => {
      await expect(collect(small, ask(capital, rest))).rejects.toMatchObject({
        code: 'unsupported_parameter',
        target,
      });
    },
  );
});

test.runIf(address !== null)('a file that is no model is told without its path', async () => {
  const wrong = model({ file: import.meta.filename });
  const failure = await collect(wrong, ask(capital)).catch((error) => error);
  expect(failure).toMatchObject({ code: 'model_error', headers: { 'x-should-retry': 'false' } });
  expect(failure.message).not.toContain(import.meta.dirname);
});
