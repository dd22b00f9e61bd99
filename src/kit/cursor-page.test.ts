import fc from 'fast-check';
import { expect, test } from 'vitest';
import { arraySource, cursorPage } from './cursor-page.ts';

const same = (element: string) => element;
const page = (elements: string[], query: object) =>
  cursorPage(query, arraySource(elements, same), same, same);
const letters = ['a', 'b', 'c', 'd', 'e'];

test('the default is the newest first, twenty at a time', async () => {
  expect(await page(letters, {})).toEqual({
    object: 'list',
    data: ['e', 'd', 'c', 'b', 'a'],
    first_id: 'e',
    last_id: 'a',
    has_more: false,
  });
  const many = Array.from({ length: 30 }, (_, i) => String(i));
  expect((await page(many, {})).data).toHaveLength(20);
});

test('`before` gives the page that ends right there', async () => {
  expect((await page(letters, { order: 'asc', before: 'd', limit: 2 })).data).toEqual(['b', 'c']);
  expect((await page(letters, { order: 'desc', before: 'b', limit: 2 })).data).toEqual(['d', 'c']);
  expect((await page(letters, { order: 'asc', after: 'a', before: 'e', limit: 2 })).data).toEqual(['b', 'c']);
});

test('an empty page has no ids', async () => {
  expect(await page([], {})).toEqual({
    object: 'list',
    data: [],
    first_id: null,
    last_id: null,
    has_more: false,
  });
});

test('a cursor that names nothing is refused', async () => {
  await expect(page(letters, { after: 'z' })).rejects.toMatchObject({
    code: 'invalid_parameter',
    target: 'after',
  });
});

test('pages put together are the whole, in either direction and of any size', () =>
  fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(fc.string({ minLength: 1 }), { maxLength: 40 }),
      fc.integer({ min: 1, max: 7 }),
      fc.constantFrom('asc', 'desc'),
      fc.constantFrom('after', 'before'),
      async (elements, limit, order, cursor) => {
        const seen: string[] = [];
        let query: object = { limit, order };
        for (;;) {
          const { data, has_more, first_id, last_id } = await page(elements, query);
          if (cursor === 'after') seen.push(...data);
          else seen.unshift(...data);
          if (!has_more || (cursor === 'before' && query === undefined)) break;
          if (cursor === 'before' && seen.length === data.length && !('before' in query)) break;
          query = { limit, order, [cursor]: cursor === 'after' ? last_id : first_id };
        }
        const whole = order === 'asc' ? elements : elements.toReversed();
        if (cursor === 'after') expect(seen).toEqual(whole);
        else expect(whole.slice(0, seen.length)).toEqual(seen);
      },
    ),
  ));
