import OpenAI, { toFile } from 'openai';
import { afterAll, afterEach, beforeAll, expect, test, vi } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { testKey } from '../../../families/testing/test-app.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { createBuiltinModel } from '../../models/builtin/index.ts';
import { imageUrl } from './image-url.ts';

const slow = 120_000;
let app: WholeApp;
let client: OpenAI;
let model = scriptedModel();

// One server for all: each new container is a new Python.
beforeAll(async () => {
  app = await wholeApp(
    {
      scripted: {
        async *generate(...call) {
          yield* model.provider.generate?.(...call) ?? [];
        },
        countTokens: () => 1,
      },
      builtin: createBuiltinModel({ scenarios: [] }),
    },
    { codeInterpreter: { timeoutSeconds: 20 } },
  );
  client = new OpenAI({ apiKey: testKey, baseURL: `${await app.listen()}/openai/v1`, maxRetries: 0 });
});
afterEach(() => void vi.useRealTimers());
afterAll(() => app.close());

const runs = (code: string): Turn => [
  ...calls('call_1', 'code_interpreter', JSON.stringify({ code })),
  finish('tool_calls'),
];
const done: Turn = [...says('Done.'), finish()];
const script = (...turns: Turn[]): void => {
  model = scriptedModel(...turns);
};
const request = {
  model: 'scripted',
  input: 'Go.',
  tools: [{ type: 'code_interpreter' as const, container: { type: 'auto' as const } }],
  include: ['code_interpreter_call.outputs' as const],
};
const callOf = (response: OpenAI.Responses.Response) => {
  const call = response.output.find((item) => item.type === 'code_interpreter_call');
  if (call === undefined) throw new Error('no call');
  return call;
};

const png = `
import struct, zlib
def chunk(kind, data):
    body = kind + data
    return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
rows = b"".join(b"\\0" + bytes([255, 0, 0]) * 4 for _ in range(4))
with open("red.png", "wb") as file:
    file.write(b"\\x89PNG\\r\\n\\x1a\\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0))
        + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
print("drawn")
`;

test('code is run, and its output is told to the model and, if asked for, to the client', {
  timeout: slow,
}, async () => {
  script(runs('x = 6 * 7\nprint(x)'), done);
  const response = await client.responses.create(request);
  expect(callOf(response)).toMatchObject({
    id: expect.stringMatching(/^ci_/),
    status: 'completed',
    container_id: expect.stringMatching(/^cntr_/),
    code: 'x = 6 * 7\nprint(x)',
    outputs: [{ type: 'logs', logs: '42\n' }],
  });
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ role: 'tool', output: '42\n' });

  // The next response goes on where this one ended, without being told of a container.
  script(runs('x + 1'), done);
  const next = await client.responses.create({ ...request, include: [], previous_response_id: response.id });
  expect(callOf(next)).toMatchObject({ container_id: callOf(response).container_id, outputs: null });
  expect(model.requests[1]?.messages.at(-1)).toMatchObject({ output: '43\n' });
  expect(JSON.stringify(model.requests[0]?.messages)).toContain('42');

  script(runs('x'), done);
  const other = await client.responses.create(request);
  expect(callOf(other).container_id).not.toBe(callOf(response).container_id);
  expect(callOf(other).outputs).toMatchObject([{ logs: expect.stringContaining('NameError') }]);
});

test('a stream tells of the code, then of its run', { timeout: slow }, async () => {
  script(runs('print("é")'), done);
  const { id } = await client.containers.create({ name: 'streamed' });
  const stream = client.responses.stream({
    ...request,
    tools: [{ type: 'code_interpreter', container: id }],
  });
  const events = await Array.fromAsync(stream);
  expect(events.map(({ type }) => type).filter((type) => /code_interpreter|item/.test(type))).toEqual([
    'response.output_item.added',
    'response.code_interpreter_call.in_progress',
    'response.code_interpreter_call_code.delta',
    'response.code_interpreter_call_code.done',
    'response.code_interpreter_call.interpreting',
    'response.code_interpreter_call.completed',
    'response.output_item.done',
    'response.output_item.added',
    'response.output_item.done',
  ]);
  expect(events.find(({ type }) => type === 'response.code_interpreter_call_code.done')).toMatchObject({
    code: 'print("é")',
  });
  expect(callOf(await stream.finalResponse())).toMatchObject({ container_id: id });
});

test('files go in and come out, an image is an output, and mentions of files are citations', {
  timeout: slow,
}, async () => {
  const { id } = await client.containers.create({ name: 'files' });
  await client.containers.files.create(id, { file: await toFile(Buffer.from('a,b\n1,2\n'), 'table.csv') });
  script(runs(`print(open("/mnt/data/table.csv").read())${png}`), [
    ...says('Here is [the image](sandbox:/mnt/data/red.png), from table.csv.'),
    finish(),
  ]);
  const response = await client.responses.create({
    ...request,
    tools: [{ type: 'code_interpreter', container: id }],
  });
  const [logs, image] = callOf(response).outputs ?? [];
  expect(logs).toEqual({ type: 'logs', logs: 'a,b\n1,2\n\ndrawn\n' });
  expect(image).toMatchObject({ type: 'image', url: expect.stringMatching(/^data:image\/png;base64,iVBOR/) });

  const made = (await client.containers.files.list(id)).data.find(({ path }) => path === '/mnt/data/red.png');
  expect(made).toMatchObject({ source: 'assistant' });
  const message = response.output.find((item) => item.type === 'message');
  const text = response.output_text;
  const start = text.indexOf('sandbox:');
  expect(message?.content[0]).toMatchObject({
    annotations: [
      {
        type: 'container_file_citation',
        container_id: id,
        file_id: made?.id,
        filename: 'red.png',
        start_index: start,
        end_index: text.indexOf(')', start),
      },
    ],
  });
  const content = await client.containers.files.content.retrieve(made?.id ?? '', { container_id: id });
  expect(imageUrl(new Uint8Array(await content.arrayBuffer()))).toBe((image as { url: string }).url);

  script(runs('import os; os.remove("table.csv")'), done);
  await client.responses.create({ ...request, tools: [{ type: 'code_interpreter', container: id }] });
  expect((await client.containers.files.list(id)).data.map(({ path }) => path)).toEqual([
    '/mnt/data/red.png',
  ]);
});

test('calls that are made together follow each other in one container', { timeout: slow }, async () => {
  script(
    [
      ...calls('a', 'code_interpreter', JSON.stringify({ code: 'n = 1' })),
      ...calls('b', 'code_interpreter', JSON.stringify({ code: 'n += 1\nn' })),
      finish('tool_calls'),
    ],
    done,
  );
  const { output } = await client.responses.create(request);
  expect(output.slice(0, 2)).toMatchObject([
    { status: 'completed', outputs: [] },
    { status: 'completed', outputs: [{ logs: '2\n' }] },
  ]);
});

test('code that fails is a call that was made', { timeout: slow }, async () => {
  script(runs('1 / 0'), done);
  const response = await client.responses.create(request);
  expect(callOf(response)).toMatchObject({
    status: 'completed',
    outputs: [{ logs: expect.stringContaining('ZeroDivisionError') }],
  });
  expect(response.status).toBe('completed');
});

test('code finds the uploaded files, and what it did to its copies stays', { timeout: slow }, async () => {
  const file = await client.files.create({
    file: await toFile(Buffer.from('1\n41\n'), 'numbers.csv'),
    purpose: 'assistants',
  });
  const tools = [
    { type: 'code_interpreter' as const, container: { type: 'auto' as const, file_ids: [file.id] } },
  ];
  const sum = 'print(sum(int(line) for line in open("/mnt/data/numbers.csv")))';
  script(runs(`${sum}\n_ = open("/mnt/data/numbers.csv", "w").write("7")`), done, runs(sum), done);
  const first = await client.responses.create({ ...request, tools });
  expect(callOf(first).outputs).toEqual([{ type: 'logs', logs: '42\n' }]);
  expect(model.requests[0]?.tools[0]?.description).toContain('/mnt/data/numbers.csv');
  const second = await client.responses.create({ ...request, tools, previous_response_id: first.id });
  expect(callOf(second).outputs).toEqual([{ type: 'logs', logs: '7\n' }]);
  expect(await (await client.files.content(file.id)).text()).toBe('1\n41\n');
});

test.each<[object, string, string]>([
  [{ container: 'cntr_none' }, 'not_found', 'tools[0].container'],
  [{ container: 7 }, 'invalid_payload', 'tools[0].container'],
  [{ container: { type: 'auto', file_ids: ['file_none'] } }, 'not_found', 'tools[0].container.file_ids[0]'],
  [
    { container: { type: 'auto', memory_limit: '4g' } },
    'unsupported_parameter',
    'tools[0].container.memory_limit',
  ],
  [
    { container: { type: 'auto', network_policy: { type: 'allowlist' } } },
    'unsupported_parameter',
    'tools[0].container.network_policy',
  ],
])('case %#: a container that cannot be had is refused by its name', async (rest, code, param) => {
  script();
  const { json } = await app.call('POST', '/openai/v1/responses', {
    ...request,
    tools: [{ type: 'code_interpreter', ...rest }],
  });
  expect(json.error).toMatchObject({ code, param });
});

test("another user's container is not there, named or taken up", { timeout: slow }, async () => {
  const as = { headers: { 'x-ms-user-identity': 'anna' } };
  const { id } = await client.containers.create({ name: "anna's" }, as);
  script();
  const tools = [{ type: 'code_interpreter' as const, container: id }];
  await expect(client.responses.create({ ...request, tools })).rejects.toMatchObject({ status: 404 });
  script(runs('1'), done);
  const forged = {
    type: 'code_interpreter_call',
    id: 'ci_1',
    container_id: id,
    code: '1',
    outputs: null,
    status: 'completed',
  };
  const { json } = await app.call('POST', '/openai/v1/responses', {
    ...request,
    input: [forged, { role: 'user', content: 'Go.' }],
  });
  expect((json.output as { container_id: string }[])[0]?.container_id).not.toBe(id);
});

test.each([
  ['Use the code interpreter to run: print(2 + 2)', 'print(2 + 2)', '4'],
  [
    'Please run this:\n\n```python\nfor i in range(3):\n    print(i * 10)\n```',
    'for i in range(3):\n    print(i * 10)',
    '20',
  ],
])('the builtin model runs the code it is given: %j', { timeout: slow }, async (input, code, result) => {
  const response = await client.responses.create({ ...request, model: 'builtin', input });
  expect(callOf(response)).toMatchObject({ code, outputs: [{ logs: expect.stringContaining(result) }] });
  expect(response.output_text).toContain(result);
});

test('a container that has expired is not there for code', async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  const { id } = await client.containers.create({
    name: 'short',
    expires_after: { anchor: 'last_active_at', minutes: 1 },
  });
  vi.setSystemTime(Date.now() + 61_000);
  script();
  const tools = [{ type: 'code_interpreter' as const, container: id }];
  await expect(client.responses.create({ ...request, tools })).rejects.toMatchObject({
    status: 404,
    param: 'tools[0].container',
    message: expect.stringContaining('has expired'),
  });
});

test('after a restart files are there, variables are not, and the output says so', {
  timeout: slow,
}, async () => {
  script(runs('x = 1\nopen("kept.txt", "w").write("kept")'), done);
  const first = await client.responses.create(request);
  const later = await app.restart();
  script(runs('print(open("kept.txt").read())\nx'), done);
  const { json } = await later.call('POST', '/openai/v1/responses', {
    ...request,
    previous_response_id: first.id,
  });
  await later.drain(0);
  const [call] = json.output as { container_id: string; outputs: { logs: string }[] }[];
  expect(call?.container_id).toBe(callOf(first).container_id);
  expect(call?.outputs[0]?.logs).toMatch(/^kept\n[\s\S]*NameError[\s\S]*\[Python was started anew/);
});
