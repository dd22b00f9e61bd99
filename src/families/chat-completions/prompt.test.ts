import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError } from '../../errors.ts';
import type { Message } from './messages.ts';
import { promptMessages } from './prompt.ts';

const call = (id: string, name = 'f') => ({
  id,
  type: 'function' as const,
  function: { name, arguments: '{"a":1}' },
});
const asks = (...ids: string[]): Message => ({
  role: 'assistant',
  content: null,
  tool_calls: ids.map((id) => call(id)),
});
const replies = (id: string): Message => ({ role: 'tool', tool_call_id: id, content: 'done' });
const user = (content: string, name?: string): Message => ({
  role: 'user',
  content,
  ...(name ? { name } : {}),
});

const ofContent = (content: string | object[]): unknown =>
  typeof content === 'string' ? content : (content[0] as { text?: string }).text;

const refusalOf = (messages: Message[]) => {
  try {
    promptMessages(messages);
  } catch (error) {
    return error;
  }
  throw new Error('taken');
};

test('a whole conversation with tools', () => {
  expect(
    promptMessages([
      {
        role: 'developer',
        content: [
          { type: 'text', text: 'Be ' },
          { type: 'text', text: 'brief.' },
        ],
      },
      user('Hello'),
      { role: 'assistant', content: 'I look.', tool_calls: [call('c1', 'look'), call('c2', 'find')] },
      { role: 'tool', tool_call_id: 'c2', content: [{ type: 'text', text: 'two' }] },
      { role: 'tool', tool_call_id: 'c1', content: 'one' },
      { role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] },
    ]),
  ).toEqual([
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: [{ type: 'text', text: 'Hello' }] },
    {
      role: 'assistant',
      content: [
        { type: 'text', text: 'I look.' },
        { type: 'tool_call', callId: 'c1', name: 'look', arguments: '{"a":1}' },
        { type: 'tool_call', callId: 'c2', name: 'find', arguments: '{"a":1}' },
      ],
    },
    { role: 'tool', callId: 'c2', name: 'find', output: 'two' },
    { role: 'tool', callId: 'c1', name: 'look', output: 'one' },
    { role: 'assistant', content: [{ type: 'text', text: 'No.' }] },
  ]);
});

test('images and files', () => {
  const png = 'data:image/png;base64,iVBORw0KGgo=';
  const pdf = 'data:application/pdf;base64,JVBERi0=';
  expect(
    promptMessages([
      {
        role: 'user',
        content: [
          { type: 'image_url', image_url: { url: png, detail: 'low' } },
          { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          { type: 'file', file: { file_data: pdf, filename: 'a.pdf' } },
        ],
      },
    ]),
  ).toEqual([
    {
      role: 'user',
      content: [
        { type: 'image', url: png, detail: 'low' },
        { type: 'image', url: 'https://example.com/a.png' },
        { type: 'file', url: pdf, filename: 'a.pdf' },
      ],
    },
  ]);
});

test('free text of a custom tool travels as the JSON that the model itself wrote', () => {
  const custom = {
    id: 'c1',
    type: 'custom' as const,
    custom: { name: 'note', input: '{"not":"arguments"}' },
  };
  const [message] = promptMessages([{ role: 'assistant', tool_calls: [custom] }, replies('c1')]);
  expect(message).toHaveProperty('content', [
    {
      type: 'tool_call',
      callId: 'c1',
      name: 'note',
      arguments: JSON.stringify({ input: '{"not":"arguments"}' }),
    },
  ]);
});

test('deprecated function calls are tool calls with an id of ours', () => {
  const asked: Message = { role: 'assistant', content: null, function_call: { name: 'f', arguments: '{}' } };
  const messages = promptMessages([user('x'), asked, { role: 'function', name: 'f', content: null }]);
  expect(messages.slice(1)).toEqual([
    { role: 'assistant', content: [{ type: 'tool_call', callId: 'call_1', name: 'f', arguments: '{}' }] },
    { role: 'tool', callId: 'call_1', name: 'f', output: '' },
  ]);
  expect(refusalOf([asked, { role: 'function', name: 'g', content: '' }])).toMatchObject({
    target: 'messages[1].name',
  });
});

test.each([
  ['an answer without a call', [user('x'), replies('c1')], 'messages[1].tool_call_id'],
  ['an answer to another call', [asks('c1'), replies('c2')], 'messages[1].tool_call_id'],
  ['a second answer', [asks('c1'), replies('c1'), replies('c1')], 'messages[2].tool_call_id'],
  ['an answer too late', [asks('c1'), replies('c1'), user('x'), replies('c1')], 'messages[3].tool_call_id'],
  ['no answer at the end', [user('x'), asks('c1', 'c2'), replies('c1')], 'messages[1].tool_calls'],
  ['no answer before the next message', [asks('c1'), user('x'), replies('c1')], 'messages[0].tool_calls'],
  ['two calls of one id', [asks('c1', 'c1'), replies('c1')], 'messages[0].tool_calls'],
] as const)('%s is refused', (_, messages, target) => {
  expect(refusalOf([...messages])).toMatchObject({ status: 400, code: 'invalid_payload', target });
});

test('unanswered calls are named', () => {
  expect(refusalOf([asks('c1', 'c2', 'c3'), replies('c2')])).toMatchObject({
    message: expect.stringMatching(/no response: c1, c3\.$/),
  });
});

test('who speaks is told: users always, others when several share a role', () => {
  const assistant = (name: string): Message => ({ role: 'assistant', content: 'Yes.', name });
  const texts = (messages: Message[]) =>
    promptMessages(messages).map((message) => 'content' in message && ofContent(message.content));
  expect(texts([user('Hi', 'Ada'), user('Hi'), assistant('bot'), assistant('bot')])).toEqual([
    'Ada: Hi',
    'Hi',
    'Yes.',
    'Yes.',
  ]);
  expect(texts([assistant('critic'), assistant('writer')])).toEqual(['critic: Yes.', 'writer: Yes.']);
  const image = { type: 'image_url' as const, image_url: { url: 'https://example.com/a.png' } };
  expect(texts([{ role: 'user', name: 'Ada', content: [image] }])).toEqual(['Ada: ']);
});

test('an assistant message may be an empty text', () => {
  expect(promptMessages([{ role: 'assistant', content: '' }])).toEqual([
    { role: 'assistant', content: [{ type: 'text', text: '' }] },
  ]);
});

test('whatever is taken has every call answered once, right after it', () => {
  const id = fc.constantFrom('a', 'b', 'c');
  const message = fc.oneof(
    fc.constant(user('x')),
    fc.array(id, { minLength: 1, maxLength: 3 }).map((ids) => asks(...ids)),
    id.map(replies),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), (messages) => {
      let open: string[] = [];
      let isSound = true;
      for (const { role, ...rest } of messages) {
        if (role === 'tool') {
          const { tool_call_id } = rest as { tool_call_id: string };
          isSound &&= open.includes(tool_call_id);
          open = open.filter((each) => each !== tool_call_id);
          continue;
        }
        isSound &&= open.length === 0;
        open = ((rest as { tool_calls?: { id: string }[] }).tool_calls ?? []).map((each) => each.id);
        isSound &&= new Set(open).size === open.length;
      }
      isSound &&= open.length === 0;
      if (isSound) expect(promptMessages(messages)).toHaveLength(messages.length);
      else expect(refusalOf(messages)).toBeInstanceOf(ApiError);
    }),
  );
});
