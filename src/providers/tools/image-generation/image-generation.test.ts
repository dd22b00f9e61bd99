import OpenAI, { toFile } from 'openai';
import { afterEach, expect, test } from 'vitest';
import { calls, finish, says, scriptedModel, type Turn } from '../../../families/testing/scripted-model.ts';
import { testKey } from '../../../families/testing/test-app.ts';
import { type WholeApp, wholeApp } from '../../../families/testing/whole-app.ts';
import { createModelGateway, type ModelGateway } from '../../models/gateway.ts';
import {
  type Answer,
  events,
  type FakeUpstream,
  fakeUpstream,
  recordedLog,
  status,
  upstreamAt,
} from '../../models/testing/fake-upstream.ts';
import { httpServer } from '../testing/http-server.ts';
import { called, opened } from '../testing/opened-tool.ts';
import { imageGenerationTool } from './image-generation-tool.ts';

const png =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
const jpeg = Buffer.from([0xff, 0xd8, 0xff, 0xe0, 1, 2, 3, 4]).toString('base64');
const made = { created: 1, data: [{ b64_json: png }], size: '1024x1024', quality: 'low' };

let app: WholeApp | undefined;
let upstream: FakeUpstream;
afterEach(async () => {
  await app?.close();
  await upstream.close();
  app = undefined;
});

const deployments = {
  pictures: { model: 'gpt-image-1' },
  chat: { model: 'some-chat-model' },
  claude: { provider: 'anthropic' as const },
};

async function gateway(answer: Answer, names: (keyof typeof deployments)[] = ['pictures', 'chat']) {
  upstream = await fakeUpstream(answer);
  return createModelGateway({
    config: {
      deployments: names.map((name) => upstreamAt(`${upstream.url}/v1`, { name, ...deployments[name] })),
      discovery: false,
      scenarios: [],
    },
    environment: {},
    log: recordedLog(),
  });
}

async function start(models: ModelGateway, ...turns: Turn[]) {
  const model = scriptedModel(...turns);
  app = await wholeApp({ m: model.provider }, { tools: [imageGenerationTool({ models })] });
  const client = new OpenAI({ apiKey: testKey, baseURL: `${await app.listen()}/openai/v1`, maxRetries: 0 });
  return { model, client };
}

const draws = (argument: object, id = 'call_1'): Turn => [
  ...calls(id, 'image_generation', JSON.stringify(argument)),
  finish('tool_calls'),
];
const done: Turn = [...says('Here it is.'), finish()];
const tool = (rest: object = {}) => [{ type: 'image_generation' as const, ...rest }];
const request = { model: 'm', input: 'Draw a cat.' };
const dataUrl = (base64: string) => `data:image/png;base64,${base64}`;
const shown = (...urls: string[]) => [
  {
    role: 'user' as const,
    content: [
      { type: 'input_text' as const, text: 'Look.' },
      ...urls.map((image_url) => ({ type: 'input_image' as const, image_url, detail: 'auto' as const })),
    ],
  },
];
const callsOf = (response: OpenAI.Responses.Response) =>
  response.output.filter((item) => item.type === 'image_generation_call');

async function form(): Promise<FormData> {
  const { bytes, headers } = upstream.requests.at(-1) as FakeUpstream['requests'][number];
  const contentType = headers['content-type'] ?? '';
  return new Response(new Uint8Array(bytes), { headers: { 'content-type': contentType } }).formData();
}
const bytesOf = async (file: ReturnType<FormData['get']>) =>
  Buffer.from(await (file as File).arrayBuffer()).toString('base64');

test('an image counts for the key of whoever asked', async () => {
  const models = await gateway(status(200, made));
  const callers: unknown[] = [];
  const { provider } = models.resolve('pictures');
  const forward = provider.forward as NonNullable<typeof provider.forward>;
  provider.forward = (asked, signal, caller) => {
    callers.push(caller);
    return forward(asked, signal, caller);
  };
  const { client } = await start(models, draws({ prompt: 'a cat' }), done);
  await client.responses.create({ ...request, tools: tool({ model: 'pictures' }) });
  expect(callers).toMatchObject([{ project: 'default', key: 'test', isPatient: true }]);
});

test('an image is made as the definition says, and the model is told so', async () => {
  const { model, client } = await start(
    await gateway(status(200, made)),
    draws({ prompt: 'a cat in a hat' }),
    done,
    done,
  );
  const definition = {
    model: 'pictures',
    size: '1024x1024' as const,
    quality: 'low' as const,
    background: 'opaque' as const,
    output_format: 'png' as const,
    output_compression: 90,
    moderation: 'low' as const,
    input_fidelity: 'high' as const,
    partial_images: 2,
    // What the definition has beyond its own members goes nowhere.
    ...{ prompt: 'a dog', n: 5, stream: true },
  };
  const response = await client.responses.create({ ...request, tools: tool(definition) });
  expect(upstream.requests).toMatchObject([{ path: '/v1/images/generations' }]);
  // Partial images are for streams; the fidelity to what is edited means nothing here.
  expect(upstream.requests[0]?.body).toEqual({
    prompt: 'a cat in a hat',
    model: 'gpt-image-1',
    size: '1024x1024',
    quality: 'low',
    background: 'opaque',
    output_format: 'png',
    output_compression: 90,
    moderation: 'low',
  });
  expect(callsOf(response)).toEqual([
    {
      id: expect.stringMatching(/^ig_/),
      type: 'image_generation_call',
      status: 'completed',
      result: png,
      revised_prompt: 'a cat in a hat',
      action: 'generate',
      size: '1024x1024',
      quality: 'low',
      background: 'opaque',
      output_format: 'png',
    },
  ]);
  expect(response.output_text).toBe('Here it is.');
  const told = JSON.stringify(model.requests[1]?.messages.at(-1));
  expect(told).toContain('The image is made (1024x1024, png), and the user sees it.');

  // Later turns know of it, in words.
  await client.responses.create({ ...request, previous_response_id: response.id });
  const history = JSON.stringify(model.requests[2]?.messages);
  expect(history).toContain('a cat in a hat');
  expect(history).toContain('An image was made and shown to the user.');
  expect(history).not.toContain(png.slice(0, 40));
});

const partial = (index: number) => ({
  type: 'image_generation.partial_image',
  b64_json: jpeg,
  partial_image_index: index,
  size: '1024x1024',
});
const whole = { type: 'image_generation.completed', b64_json: png, size: '1024x1024', usage: {} };

test('a stream shows unfinished images on the way, and keeps them', async () => {
  const { client } = await start(
    await gateway(events([partial(0), partial(1), partial(2), whole])),
    draws({ prompt: 'a cat' }),
    done,
  );
  const stream = client.responses.stream({ ...request, tools: tool({ partial_images: 2 }) });
  const seen = await Array.fromAsync(stream);
  expect(upstream.requests[0]?.body).toMatchObject({ stream: true, partial_images: 2 });
  expect(seen.map(({ type }) => type).filter((type) => /image|item/.test(type))).toEqual([
    'response.output_item.added',
    'response.image_generation_call.in_progress',
    'response.image_generation_call.generating',
    'response.image_generation_call.partial_image',
    'response.image_generation_call.partial_image',
    'response.image_generation_call.completed',
    'response.output_item.done',
    'response.output_item.added',
    'response.output_item.done',
  ]);
  const response = await stream.finalResponse();
  const [call] = callsOf(response);
  expect(call).toMatchObject({ result: png, status: 'completed' });
  expect(seen.filter(({ type }) => type.endsWith('partial_image'))).toMatchObject([
    {
      partial_image_index: 0,
      partial_image_b64: jpeg,
      item_id: call?.id,
      output_index: 0,
      size: '1024x1024',
    },
    { partial_image_index: 1, partial_image_b64: jpeg, item_id: call?.id },
  ]);
  const replayed = await client.responses.retrieve(response.id, { stream: true });
  const again = await Array.fromAsync(replayed);
  expect(again.map(({ type }) => type)).toEqual(seen.map(({ type }) => type));
  expect(again.map((event) => event.sequence_number)).toEqual(again.map((_, i) => i));
});

test('a server that cannot stream answers whole', async () => {
  const { client } = await start(await gateway(status(200, made)), draws({ prompt: 'a cat' }), done);
  const stream = client.responses.stream({ ...request, tools: tool({ partial_images: 3 }) });
  expect(callsOf(await stream.finalResponse())).toMatchObject([{ result: png }]);
});

test('images of the user and earlier ones are edited, by their numbers', async () => {
  const { client } = await start(
    await gateway(status(200, made)),
    draws({ prompt: 'a cat' }),
    done,
    draws({ prompt: 'put them together', images: [1, 2] }),
    done,
  );
  const mask = { image_url: dataUrl(png) };
  const tools = tool({
    input_image_mask: mask,
    input_fidelity: 'low',
    svg: { reasoning: { effort: 'low' } },
  });
  const first = await client.responses.create({ ...request, tools });
  const [picture] = callsOf(first);
  if (picture === undefined) throw new Error('no image');
  const response = await client.responses.create({
    model: 'm',
    // Given whole instead of by `previous_response_id`.
    input: [picture, ...shown(`data:image/jpeg;base64,${jpeg}`)],
    tools,
  });
  expect(upstream.requests.at(-1)?.path).toBe('/v1/images/edits');
  const sent = await form();
  expect([sent.get('prompt'), sent.get('model'), sent.get('input_fidelity')]).toEqual([
    'put them together',
    'gpt-image-1',
    'low',
  ]);
  expect(sent.get('svg[reasoning][effort]')).toBe('low');
  const files = sent.getAll('image[]') as File[];
  expect(files.map(({ name, type }) => [name, type])).toEqual([
    ['image-1.png', 'image/png'],
    ['image-2.jpeg', 'image/jpeg'],
  ]);
  expect(await Promise.all(files.map(bytesOf))).toEqual([png, jpeg]);
  expect(await bytesOf(sent.get('mask'))).toBe(png);
  expect(callsOf(response)).toMatchObject([{ action: 'edit', status: 'completed' }]);
});

test('uploaded images and images at an address are edited, by an uploaded mask', async () => {
  const { client } = await start(
    await gateway(status(200, made)),
    draws({ prompt: 'together', images: [1, 2] }),
    done,
    done,
  );
  const page = await httpServer((response) => response.end(Buffer.from(png, 'base64')));
  const upload = async (name: string, content: string) =>
    (
      await client.files.create({
        file: await toFile(Buffer.from(content, 'base64'), name),
        purpose: 'vision',
      })
    ).id;
  const [uploaded, mask] = [await upload('a.jpg', jpeg), await upload('mask.png', png)];
  const content = [
    { type: 'input_image' as const, file_id: uploaded, detail: 'auto' as const },
    { type: 'input_image' as const, image_url: `${page.url}/a.png`, detail: 'auto' as const },
  ];
  const ask = (file_id: string) =>
    client.responses.create({
      model: 'm',
      input: [{ role: 'user', content }],
      tools: tool({ input_image_mask: { file_id } }),
    });
  try {
    expect(callsOf(await ask(mask))).toMatchObject([{ action: 'edit', status: 'completed' }]);
    const sent = await form();
    expect(await Promise.all(sent.getAll('image[]').map(bytesOf))).toEqual([jpeg, png]);
    expect(await bytesOf(sent.get('mask'))).toBe(png);
    await expect(ask('file_none')).rejects.toMatchObject({
      status: 404,
      param: 'tools[0].input_image_mask.file_id',
    });
  } finally {
    await page.close();
  }
});

test('with the action edit the latest image is edited, also one that was just made', async () => {
  const { client } = await start(
    await gateway(status(200, made)),
    draws({ prompt: 'in a hat' }),
    draws({ prompt: 'a larger hat' }),
    done,
    draws({ prompt: 'no hat' }),
    done,
  );
  const tools = tool({ action: 'edit' });
  const response = await client.responses.create({
    model: 'm',
    input: shown(`data:image/jpeg;base64,${jpeg}`),
    tools,
  });
  expect(await bytesOf((await form()).get('image'))).toBe(png);
  // Named by its id.
  const id = callsOf(response)[0]?.id ?? '';
  await client.responses.create({
    model: 'm',
    input: [
      { type: 'item_reference', id },
      { role: 'user', content: 'Without.' },
    ],
    tools,
  });
  expect(await bytesOf((await form()).get('image'))).toBe(png);
  expect((await form()).get('prompt')).toBe('no hat');
});

test.each<[string, object, object[], RegExp]>([
  [
    'nothing to edit',
    { prompt: 'x', images: [1] },
    [{ role: 'user', content: 'Hi' }],
    /has no image to edit/,
  ],
  ['a wrong number', { prompt: 'x', images: [2] }, shown(dataUrl(png)), /no image 2; the conversation has 1/],
  ['a number that is none', { prompt: 'x', images: ['a'] }, shown(dataUrl(png)), /no image a/],
  ['no image', { prompt: 'x', images: [1] }, shown(dataUrl('AAAA')), /Image 1 can't be edited/],
  ['no prompt', { prompt: ' ' }, [{ role: 'user', content: 'Hi' }], /'prompt' is missing/],
])('a call with %s fails, and the model is told why', async (_, argument, input, why) => {
  const { model, client } = await start(await gateway(status(200, made)), draws(argument), done);
  const response = await client.responses.create({ model: 'm', input: input as never, tools: tool() });
  expect(callsOf(response)).toMatchObject([
    { status: 'failed', result: null, error: { message: expect.stringMatching(why) } },
  ]);
  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toMatch(why);
  expect(upstream.requests).toEqual([]);
});

test.each<[string, Answer, RegExp]>([
  ['is busy', status(429, { error: { message: 'too many images' } }), /rate-limited.*too many images/],
  [
    'refuses the prompt',
    status(400, { error: { code: 'content_policy_violation', message: 'no such thing' } }),
    /content policy/,
  ],
  ['answers with an address', status(200, { data: [{ url: 'https://x/y.png' }] }), /address of an image/],
  ['answers with nothing', status(200, { data: [] }), /there is none in it/],
  ['answers with no base64', status(200, { data: [{ b64_json: '<html>' }] }), /not in base64/],
  ['answers with no JSON', status(200, '{'), /not well-formed/],
])('a deployment that %s makes a failed item', async (_, answer, why) => {
  const { model, client } = await start(await gateway(answer), draws({ prompt: 'a cat' }), done);
  const response = await client.responses.create({ ...request, tools: tool() });
  expect(callsOf(response)).toMatchObject([
    { status: 'failed', result: null, error: { message: expect.stringMatching(why) } },
  ]);
  expect(response.status).toBe('completed');
  expect(JSON.stringify(model.requests[1]?.messages.at(-1))).toMatch(why);
  expect(JSON.stringify(response)).not.toContain('secret-key-of-the-upstream');
});

test('a stream of images that ends too early makes a failed item', async () => {
  const { client } = await start(await gateway(events([partial(0)])), draws({ prompt: 'a cat' }), done);
  const stream = client.responses.stream({ ...request, tools: tool({ partial_images: 1 }) });
  expect(callsOf(await stream.finalResponse())).toMatchObject([
    { status: 'failed', error: { message: expect.stringContaining('before the image was there') } },
  ]);
});

const header = 'x-ms-oai-image-generation-deployment';

test.each<[string, object, Record<string, string>, string]>([
  ['the header', { model: 'pictures' }, { [header]: 'chat' }, 'some-chat-model'],
  ['its name', { model: 'chat' }, {}, 'some-chat-model'],
  ["the model's name", { model: 'gpt-image-1' }, {}, 'gpt-image-1'],
  ['what its model is called', {}, {}, 'gpt-image-1'],
])('the deployment is found by %s', async (_, definition, headers, model) => {
  const { client } = await start(await gateway(status(200, made)), draws({ prompt: 'a cat' }), done);
  await client.responses.create({ ...request, tools: tool(definition) }, { headers });
  expect(upstream.requests).toMatchObject([{ body: { model } }]);
});

test('a background response keeps to the header', async () => {
  const { client } = await start(await gateway(status(200, made)), draws({ prompt: 'a cat' }), done);
  const { id } = await client.responses.create(
    { ...request, tools: tool(), background: true },
    { headers: { [header]: 'chat' } },
  );
  await expect.poll(async () => (await client.responses.retrieve(id)).status).toBe('completed');
  expect(upstream.requests).toMatchObject([{ body: { model: 'some-chat-model' } }]);
});

test.each<[string, (keyof typeof deployments)[], object, Record<string, string>, number, string, RegExp]>([
  [
    'there is none',
    ['claude'],
    {},
    {},
    400,
    'tools[0].model',
    /No deployment of this server can make images/,
  ],
  ['it cannot', ['claude'], { model: 'claude' }, {}, 400, 'tools[0].model', /cannot make images/],
  ['it is unknown', ['pictures'], { model: 'none' }, {}, 404, 'tools[0].model', /Available: pictures/],
  ['the header is wrong', ['pictures'], {}, { [header]: 'none' }, 404, header, /Available: pictures/],
])(
  'a request is refused where a deployment is wanted and %s',
  async (_, names, definition, headers, code, param, why) => {
    const { model, client } = await start(await gateway(status(200, made), names));
    const refused = client.responses.create({ ...request, tools: tool(definition) }, { headers });
    await expect(refused).rejects.toMatchObject({ status: code, param, message: expect.stringMatching(why) });
    expect(model.requests).toEqual([]);
  },
);

test('of several deployments that may make images none is taken', async () => {
  const models = await gateway(status(200, made));
  const unnamed = {
    ...models,
    list: () => models.list().map((deployment) => ({ ...deployment, name: 'chat', modelName: 'x' })),
  };
  const { client } = await start(unnamed);
  await expect(client.responses.create({ ...request, tools: tool() })).rejects.toMatchObject({
    status: 400,
    param: 'tools[0].model',
    message: expect.stringContaining(`'${header}'`),
  });
});

test.each<[object, string, string]>([
  [{ partial_images: 4 }, 'invalid_payload', 'tools[0].partial_images'],
  [{ size: 'large' }, 'invalid_payload', 'tools[0].size'],
  [{ quality: 'best' }, 'invalid_payload', 'tools[0].quality'],
  [{ background: 'red' }, 'invalid_payload', 'tools[0].background'],
  [{ output_format: 'bmp' }, 'invalid_payload', 'tools[0].output_format'],
  [{ output_compression: 101 }, 'invalid_payload', 'tools[0].output_compression'],
  [{ moderation: 'none' }, 'invalid_payload', 'tools[0].moderation'],
  [{ input_fidelity: 'mid' }, 'invalid_payload', 'tools[0].input_fidelity'],
  [{ action: 'delete' }, 'invalid_payload', 'tools[0].action'],
  [{ input_image_mask: {} }, 'invalid_payload', 'tools[0].input_image_mask.image_url'],
  [
    { input_image_mask: { image_url: 'http://169.254.169.254/' } },
    'address_not_allowed',
    'tools[0].input_image_mask.image_url',
  ],
  [
    { input_image_mask: { image_url: dataUrl('AAAA') } },
    'invalid_payload',
    'tools[0].input_image_mask.image_url',
  ],
  [
    { action: 'generate', input_image_mask: { image_url: dataUrl(png) } },
    'invalid_payload',
    'tools[0].input_image_mask',
  ],
])('%j is refused by its name', async (definition, code, param) => {
  const { model } = await start(await gateway(status(200, made)));
  const reply = await app?.call('POST', '/openai/v1/responses', { ...request, tools: tool(definition) });
  expect([reply?.status, reply?.json.error]).toMatchObject([400, { code, param }]);
  expect(model.requests).toEqual([]);
});

test.each([
  ['some-model', 'Somebody', 'b64_json'],
  ['dall-e-3', 'OpenAI', 'b64_json'],
  ['gpt-image-1', 'Somebody', undefined],
  ['pictures', 'OpenAI', undefined],
])('the model %s of %s is asked for response_format %s', async (modelName, modelPublisher, format) => {
  const models = await gateway(status(200, made), ['chat']);
  const resolve: ModelGateway['resolve'] = (name, target) => {
    const { deployment, provider } = models.resolve(name, target);
    return { provider, deployment: { ...deployment, modelName, modelPublisher } };
  };
  const { client } = await start({ ...models, resolve }, draws({ prompt: 'a cat' }), done);
  await client.responses.create({ ...request, tools: tool() });
  expect(upstream.requests[0]?.body.response_format).toBe(format);
});

test('the image is once in the log, however often clients are shown it', async () => {
  const { client } = await start(await gateway(status(200, made)), draws({ prompt: 'a cat' }), done);
  const stream = await client.responses.create({ ...request, tools: tool(), stream: true });
  const seen = await Array.fromAsync(stream);
  const id = seen[0]?.type === 'response.created' ? seen[0].response.id : '';
  const trace = await app?.call('GET', `/responses/${id}/trace`);
  expect(trace?.status).toBe(200);
  expect(trace?.text).toContain('image_generation');
  expect(trace?.text).not.toContain(png.slice(0, 40));
  const whole = seen.filter((event) => JSON.stringify(event).includes(png)).map(({ type }) => type);
  expect(whole).toEqual(['response.output_item.done', 'response.completed']);
});

test('tool_choice names it, and what it is called is not taken from functions of the client', async () => {
  const { model, client } = await start(await gateway(status(200, made)), done);
  await client.responses.create({
    ...request,
    tools: [...tool(), { type: 'function', name: 'image_generation', parameters: {}, strict: false }],
    tool_choice: { type: 'image_generation' },
  });
  expect(model.requests[0]?.toolChoice).toEqual({ name: 'server_image_generation' });
});

test('an answer that is too large is not read to its end', async () => {
  const { client } = await start(
    await gateway(status(200, { data: [{ b64_json: 'A'.repeat(68 * 1_048_576) }] })),
    draws({ prompt: 'a cat' }),
    done,
  );
  const response = await client.responses.create({ ...request, tools: tool() });
  expect(callsOf(response)).toMatchObject([
    { status: 'failed', error: { message: expect.stringMatching(/more than \d+ bytes/) } },
  ]);
});

test('the images of one response are bounded together, those from before a restart included', async () => {
  const models = await gateway(status(200, made));
  const before = { type: 'image_generation_call', result: 'A'.repeat(2 * 64 * 1_048_576 - png.length) };
  const open = await opened(
    imageGenerationTool({ models }),
    { type: 'image_generation' },
    { output: [before] },
  );
  const { fields } = await called(open, 'image_generation', { prompt: 'a cat' });
  expect(fields.result).toBe(png);
  await expect(called(open, 'image_generation', { prompt: 'a cat' })).rejects.toThrow('too large to be kept');
});
