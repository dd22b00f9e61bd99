import { afterEach, expect, test } from 'vitest';
import { DocumentError } from '../../providers/documents/documents.ts';
import { packTexts } from '../../providers/texts/packed-texts.ts';
import {
  type AnswerRequest,
  type HttpServer,
  httpServer,
} from '../../providers/tools/testing/http-server.ts';
import { finish, type ScriptedModel, says, scriptedModel } from '../testing/scripted-model.ts';
import { type WholeApp, type WholeAppOptions, wholeApp } from '../testing/whole-app.ts';

let app: WholeApp;
let server: HttpServer | undefined;
afterEach(async () => {
  await app?.close();
  await server?.close();
  server = undefined;
});

const answer = [...says('Seen.'), finish()];
const png = Buffer.concat([Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'), Buffer.alloc(20)]);
const pdf = Buffer.from('%PDF-1.7 and so on');
const base64 = (content: Buffer | string) => Buffer.from(content).toString('base64');

const pages: Record<string, [type: string | null, content: Buffer | string]> = {
  '/a.png': ['image/png', png],
  '/picture': [null, png],
  '/lied': ['image/png', 'an error page'],
  '/report.pdf': ['application/pdf', pdf],
  '/data?key=secret': ['text/csv; charset=utf-8', 'a,b'],
  '/notes.md': ['application/octet-stream', '# Notes'],
  '/long': ['text/plain', 'x'.repeat(2000)],
};
const serve: AnswerRequest = (response, { url }) => {
  const [type, content] = pages[url] ?? [];
  if (url === '/never') return;
  if (url === '/broken') {
    response.writeHead(200, { 'content-length': 100 });
    response.write('half', () => response.destroy());
    return;
  }
  if (url === '/inside') {
    response.writeHead(302, { location: 'http://169.254.169.254/latest/meta-data' });
    response.end();
    return;
  }
  if (content === undefined) response.writeHead(404).end('secret words of the server');
  else response.writeHead(200, type ? { 'content-type': type } : {}).end(content);
};

async function start(options: WholeAppOptions = {}, documentTypes: string[] = []) {
  const model: ScriptedModel = scriptedModel(answer, answer, answer);
  app = await wholeApp({ m: { ...model.provider, documentTypes } }, options);
  server = await httpServer(serve);
  return { model, url: server.url };
}

const ask = (part: object, more: object = {}) =>
  app.call('POST', '/openai/v1/responses', {
    model: 'm',
    input: [{ role: 'user', content: [part] }],
    ...more,
  });
const complete = (part: object) =>
  app.call('POST', '/openai/v1/chat/completions', {
    model: 'm',
    messages: [{ role: 'user', content: [part] }],
  });
const given = ({ requests }: ScriptedModel, at = 0): unknown => {
  const message = requests[at]?.messages[0];
  return message?.role === 'user' ? message.content : undefined;
};
const reading = (text: () => string): WholeAppOptions => ({
  documents: { text: async () => text(), chunks: async () => packTexts([]), close: async () => {} },
});

test.each<[string, object, object]>([
  [
    '/a.png',
    { type: 'input_image', detail: 'low' },
    { type: 'image', url: `data:image/png;base64,${base64(png)}`, detail: 'low' },
  ],
  ['/picture', { type: 'input_image' }, { type: 'image', url: `data:image/png;base64,${base64(png)}` }],
  [
    '/report.pdf',
    { type: 'input_file' },
    { type: 'file', url: `data:application/pdf;base64,${base64(pdf)}`, filename: 'report.pdf' },
  ],
  [
    '/data?key=secret',
    { type: 'input_file', filename: 'mine.csv' },
    { type: 'file', url: `data:text/csv;base64,${base64('a,b')}`, filename: 'mine.csv' },
  ],
  [
    '/notes.md',
    { type: 'input_file' },
    { type: 'file', url: `data:text/markdown;base64,${base64('# Notes')}`, filename: 'notes.md' },
  ],
])('what is at %s reaches the model as data', async (path, part, told) => {
  const { model, url } = await start({}, ['application/pdf']);
  const member = (part as { type: string }).type === 'input_image' ? 'image_url' : 'file_url';
  const reply = await ask({ ...part, [member]: url + path });
  expect(reply.status).toBe(200);
  expect(given(model)).toEqual([told]);
  const items = await app.call('GET', `/openai/v1/responses/${reply.json.id}/input_items`);
  expect(items.text).toContain(url + path);
  expect(items.text).not.toContain('base64');
});

test('a document at an address, or in a data URL, is read for a model that takes none', async () => {
  const { model, url } = await start(reading(() => 'What it says.'));
  const text = `data:text/plain;base64,${base64('What it says.')}`;
  await ask({ type: 'input_file', file_url: `${url}/report.pdf` });
  expect(given(model)).toMatchObject([{ url: text, filename: 'report.pdf' }]);
  const file_data = `data:application/pdf;base64,${base64(pdf)}`;
  await ask({ type: 'input_file', file_data, filename: 'mine.pdf' });
  expect(given(model, 1)).toMatchObject([{ url: text, filename: 'mine.pdf' }]);
  await complete({ type: 'file', file: { file_data, filename: 'mine.pdf' } });
  expect(given(model, 2)).toMatchObject([{ url: text, filename: 'mine.pdf' }]);
});

const file = 'input[0].content[0].file_url';
const image = 'input[0].content[0].image_url';

test.each<[string, string, string, number, string, RegExp]>([
  ['/none?key=secret', 'file_url', file, 400, 'invalid_payload', /^'127.0.0.1' answered with status 404\.$/],
  ['/broken', 'file_url', file, 400, 'invalid_payload', /broke its answer off/],
  ['/never', 'file_url', file, 400, 'invalid_payload', /within 1 seconds \(limits.inputFetchSeconds\)/],
  ['/long', 'file_url', file, 413, 'payload_too_large', /limits.inputFileBytes/],
  [
    '/inside',
    'file_url',
    file,
    400,
    'address_not_allowed',
    /inputs may not reach '169.254.169.254': .*link-local/,
  ],
  ['/report.pdf', 'file_url', file, 400, 'invalid_payload', /encrypted/],
  ['/none', 'image_url', image, 400, 'invalid_payload', /status 404/],
  ['/notes.md', 'image_url', image, 400, 'invalid_payload', /no image.*but text\/markdown/],
])('%s as %s is refused at its place', async (path, member, param, status, code, message) => {
  const { model, url } = await start({
    limits: { inputFileBytes: 1024, inputFetchSeconds: 1 },
    ...reading(() => {
      throw new DocumentError('invalid_file', 'The PDF is encrypted.');
    }),
  });
  const type = member === 'image_url' ? 'input_image' : 'input_file';
  const reply = await ask({ type, [member]: url + path });
  expect([reply.status, reply.json.error]).toMatchObject([
    status,
    { code, param, message: expect.stringMatching(message) },
  ]);
  expect(reply.text).not.toContain('secret');
  expect(model.requests).toEqual([]);
});

test('a server that cannot be reached is the fault of who named it', async () => {
  const { url } = await start();
  await server?.close();
  server = undefined;
  const reply = await ask({ type: 'input_file', file_url: `${url}/a` });
  expect([reply.status, reply.json.error]).toMatchObject([400, { param: file }]);
});

const data = 'input[0].content[0].file_data';

test.each<[string, object, string, RegExp]>([
  ['bad base64', { type: 'input_file', file_data: 'data:text/plain;base64,a$b=' }, data, /not base64/],
  ['base64 cut off', { type: 'input_file', file_data: 'data:text/plain;base64,AAAAA' }, data, /not base64/],
  ['no comma', { type: 'input_file', file_data: 'data:text/plain;base64' }, data, /comma/],
  ['nothing', { type: 'input_file', file_data: 'data:text/plain,' }, data, /empty/],
  ['a bad escape', { type: 'input_file', file_data: 'data:text/plain,%zz' }, data, /percent/],
  ['no data URL', { type: 'input_file', file_data: 'JVBERi0=' }, data, /a data: URL/],
  ['another scheme', { type: 'input_file', file_url: 'file:///etc/passwd' }, file, /an https: address/],
  ['no URL', { type: 'input_file', file_url: 'http://[' }, file, /no URL/],
  ['an image of text', { type: 'input_image', image_url: 'data:text/plain,a' }, image, /but text\/plain/],
  [
    'an image that is a PDF',
    { type: 'input_image', image_url: `data:image/png;base64,${base64(pdf)}` },
    image,
    /but application\/pdf/,
  ],
  ['an image in bad base64', { type: 'input_image', image_url: 'data:image/png;base64,§' }, image, /base64/],
])('a part with %s is refused at its place', async (_, part, param, message) => {
  const { model } = await start();
  const reply = await ask(part);
  expect([reply.status, reply.json.error]).toMatchObject([
    400,
    { code: 'invalid_payload', param, message: expect.stringMatching(message) },
  ]);
  expect(model.requests).toEqual([]);
});

test('lines in base64, and data in percent escapes, are read', async () => {
  const { model } = await start();
  await ask({ type: 'input_file', file_data: 'data:text/plain;base64,aGVs\r\nbG8=' });
  await ask({ type: 'input_file', file_data: 'data:,hello' });
  for (const at of [0, 1]) {
    expect(given(model, at)).toMatchObject([{ url: expect.stringMatching(/^data:[^,]*;base64,aGVsbG8=$/) }]);
  }
});

test('chat completions read images at addresses too', async () => {
  const { model, url } = await start();
  await complete({ type: 'image_url', image_url: { url: `${url}/a.png`, detail: 'low' } });
  expect(given(model)).toEqual([
    { type: 'image', url: `data:image/png;base64,${base64(png)}`, detail: 'low' },
  ]);
  const reply = await complete({ type: 'image_url', image_url: { url: `${url}/none` } });
  expect([reply.status, reply.json.error]).toMatchObject([
    400,
    { code: 'invalid_payload', param: 'messages[0].content[0].image_url.url' },
  ]);
});

test('a conversation goes on when an address of an earlier turn is gone', async () => {
  const { model, url } = await start();
  pages['/passing.txt'] = ['text/plain', 'still here'];
  const first = await ask({ type: 'input_file', file_url: `${url}/passing.txt?key=secret` });
  expect(first.status).toBe(400);
  const second = await ask({ type: 'input_file', file_url: `${url}/passing.txt` });
  delete pages['/passing.txt'];
  const third = await ask({ type: 'input_text', text: 'And now?' }, { previous_response_id: second.json.id });
  expect(third.status).toBe(200);
  expect(JSON.stringify(given(model, 1))).toContain('[The file at 127.0.0.1, which is not at hand.]');
});

test('an address is read once, and at most a hundred are', async () => {
  const { url } = await start();
  const many = (count: number, one: (at: number) => string) => ({
    model: 'm',
    input: [
      {
        role: 'user',
        content: Array.from({ length: count }, (_, at) => ({ type: 'input_file', file_url: one(at) })),
      },
    ],
  });
  const path = '/openai/v1/responses';
  expect(
    (
      await app.call(
        'POST',
        path,
        many(101, () => `${url}/notes.md`),
      )
    ).status,
  ).toBe(200);
  expect(server?.requests).toHaveLength(1);
  const reply = await app.call(
    'POST',
    path,
    many(101, (at) => `${url}/notes.md#${at}`),
  );
  expect([reply.status, reply.json.error]).toMatchObject([
    400,
    { param: 'input[0].content[100].file_url', message: expect.stringContaining('100') },
  ]);
  expect(server?.requests).toHaveLength(1);
});
