import { expect, test } from 'vitest';
import { answered, ask, told, tool, user } from './testing/ask.ts';

const text = { type: 'string' };
const weather = tool('get_weather', 'Get weather for a location', { location: text });
const currentWeather = tool(
  'get_current_weather',
  'Get the current weather in a given location',
  {
    location: { ...text, description: 'The city and state, e.g. San Francisco, CA' },
    unit: { ...text, enum: ['celsius', 'fahrenheit'] },
  },
  ['location'],
);
const horoscope = tool('get_horoscope', "Get today's horoscope for an astrological sign.", {
  sign: { ...text, description: 'An astrological sign like Taurus or Aquarius' },
});
const email = tool('send_email', 'Send an email', { to: text, subject: text, body: text });
const time = tool('get_time', 'Get the current time in a city', { city: text });
const multiply = tool('multiply', 'Multiply two numbers', { a: { type: 'number' }, b: { type: 'number' } });
const database = tool('search_database', 'Search database for information', { query: text }, ['query']);
const event = tool('create_calendar_event', 'Create a calendar event', {
  title: text,
  date: { ...text, format: 'date' },
  time: text,
  attendees: { type: 'array', items: text },
});
const flight = tool('book_flight', 'Book a flight', {
  origin: text,
  destination: text,
  date: text,
  passengers: { type: 'integer' },
});
const light = tool('control_light', 'Turn lights on or off', { room: text, on: { type: 'boolean' } });
const temperature = tool('set_temperature', 'Set the thermostat temperature', {
  temperature: { type: 'number' },
  unit: { anyOf: [{ enum: ['C', 'F'], type: 'string' }, { type: 'null' }] },
});
const translate = tool('translate_text', 'Translate text', { text, target_language: text });
const order = tool('get_order', 'Get an order by its id', { order_id: text });
const all = [weather, horoscope, email, time, multiply, event, flight, light, temperature, translate];

test.each([
  ["What's the weather like in San Francisco?", 'get_weather {"location":"San Francisco"}'],
  ['weather in paris today', 'get_weather {"location":"Paris"}'],
  ['What is my horoscope? I am an Aquarius.', 'get_horoscope {"sign":"Aquarius"}'],
  ['what is my horoscope? i am an aquarius', 'get_horoscope {"sign":"aquarius"}'],
  [
    "Send an email to bob@example.com with subject 'Hi Bob' saying the meeting is at noon",
    'send_email {"to":"bob@example.com","subject":"Hi Bob","body":"the meeting is at noon"}',
  ],
  ['What time is it in Tokyo?', 'get_time {"city":"Tokyo"}'],
  ['What is 12 times 7?', 'multiply {"a":12,"b":7}'],
  [
    'Create a calendar event called Team Sync on November 7, 2025 at 3pm with Alice and Bob',
    'create_calendar_event {"title":"Team Sync","date":"2025-11-07","time":"15:00","attendees":["Alice","Bob"]}',
  ],
  [
    'Book a flight from Paris to New York on 2025-05-01 for 2 passengers',
    'book_flight {"origin":"Paris","destination":"New York","date":"2025-05-01","passengers":2}',
  ],
  ['Turn on the lights in the kitchen', 'control_light {"room":"kitchen","on":true}'],
  ['Set the temperature to 21 degrees C', 'set_temperature {"temperature":21,"unit":"C"}'],
  ['Translate "good morning" to French', 'translate_text {"text":"good morning","target_language":"French"}'],
])('%s', async (input, call) => {
  const outcome = await ask(input, { tools: all });
  expect(told(outcome)).toEqual([call]);
  expect(outcome.finish.reason).toBe('tool_calls');
  expect(outcome.text).toBe('');
});

test('a code is told from others by the noun before it', async () => {
  const input = 'My user id is 42. Where is my order A-1001?';
  expect(told(await ask(input, { tools: [order] }))).toEqual(['get_order {"order_id":"A-1001"}']);
});

test('an optional argument is given only when the text has a value for it', async () => {
  const tools = [currentWeather];
  expect(told(await ask('How is the weather in San Francisco, CA in celsius?', { tools }))).toEqual([
    'get_current_weather {"location":"San Francisco, CA","unit":"celsius"}',
  ]);
  expect(told(await ask('How is the weather in Oslo?', { tools }))).toEqual([
    'get_current_weather {"location":"Oslo"}',
  ]);
});

test.each([
  'Hello there!',
  'Hi, how are you?',
  'Tell me a joke',
  'What is the capital of France?',
  'Please order my usual coffee',
  'Say exactly: weather in Paris',
  "Don't use any tools. What's the weather in Paris?",
])('no call for: %s', async (input) => {
  const outcome = await ask(input, { tools: all });
  expect(outcome.calls).toEqual([]);
  expect(outcome.finish.reason).toBe('stop');
  expect(outcome.text).not.toBe('');
});

test('the tool choice is obeyed', async () => {
  const input = "What's the weather in Paris?";
  expect((await ask(input, { tools: [weather], toolChoice: 'none' })).calls).toEqual([]);
  expect(told(await ask('hello', { tools: [weather, horoscope], toolChoice: 'required' }))).toMatchObject([
    expect.stringMatching(/^get_weather /),
  ]);
  expect(told(await ask(input, { tools: [horoscope, weather], toolChoice: 'required' }))).toEqual([
    'get_weather {"location":"Paris"}',
  ]);
  expect(
    told(await ask(input, { tools: [weather, horoscope], toolChoice: { name: 'get_horoscope' } })),
  ).toMatchObject([expect.stringMatching(/^get_horoscope /)]);
});

test('after the outputs the model answers with them, whatever the choice', async () => {
  const messages = [user("What's the weather in Paris?"), ...answered('get_weather', '{"temperature":20}')];
  for (const toolChoice of ['auto', 'required', { name: 'get_weather' }] as const) {
    const outcome = await ask(messages, { tools: [weather], toolChoice });
    expect(outcome.calls).toEqual([]);
    expect(outcome.text).toContain('According to get_weather: temperature is 20.');
  }
});

test('outputs whose call is not in the request end the turn, too', async () => {
  const messages = [
    user('horoscope for Leo'),
    { role: 'tool', callId: 'c', name: '', output: 'An otter.' } as const,
  ];
  const outcome = await ask(messages, { tools: [horoscope], toolChoice: { name: 'get_horoscope' } });
  expect(outcome.text).toContain('The tool returned: An otter.');
});

test('several things asked for are several calls, at once or one by one', async () => {
  const input = 'What is the weather in Paris and Tokyo?';
  const paris = 'get_weather {"location":"Paris"}';
  const tokyo = 'get_weather {"location":"Tokyo"}';
  const tools = [weather, time];
  const both = await ask(input, { tools });
  expect(told(both)).toEqual([paris, tokyo]);
  expect(new Set(both.calls.map(({ id }) => id)).size).toBe(2);

  const oneByOne = { tools, parallelToolCalls: false };
  const first = [user(input), ...answered('get_weather', 'sunny')];
  expect(told(await ask(input, oneByOne))).toEqual([paris]);
  expect(told(await ask(first, oneByOne))).toEqual([tokyo]);
  expect((await ask([...first, ...answered('get_weather', 'rain', 'call_2')], oneByOne)).text).toContain(
    'rain',
  );

  expect(told(await ask("What's the weather in Paris and what time is it in Tokyo?", { tools }))).toEqual([
    paris,
    'get_time {"city":"Tokyo"}',
  ]);
  const update = 'Search for customer orders and send an email update';
  expect(told(await ask(update, { tools: [database, email] }))).toMatchObject([
    'search_database {"query":"customer orders"}',
    expect.stringMatching(/^send_email /),
  ]);
});

test('a short follow-up asks for the same of something else', async () => {
  const messages = [
    user("What's the weather in Paris?"),
    ...answered('get_weather', 'sunny'),
    user('And in Tokyo?'),
  ];
  expect(told(await ask(messages, { tools: all }))).toEqual(['get_weather {"location":"Tokyo"}']);
});

test('what the turn does not say may stand in an earlier one', async () => {
  const messages = [user('I live in Berlin.'), user("What's the weather?")];
  expect(told(await ask(messages, { tools: [weather] }))).toEqual(['get_weather {"location":"Berlin"}']);
});

test('call ids are the same for the same request and others for other turns', async () => {
  const turn = user("What's the weather in Paris?");
  const [once, again, later] = await Promise.all([
    ask([turn], { tools: [weather] }),
    ask([turn], { tools: [weather] }),
    ask([turn, ...answered('get_weather', 'sunny'), turn], { tools: [weather] }),
  ]);
  expect(once.calls[0]?.id).toMatch(/^call_[0-9a-f]{24}$/);
  expect(again.calls).toEqual(once.calls);
  expect(later.calls[0]?.arguments).toBe(once.calls[0]?.arguments);
  expect(later.calls[0]?.id).not.toBe(once.calls[0]?.id);
});

test('arguments that no value fits are an error that names the tool', async () => {
  const impossible = tool('get_weather', 'Get weather', {
    location: { type: 'string', minLength: 5, maxLength: 2 },
  });
  await expect(ask('weather in Paris', { tools: [impossible] })).rejects.toMatchObject({
    status: 422,
    code: 'unprocessable',
    target: 'tools',
    message: expect.stringContaining("the tool 'get_weather'"),
  });
});

test('arguments are cut at the bound on tokens', async () => {
  const outcome = await ask("What's the weather in Paris?", { tools: [weather], maxOutputTokens: 5 });
  expect(outcome.finish).toMatchObject({ reason: 'length', usage: { outputTokens: 5 } });
  expect(outcome.calls[0]?.arguments).not.toContain('}');
});

test.each([
  ['Tell me about Contoso products', 'Contoso products'],
  ['Please tell us more about the warranty.', 'warranty'],
  ['What can you tell me about Smart Eyewear?', 'Smart Eyewear'],
])('%j is looked up where there is a search', async (turn, about) => {
  const search = tool('file_search', 'Search the files.', { query: text });
  const { calls } = await ask(turn, { tools: [weather, search] });
  expect(calls).toMatchObject([{ name: 'file_search', arguments: expect.stringContaining(about) }]);
  expect((await ask(turn, { tools: [weather] })).calls).toEqual([]);
  expect((await ask('Tell me a joke.', { tools: [search] })).calls).toEqual([]);
});
