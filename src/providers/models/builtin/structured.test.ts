import { expect, test } from 'vitest';
import { answered, ask, system, user } from './testing/ask.ts';

const text = { type: 'string' };
const exact = (properties: Record<string, unknown>, rest = {}) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
  ...rest,
});
const format = (schema: Record<string, unknown>, name = 'Answer') => ({
  outputFormat: { type: 'json_schema', name, description: null, schema, strict: true } as const,
});
const json = async (input: Parameters<typeof ask>[0], schema: Record<string, unknown>, name?: string) =>
  JSON.parse((await ask(input, format(schema, name))).text);

const calendarEvent = exact(
  {
    name: { title: 'Name', ...text },
    date: { ...text, description: 'Date in YYYY-MM-DD format' },
    participants: { type: 'array', items: text },
  },
  { title: 'CalendarEvent' },
);

test("the SDK's samples get a sensible calendar event", async () => {
  const input = 'Alice and Bob are going to a science fair this Friday, November 7, 2025.';
  expect(await json(input, calendarEvent, 'CalendarEvent')).toEqual({
    name: 'Science Fair',
    date: '2025-11-07',
    participants: ['Alice', 'Bob'],
  });
});

test.each([
  [
    'My name is Jane Doe, I am 34 years old and live in Berlin. My email is jane@example.com.',
    exact({ name: text, age: { type: 'integer' }, city: text, email: { ...text, format: 'email' } }),
    { name: 'Jane Doe', age: 34, city: 'Berlin', email: 'jane@example.com' },
  ],
  [
    'I love this product, it works great!',
    exact({ sentiment: { ...text, enum: ['negative', 'neutral', 'positive'] } }),
    { sentiment: 'positive' },
  ],
  ['What is the capital of France?', exact({ answer: text }), { answer: 'The capital of France is Paris.' }],
  [
    'Alice is 30 and Bob is 25.',
    exact({ people: { type: 'array', items: exact({ name: text, age: { type: 'integer' } }) } }),
    {
      people: [
        { name: 'Alice', age: 30 },
        { name: 'Bob', age: 25 },
      ],
    },
  ],
  [
    'Ingredients: flour, sugar and two eggs',
    exact({
      ingredients: { type: 'array', items: text },
      servings: { anyOf: [{ type: 'integer' }, { type: 'null' }] },
      author: { type: ['string', 'null'], enum: ['me', null] },
    }),
    { ingredients: ['flour', 'sugar', 'two eggs'], servings: null, author: null },
  ],
  [
    'Order number ORD-1234 of 3 widgets for $20 each',
    exact({
      order_id: { ...text, pattern: '^[A-Z]{3}-\\d{4}$' },
      quantity: { type: 'integer' },
      price: { type: 'number' },
    }),
    { order_id: 'ORD-1234', quantity: 3, price: 20 },
  ],
  ['Reply with exactly {"ok":true}', exact({ ok: { type: 'boolean' } }), { ok: true }],
])('%s', async (input, schema, expected) => {
  expect(await json(input, schema, 'Person')).toEqual(expected);
});

test('values come from the outputs of tools, too', async () => {
  const schema = exact({ temperature: { type: 'number' }, conditions: text });
  const output = '{"current":{"temperature":21.5,"conditions":"sunny"}}';
  expect(await json([user('Weather?'), ...answered('get_weather', output)], schema)).toEqual({
    temperature: 21.5,
    conditions: 'sunny',
  });
});

test('recursive schemas end', async () => {
  const node = exact({
    value: text,
    next: { anyOf: [{ $ref: '#/$defs/node' }, { type: 'null' }] },
    children: { type: 'array', items: { $ref: '#/$defs/node' } },
  });
  const value = await json('hello', { $defs: { node }, $ref: '#/$defs/node' });
  expect(value).toMatchObject({ value: 'hello', next: null });
});

test('forms, patterns and bounds without any help from the text', async () => {
  const schema = exact({
    id: { ...text, format: 'uuid' },
    password: { ...text, pattern: '^(?=.*\\d)(?=.*[a-z]).{8,}$' },
    share: { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 },
    steps: { type: 'integer', multipleOf: 7, minimum: 100 },
    tags: { type: 'array', items: text, minItems: 3, uniqueItems: true },
    kind: { const: 'fixed' },
    level: { enum: [3, 2, 1] },
  });
  const value = await json('hello', schema);
  expect(value).toMatchObject({ share: 0.5, steps: 105, kind: 'fixed', level: 3 });
  expect(new Set(value.tags).size).toBe(3);
});

test.each([
  { not: {} },
  { $ref: '#' },
  { type: 'no-such-type' },
  { $ref: 'https://example.com/schema.json' },
  exact({ a: { ...text, pattern: '^(a)\\1$' } }),
])('a schema that nothing fits is an error: %j', async (schema) => {
  await expect(ask('hello', format(schema))).rejects.toMatchObject({
    code: 'unprocessable',
    target: 'text.format.schema',
  });
});

test('a JSON object without a schema', async () => {
  const outputFormat = { type: 'json_object' } as const;
  const object = async (input: Parameters<typeof ask>[0]) =>
    JSON.parse((await ask(input, { outputFormat })).text);
  expect(await object('What is the capital of France? Use JSON.')).toEqual({
    answer: 'The capital of France is Paris.',
  });
  expect(await object('Reply only {"a":[1]}')).toEqual({ a: [1] });
  const messages = [system('Answer in JSON with the keys name and city.'), user('I am Bob from Paris.')];
  expect(await object(messages)).toEqual({ name: 'Bob', city: 'Paris' });
});

test('JSON streams in pieces and is cut at the bound on tokens', async () => {
  const whole = await ask('Alice and Bob meet', format(calendarEvent));
  const pieces = whole.events.filter(({ type }) => type === 'text');
  expect(pieces.length).toBeGreaterThan(3);
  const cut = await ask('Alice and Bob meet', { ...format(calendarEvent), maxOutputTokens: 6 });
  expect(cut.finish).toMatchObject({ reason: 'length', usage: { outputTokens: 6 } });
  expect(whole.text.startsWith(cut.text)).toBe(true);
});
