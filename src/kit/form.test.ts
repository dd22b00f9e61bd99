import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Type from 'typebox';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { FormFile, formReader, formValues } from './form.ts';
import { MultipartBody } from './operation.ts';
import { Maybe, OneOf } from './schema.ts';

const schema = Type.Object({
  model: Type.String(),
  n: Maybe(Type.Integer()),
  share: Maybe(Type.Number()),
  stream: Maybe(Type.Boolean()),
  kinds: Maybe(Type.Array(OneOf('a', 'b'))),
  strategy: Maybe(Type.Union([OneOf('auto'), Type.Object({ type: Type.String(), wait: Type.Integer() })])),
  image: Type.Union([FormFile, Type.Array(FormFile)]),
});

const values = (...fields: [string, string][]) => ({
  ...formValues(
    fields.map(([name, value]) => ({ name, value })),
    schema,
  ),
});

test('texts become what the schema wants, or stay as they are', () => {
  expect(values(['model', '7'], ['n', '3'], ['share', '-0.5'], ['stream', 'true'], ['other', '1'])).toEqual({
    model: '7',
    n: 3,
    share: -0.5,
    stream: true,
    other: '1',
  });
  expect(values(['n', 'three'], ['stream', 'yes'], ['share', ''])).toEqual({
    n: 'three',
    stream: 'yes',
    share: '',
  });
});

test('brackets make lists and objects; a list of one needs none', () => {
  expect(values(['kinds[]', 'a'], ['kinds[]', 'b'])).toEqual({ kinds: ['a', 'b'] });
  expect(values(['kinds', 'a'])).toEqual({ kinds: ['a'] });
  expect(values(['image', 'x.png'])).toEqual({ image: 'x.png' });
  expect(values(['image', 'x.png'], ['image', 'y.png'])).toEqual({ image: ['x.png', 'y.png'] });
  expect(values(['strategy[type]', 'vad'], ['strategy[wait]', '5'])).toEqual({
    strategy: { type: 'vad', wait: 5 },
  });
  expect(values(['strategy', '{"type":"vad","wait":5}'])).toEqual({ strategy: { type: 'vad', wait: 5 } });
  expect(values(['strategy', 'auto'])).toEqual({ strategy: 'auto' });
});

test('a field given twice is refused, and so is one that is both text and object', () => {
  expect(() => values(['model', 'a'], ['model', 'b'])).toThrow(expect.objectContaining({ target: 'model' }));
  expect(() => values(['strategy', 'auto'], ['strategy[type]', 'vad'])).toThrow(
    expect.objectContaining({ target: 'strategy[type]' }),
  );
});

test('no name reaches a prototype', () => {
  values(['__proto__[polluted]', '1'], ['constructor[prototype][polluted]', '1'], ['toString', 'x']);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});

let temporary: string;
beforeEach(() => {
  temporary = mkdtempSync(join(tmpdir(), 'bloomery-test-'));
  vi.stubEnv('TMPDIR', temporary);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(temporary, { recursive: true });
});
const folders = () => readdirSync(temporary).length;

async function formBody(form: FormData): Promise<MultipartBody> {
  const request = new Request('http://localhost', { method: 'POST', body: form });
  const bytes = new Uint8Array(await request.arrayBuffer());
  return new MultipartBody(
    request.headers.get('content-type') ?? '',
    (async function* () {
      yield bytes;
    })(),
  );
}

function imageForm(): FormData {
  const form = new FormData();
  form.append('image[]', new Blob([Buffer.alloc(100_000, 'a')], { type: 'image/png' }), 'a.png');
  form.append('image[]', new Blob(['b'], { type: 'image/webp' }), 'b "c".webp');
  form.append('model', 'mine');
  form.append('unknown', 'kept');
  return form;
}

test('the form is handed on whole, its files on disk until then', async () => {
  const read = formReader(schema, { fieldBytes: 100, files: 2 });
  const sent = await read(await formBody(imageForm()), async ({ values, data }) => {
    expect(values).toMatchObject({ model: 'mine', image: ['a.png', expect.any(String)] });
    expect(folders()).toBe(1);
    const files = data.getAll('image[]') as File[];
    return {
      fields: [data.get('model'), data.get('unknown')],
      files: await Promise.all(files.map(async (file) => [file.name, file.type, (await file.text()).length])),
    };
  });
  expect(sent.fields).toEqual(['mine', 'kept']);
  expect(sent.files).toEqual([
    ['a.png', 'image/png', 100_000],
    [expect.stringContaining('c'), 'image/webp', 1],
  ]);
  expect(folders()).toBe(0);
});

test.each([
  ['no file', (form: FormData) => form.delete('image[]'), 'missing_required_parameter', 'image'],
  ['too many files', (form: FormData) => form.append('image[]', new Blob(['c'])), 'invalid_payload', 'body'],
  [
    'a file elsewhere',
    (form: FormData) => {
      form.delete('image[]');
      form.set('model', new Blob(['c']));
    },
    'invalid_payload',
    'model',
  ],
  ['a wrong value', (form: FormData) => form.append('n', '1.5'), 'invalid_payload', 'n'],
  ['a long field', (form: FormData) => form.append('n', '1'.repeat(101)), 'invalid_payload', 'n'],
])('%s is refused, and nothing stays behind', async (_, change, code, target) => {
  const read = formReader(schema, { fieldBytes: 100, files: 2 });
  const form = imageForm();
  change(form);
  await expect(read(await formBody(form), async () => 1)).rejects.toMatchObject({
    status: 400,
    code,
    target,
  });
  expect(folders()).toBe(0);
});

test('a list of files takes files, too', async () => {
  const read = formReader(Type.Object({ files: Type.Array(FormFile) }), { fieldBytes: 100, files: 2 });
  const form = new FormData();
  form.append('files[]', new Blob(['a']), 'a.txt');
  await read(await formBody(form), async ({ values }) => expect(values).toEqual({ files: ['a.txt'] }));
});
