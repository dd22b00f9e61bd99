import OpenAI, { toFile } from 'openai';
import { afterEach, expect, test } from 'vitest';
import { DocumentError, type Documents } from '../../providers/documents/documents.ts';
import type { ModelProvider } from '../../providers/models/model.ts';
import { packTexts } from '../../providers/texts/packed-texts.ts';
import { finish, type ScriptedModel, says, scriptedModel } from '../testing/scripted-model.ts';
import { testKey } from '../testing/test-app.ts';
import { type WholeApp, type WholeAppOptions, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
afterEach(() => app?.close());

const answer = [...says('Seen.'), finish()];
const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(20)]);
const pdf = Buffer.from('%PDF-1.7 and so on');

async function start(options: WholeAppOptions & { provider?: Partial<ModelProvider> } = {}) {
  const model: ScriptedModel = scriptedModel(answer, answer, answer);
  app = await wholeApp({ m: { ...model.provider, ...options.provider } }, options);
  const client = new OpenAI({
    apiKey: testKey,
    baseURL: `${await app.listen()}/openai/v1`,
    maxRetries: 0,
  });
  const upload = async (name: string, content: Buffer) =>
    (await client.files.create({ file: await toFile(content, name), purpose: 'user_data' })).id;
  return { client, model, upload };
}

type Content = Exclude<OpenAI.Responses.EasyInputMessage['content'], string>;
const ask = (client: OpenAI, ...content: Content) =>
  client.responses.create({ model: 'm', input: [{ role: 'user', content }] });

const documents = (text: () => string): Documents => ({
  text: async () => text(),
  chunks: async () => packTexts([]),
  close: async () => {},
});

test('files that the input names reach the model as data, and stay named in the stored items', async () => {
  const { client, model, upload } = await start();
  const [image, notes] = [await upload('a.bin', png), await upload('notes.md', Buffer.from('# Grüße'))];
  const { id } = await ask(
    client,
    { type: 'input_image', file_id: image, detail: 'low' },
    { type: 'input_file', file_id: notes },
  );
  expect(model.requests[0]?.messages.at(-1)).toMatchObject({
    content: [
      { type: 'image', url: `data:image/png;base64,${png.toString('base64')}`, detail: 'low' },
      {
        type: 'file',
        url: `data:text/markdown;base64,${Buffer.from('# Grüße').toString('base64')}`,
        filename: 'notes.md',
      },
    ],
  });
  const { data } = await client.responses.inputItems.list(id);
  expect(data).toMatchObject([
    {
      content: [
        { type: 'input_image', file_id: image },
        { type: 'input_file', file_id: notes },
      ],
    },
  ]);
  expect(JSON.stringify(data)).not.toContain('base64');
});

test('a model that takes PDFs is given the PDF, any other its text', async () => {
  const taking = await start({ provider: { documentTypes: ['application/pdf'] } });
  const file = await taking.upload('a.pdf', pdf);
  await ask(taking.client, { type: 'input_file', file_id: file });
  expect(JSON.stringify(taking.model.requests)).toContain(
    `data:application/pdf;base64,${pdf.toString('base64')}`,
  );
  await app.close();
  const reading = await start({ documents: documents(() => 'What it says.') });
  const other = await reading.upload('a.pdf', pdf);
  await ask(reading.client, { type: 'input_file', file_id: other });
  expect(JSON.stringify(reading.model.requests)).toContain(
    `data:text/plain;base64,${Buffer.from('What it says.').toString('base64')}`,
  );
});

test('what is wrong with a file is said with its place', async () => {
  const { client, upload } = await start({ limits: { inputFileBytes: 1024 } });
  const [text, paper] = [await upload('a.txt', Buffer.from('x')), await upload('a.pdf', pdf)];
  const large = await upload('large.txt', Buffer.alloc(1025, 'x'));
  const place = 'input[0].content[0].file_id';
  const refusals = [
    [{ type: 'input_file', file_id: 'file_none' }, 404, 'not_found', /file_none/],
    [{ type: 'input_image', file_id: text }, 400, 'invalid_payload', /no image/],
    [{ type: 'input_file', file_id: paper }, 400, 'unsupported_parameter', /application\/pdf/],
    [{ type: 'input_file', file_id: large }, 413, 'payload_too_large', /inputFileBytes/],
  ] as const;
  for (const [part, status, code, message] of refusals) {
    await expect(ask(client, part as Content[number])).rejects.toMatchObject({
      status,
      code,
      param: place,
      message: expect.stringMatching(message),
    });
  }
});

test('a document that cannot be read is the fault of who sent it', async () => {
  const fault = documents(() => {
    throw new DocumentError('invalid_file', 'The PDF is encrypted.');
  });
  const { client, upload } = await start({ documents: fault });
  const sent = ask(client, { type: 'input_file', file_id: await upload('a.pdf', pdf) });
  await expect(sent).rejects.toMatchObject({ status: 400, message: expect.stringContaining('encrypted') });
});

test('a conversation goes on when a file of an earlier turn has been deleted', async () => {
  const { client, model, upload } = await start();
  const file = await upload('a.txt', Buffer.from('x'));
  const first = await ask(client, { type: 'input_file', file_id: file });
  await client.files.delete(file);
  await client.responses.create({ model: 'm', input: 'And now?', previous_response_id: first.id });
  expect(JSON.stringify(model.requests[1])).toContain(`[The file ${file}, which is not at hand.]`);
});

test('chat completions read files too', async () => {
  const { client, model, upload } = await start();
  const file_id = await upload('a.txt', Buffer.from('hello'));
  const complete = (id: string) =>
    client.chat.completions.create({
      model: 'm',
      messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: id } }] }],
    });
  await complete(file_id);
  expect(model.requests[0]?.messages).toEqual([
    {
      role: 'user',
      content: [{ type: 'file', url: 'data:text/plain;base64,aGVsbG8=', filename: 'a.txt' }],
    },
  ]);
  await expect(complete('file_none')).rejects.toMatchObject({
    status: 404,
    param: 'messages[0].content[0].file.file_id',
  });
});
