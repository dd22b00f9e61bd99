import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodedForm } from './form-encoding.ts';

const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !/[\0\r\n"]/.test(text));

test('any form is read as it was', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(name, fc.oneof(fc.string({ unit: 'grapheme' }), fc.uint8Array())), { maxLength: 5 }),
      async (entries) => {
        const form = new FormData();
        for (const [key, value] of entries) {
          if (typeof value === 'string') form.append(key, value.replace(/[\r\n]/g, ''));
          else form.append(key, new Blob([value as Uint8Array<ArrayBuffer>], { type: 'audio/wav' }), key);
        }
        const read = await new Response(encodedForm(form)).formData();
        const plain = async (given: FormData) =>
          Promise.all(
            [...given].map(async ([key, value]) =>
              typeof value === 'string'
                ? [key, value]
                : [key, value.name, value.type, Buffer.from(await value.arrayBuffer()).toString('hex')],
            ),
          );
        expect(await plain(read)).toEqual(await plain(form));
      },
    ),
  );
});

test('quotes and line ends in names break out of nothing', async () => {
  const form = new FormData();
  form.append('a"\r\nX-Evil: 1', new Blob(['x']), 'b"\r\n.wav');
  const text = await encodedForm(form).text();
  expect(text).toContain('name="a%22%0D%0AX-Evil: 1"; filename="b%22%0D%0A.wav"\r\n');
  expect(text).toContain('Content-Type: application/octet-stream\r\n\r\nx\r\n');
});
