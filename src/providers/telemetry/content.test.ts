import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ModelMessage } from '../models/model.ts';
import { contentAttributes, textAttribute } from './content.ts';

const attributesOf = (input: ModelMessage[], output: ModelMessage[] = []) => {
  const told = contentAttributes({ instructions: null, input, output }, 'stop');
  return {
    input: JSON.parse(String(told['gen_ai.input.messages'])),
    output: JSON.parse(String(told['gen_ai.output.messages'])),
  };
};
const user = (text: string): ModelMessage => ({ role: 'user', content: [{ type: 'text', text }] });

test('every kind of part has the form of the conventions, and bytes stay out', () => {
  const image = `data:image/png;base64,${'A'.repeat(100)}`;
  const { input, output } = attributesOf(
    [
      {
        role: 'user',
        content: [
          { type: 'image', url: image },
          { type: 'file', url: 'https://example.com/a.pdf', filename: null },
        ],
      },
    ],
    [
      {
        role: 'assistant',
        content: [
          { type: 'reasoning', text: 'Hm.' },
          { type: 'tool_call', callId: 'c1', name: 'look', arguments: '{"n":1}' },
          { type: 'tool_call', callId: 'c2', name: 'look', arguments: '{broken' },
        ],
      },
      { role: 'tool', callId: 'c1', name: 'look', output: 'found' },
      { role: 'assistant', content: [{ type: 'text', text: 'Here.' }] },
    ],
  );
  expect(input).toEqual([
    {
      role: 'user',
      parts: [
        { type: 'attachment', modality: 'image', mime_type: 'image/png' },
        { type: 'uri', modality: 'document', uri: 'https://example.com/a.pdf' },
      ],
    },
  ]);
  expect(output).toEqual([
    {
      role: 'assistant',
      parts: [
        { type: 'reasoning', content: 'Hm.' },
        { type: 'tool_call', id: 'c1', name: 'look', arguments: { n: 1 } },
        { type: 'tool_call', id: 'c2', name: 'look', arguments: '{broken' },
        { type: 'tool_call_response', id: 'c1', response: 'found' },
        { type: 'text', content: 'Here.' },
      ],
      finish_reason: 'stop',
    },
  ]);
});

test('of too much the latest is kept, and what is cut says so', () => {
  const { input } = attributesOf([user('first'), user('x'.repeat(20_000)), user('last')]);
  expect(input).toHaveLength(2);
  expect(input[0].parts[0].content).toMatch(/^x{16000,16384}… \[truncated\]$/);
  expect(input[1].parts[0].content).toBe('last');
  expect(textAttribute('y'.repeat(16_385))).toBe(`${'y'.repeat(16_384)}… [truncated]`);
});

test('whatever was said, attributes are JSON of bounded length', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 50 }),
    fc.nat(3000).map((n) => '\u0001 {"'.repeat(n)),
  );
  const message = fc.oneof(
    text.map(user),
    text.map((output): ModelMessage => ({ role: 'tool', callId: 'c', name: 'n', output })),
    text.map(
      (given): ModelMessage => ({
        role: 'assistant',
        content: [{ type: 'tool_call', callId: 'c', name: 'n', arguments: given }],
      }),
    ),
  );
  fc.assert(
    fc.property(fc.array(message, { maxLength: 8 }), fc.array(message, { maxLength: 8 }), (input, output) => {
      const told = contentAttributes({ instructions: null, input, output }, 'stop');
      for (const value of Object.values(told)) {
        expect(Array.isArray(JSON.parse(String(value)))).toBe(true);
        // Escapes take up to six characters for one.
        expect(String(value).length).toBeLessThan(6 * 16_384 + 4096);
      }
    }),
    { numRuns: 20 },
  );
});
