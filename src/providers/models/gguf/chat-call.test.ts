import { expect, test } from 'vitest';
import type { ModelMessage, ModelTool } from '../model.ts';
import { modelRequest } from '../testing/fake-upstream.ts';
import { chatCall } from './chat-call.ts';
import type { ChatWrapper } from './node-llama-cpp.ts';

const template = (segments = {}): ChatWrapper => ({
  settings: { segments },
  generateContextState: () => ({ contextText: { tokenize: () => [] }, prefixTriggers: ['x'] }),
});
const call = (rest: Parameters<typeof modelRequest>[0], from = template()) =>
  chatCall(modelRequest(rest), from, 'mine');
const text = (text: string) => [{ type: 'text' as const, text }];
const tool = (name: string, parameters: Record<string, unknown>): ModelTool => ({
  name,
  description: null,
  parameters,
  strict: null,
});
const conversation: ModelMessage[] = [
  { role: 'system', content: 'Be kind.' },
  { role: 'user', content: text('hi') },
  {
    role: 'assistant',
    content: [
      { type: 'reasoning', text: 'hm' },
      ...text('I look.'),
      { type: 'tool_call', callId: '1', name: 'f', arguments: '{"a":1}' },
      { type: 'tool_call', callId: '2', name: 'g', arguments: 'plain' },
    ],
  },
  { role: 'tool', callId: '2', name: 'g', output: 'no JSON' },
  { role: 'tool', callId: '1', name: 'f', output: '[2]' },
  { role: 'assistant', content: text('Done.') },
  {
    role: 'user',
    content: [...text('and?'), { type: 'file', url: 'data:text/plain;charset=utf-8,a%20b', filename: null }],
  },
];

test('calls and their outputs are parts of one turn of the model', () => {
  const { history } = call({ messages: conversation });
  expect(history).toEqual([
    { type: 'system', text: 'Be kind.' },
    { type: 'user', text: 'hi' },
    {
      type: 'model',
      response: [
        'I look.',
        { type: 'functionCall', name: 'f', params: { a: 1 }, result: [2], startsNewChunk: true },
        { type: 'functionCall', name: 'g', params: 'plain', result: 'no JSON', startsNewChunk: false },
        'Done.',
      ],
    },
    { type: 'user', text: 'and?\n\na b' },
    { type: 'model', response: [] },
  ]);
  const [, , turn] = call({ messages: conversation }, template({ thought: {} })).history;
  expect(turn).toMatchObject({
    response: [{ segmentType: 'thought', text: 'hm' }, 'I look.', {}, {}, 'Done.'],
  });
});

test('a format is told after the instructions, and holds the answer', () => {
  const { history, grammar } = call({
    messages: conversation,
    outputFormat: {
      type: 'json_schema',
      name: 'n',
      description: 'the best',
      schema: { type: 'string', minLength: 2 },
      strict: true,
    },
  });
  expect(history.slice(0, 3)).toMatchObject([
    { text: 'Be kind.' },
    { type: 'system', text: expect.stringMatching(/n, the best\.[\s\S]*"minLength":2/) },
    { type: 'user' },
  ]);
  expect(grammar).toEqual({ type: 'string', minLength: 2 });
});

test('a strict schema is refused where it cannot be kept, and only then', () => {
  const format = {
    type: 'json_schema',
    name: 'n',
    description: null,
    schema: { type: 'string', pattern: 'a' },
  } as const;
  expect(() => call({ outputFormat: { ...format, strict: true } })).toThrow(
    expect.objectContaining({
      target: 'text.format',
      message: expect.stringContaining('cannot guarantee these parts of the JSON Schema: $: pattern'),
    }),
  );
  expect(call({ outputFormat: { ...format, strict: false } }).grammar).toMatchObject({ type: 'string' });
});

test('the choice of tools decides what is offered, and whether a call must come first', () => {
  const tools = [tool('f', { properties: { a: {} } }), tool('answer', { type: 'object', properties: {} })];
  const begins = ({ wrapper }: ReturnType<typeof call>) => wrapper.generateContextState({ chatHistory: [] });
  const auto = call({ tools });
  expect(Object.keys(auto.functions ?? {})).toEqual(['f', 'answer']);
  expect(auto.functions?.answer).toEqual({});
  expect(begins(auto)).toEqual({ contextText: expect.anything(), prefixTriggers: ['x'] });

  const named = call({ tools, toolChoice: { name: 'f' } });
  expect(Object.keys(named.functions ?? {})).toEqual(['f']);
  expect(begins(named)).toEqual({
    contextText: expect.anything(),
    functionCall: { initiallyEngaged: true, disengageInitiallyEngaged: [] },
  });
  expect(named.wrapper.settings).toEqual(auto.wrapper.settings);
  expect(call({ tools, toolChoice: 'none' }).functions).toBeNull();

  const both = call({ tools, outputFormat: { type: 'json_object' } });
  expect(both).toMatchObject({ grammar: null, answerFunction: 'answer_' });
  expect(both.functions?.answer_?.params).toEqual({ type: 'object', additionalProperties: true });
});

test('documents that are no text are refused', () => {
  for (const url of ['https://a/b.txt', 'data:application/pdf;base64,AA==']) {
    const content = [{ type: 'file' as const, url, filename: 'b' }];
    expect(() => call({ messages: [{ role: 'user', content }] })).toThrow(
      expect.objectContaining({ code: 'unsupported_parameter', target: 'input' }),
    );
  }
});
