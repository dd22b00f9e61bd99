import { expect, test } from 'vitest';
import { ask, tool } from '../testing/ask.ts';
import { findProgram } from './find-program.ts';

test.each([
  ['Run this:\n```python\nif x:\n    print("a: b")\n```\nThanks.', 'if x:\n    print("a: b")'],
  ['Execute this Python code: x = 1; print(x)', 'x = 1; print(x)'],
  ['Use the code interpreter to run print(2 + 2)', 'print(2 + 2)'],
  ['Evaluate `len("abc")` please', 'len("abc")'],
  ['What is Python?', null],
])('the code in %j', (text, code) => {
  expect(findProgram(text)).toBe(code);
});

const interpreter = tool('code_interpreter', 'Code interpreter: runs Python.', {
  code: { type: 'string', description: 'The Python source code to run.' },
});

test('a tool that runs code is given the whole of it', async () => {
  const { calls } = await ask('Please do this.\n```python\na = 1\n\nprint(a)\n```', { tools: [interpreter] });
  expect(calls.map((call) => JSON.parse(call.arguments))).toEqual([{ code: 'a = 1\n\nprint(a)' }]);
});

test('a tool that has to be called without any code is given a program that says what was said', async () => {
  const { calls } = await ask('Draw a "cat".', { tools: [interpreter], toolChoice: 'required' });
  expect(JSON.parse(calls[0]?.arguments ?? '')).toEqual({ code: 'print("Draw a \\"cat\\".")' });
});

test('talk about Python calls nothing, and other codes stay what they are', async () => {
  expect((await ask('What is Python?', { tools: [interpreter] })).calls).toEqual([]);
  const order = tool('find_order', 'Finds an order.', {
    code: { type: 'string', description: 'Order code.' },
  });
  const { calls } = await ask('Find the order A-1001.', { tools: [order] });
  expect(JSON.parse(calls[0]?.arguments ?? '')).toEqual({ code: 'A-1001' });
});

test('long texts without any code take no time', () => {
  expect(findProgram(`${'run '.repeat(2000)}${' '.repeat(8000)}`)).toBeNull();
});
