import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../testing/scripted-model.ts';
import { type WholeApp, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
afterEach(() => app.close());

const done: Turn = [...says('Done.'), finish()];

async function start(...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await wholeApp({ 'my-model': model.provider });
  return model;
}

const create = (body: object) =>
  app.call('POST', '/openai/v1/responses', { model: 'my-model', input: 'Go.', ...body });

const pixel = 'data:image/png;base64,iVBORw0KGgo=';

test.each([
  [
    { type: 'shell' },
    'shell',
    { commands: ['ls', 'pwd'] },
    { type: 'shell_call', action: { commands: ['ls', 'pwd'], timeout_ms: null, max_output_length: null } },
    {
      type: 'shell_call_output',
      output: [{ stdout: 'a.txt', stderr: '', outcome: { type: 'exit', exit_code: 0 } }],
    },
    'a.txt',
  ],
  [
    { type: 'local_shell' },
    'local_shell',
    { command: ['ls', '-l'] },
    { type: 'local_shell_call', action: { type: 'exec', command: ['ls', '-l'], env: {} } },
    { type: 'local_shell_call_output', output: 'a.txt' },
    'a.txt',
  ],
  [
    { type: 'apply_patch' },
    'apply_patch',
    { type: 'create_file', path: 'a.txt', diff: '+hello' },
    { type: 'apply_patch_call', operation: { type: 'create_file', path: 'a.txt', diff: '+hello' } },
    { type: 'apply_patch_call_output', status: 'completed', output: 'Made a.txt' },
    'Made a.txt',
  ],
  [
    { type: 'computer_use_preview', display_width: 800, display_height: 600, environment: 'browser' },
    'computer',
    { type: 'click', x: 1, y: 2, button: 'left' },
    {
      type: 'computer_call',
      action: { type: 'click', x: 1, y: 2, button: 'left' },
      pending_safety_checks: [],
    },
    { type: 'computer_call_output', output: { type: 'computer_screenshot', image_url: pixel } },
    'The screen now',
  ],
])('%j goes round', async (tool, name, given, item, output, told) => {
  const model = await start([...calls('call_1', name, JSON.stringify(given)), finish('tool_calls')], done);
  const first = await create({ tools: [tool] });
  expect(first.json.output).toMatchObject([{ ...item, call_id: 'call_1', status: 'completed' }]);
  expect(model.requests[0]?.tools).toMatchObject([{ name }]);

  const waiting = await create({ tools: [tool], previous_response_id: first.json.id, input: 'Well?' });
  expect(waiting.json.error?.message).toContain('No tool output found for function call call_1');

  const second = await create({
    tools: [tool],
    previous_response_id: first.json.id,
    input: [{ ...output, call_id: 'call_1' }],
  });
  expect(second.json.status).toBe('completed');
  const messages = model.requests[1]?.messages ?? [];
  expect(messages[1]).toMatchObject({
    role: 'assistant',
    content: [{ type: 'tool_call', callId: 'call_1', name }],
  });
  expect(messages[2]).toMatchObject({ role: 'tool', callId: 'call_1', name });
  expect((messages[2] as { output: string }).output).toContain(told);
  if (name === 'computer')
    expect(messages[3]).toMatchObject({ role: 'user', content: [{ type: 'image', url: pixel }] });
});

test('an output of local_shell may name its call by the id of its item alone', async () => {
  const model = await start(
    [...calls('call_1', 'local_shell', '{"command":["ls"]}'), finish('tool_calls')],
    done,
  );
  const tools = [{ type: 'local_shell' }];
  const first = await create({ tools });
  const [call] = first.json.output as [{ id: string }];
  const second = await create({
    tools,
    previous_response_id: first.json.id,
    input: [{ type: 'local_shell_call_output', id: call.id, output: 'a.txt' }],
  });
  expect(second.json.status).toBe('completed');
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({
    role: 'tool',
    callId: 'call_1',
    output: 'a.txt',
  });
});

test('commands of a shell are streamed by their own events', async () => {
  await start([...calls('call_1', 'shell', '{"commands":["ls"]}'), finish('tool_calls')]);
  const { text } = await create({ tools: [{ type: 'shell' }], stream: true });
  const types = [...text.matchAll(/^event: response\.(.*)$/gm)].map(([, type]) => type);
  expect(types.slice(2, -1)).toEqual([
    'output_item.added',
    'shell_call_command.added',
    'shell_call_command.delta',
    'shell_call_command.done',
    'output_item.done',
  ]);
});

test('arguments that make no call are the model’s failure', async () => {
  await start([...calls('call_1', 'apply_patch', '{"type":"nonsense"}'), finish('tool_calls')]);
  const { status, json } = await create({ tools: [{ type: 'apply_patch' }] });
  expect([status, json.error?.code]).toEqual([502, 'model_error']);
});

test('a shell of a container is refused', async () => {
  await start();
  const { json } = await create({ tools: [{ type: 'shell', environment: { type: 'container_auto' } }] });
  expect(json.error).toMatchObject({ code: 'unsupported_parameter', param: 'tools[0].environment' });
});

test('tool_choice names such a tool by its type', async () => {
  const model = await start(done);
  await create({ tools: [{ type: 'shell' }], tool_choice: { type: 'shell' } });
  expect(model.requests[0]?.toolChoice).toEqual({ name: 'shell' });
});
