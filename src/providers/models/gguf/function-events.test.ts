import { expect, test } from 'vitest';
import type { ModelEvent } from '../model.ts';
import { createFunctionEvents } from './function-events.ts';

const begun = { type: 'tool_call', callId: expect.stringMatching(/^call_[0-9a-f]{24}$/) };

test('arguments come without the empty lines at their end, calls without arguments with an empty object', () => {
  const events: ModelEvent[] = [];
  const { callbacks, called } = createFunctionEvents(null, (event) => events.push(event));
  for (const paramsChunk of ['{"a":', '\n ', '"x\\n"}', '\n\n', '\n\n']) {
    callbacks.onFunctionCallParamsChunk({ callIndex: 0, functionName: 'f', paramsChunk });
  }
  callbacks.onFunctionCall({ functionName: 'f' });
  callbacks.onFunctionCall({ functionName: 'g' });
  callbacks.onFunctionCallParamsChunk({ callIndex: 2, functionName: 'f', paramsChunk: '{}\n' });
  expect(events).toEqual([
    { ...begun, name: 'f' },
    { type: 'tool_arguments', delta: '{"a":' },
    { type: 'tool_arguments', delta: '\n "x\\n"}' },
    { ...begun, name: 'g' },
    { type: 'tool_arguments', delta: '{}' },
    { ...begun, name: 'f' },
    { type: 'tool_arguments', delta: '{}' },
  ]);
  expect(called()).toBe(true);
});

test('the arguments of the answer are text', () => {
  const events: ModelEvent[] = [];
  const { callbacks, called } = createFunctionEvents('answer', (event) => events.push(event));
  callbacks.onFunctionCallParamsChunk({ callIndex: 0, functionName: 'answer', paramsChunk: '{}\n\n' });
  callbacks.onFunctionCall({ functionName: 'answer' });
  expect(events).toEqual([{ type: 'text', delta: '{}' }]);
  expect(called()).toBe(false);
});
