import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ParameterForm, type ParameterStyle, pairs, pathText } from './serialise-parameter.ts';

const form = (style: ParameterStyle, explode: boolean, rest: Partial<ParameterForm> = {}): ParameterForm => ({
  name: 'color',
  style,
  explode,
  allowReserved: false,
  json: false,
  ...rest,
});
const list = ['blue', 'black', 'brown'];
const object = { R: 100, G: 200, B: 150 };

describe("the table of OpenAPI's specification", () => {
  test.each<[ParameterStyle, boolean, string, string, string, string]>([
    ['matrix', false, ';color', ';color=blue', ';color=blue,black,brown', ';color=R,100,G,200,B,150'],
    ['matrix', true, ';color', ';color=blue', ';color=blue;color=black;color=brown', ';R=100;G=200;B=150'],
    ['label', false, '.', '.blue', '.blue,black,brown', '.R,100,G,200,B,150'],
    ['label', true, '.', '.blue', '.blue.black.brown', '.R=100.G=200.B=150'],
    ['simple', false, '', 'blue', 'blue,black,brown', 'R,100,G,200,B,150'],
    ['simple', true, '', 'blue', 'blue,black,brown', 'R=100,G=200,B=150'],
  ])('%s in a path, explode %s', (style, explode, empty, one, many, members) => {
    if (style !== 'label') expect(pathText(form(style, explode), '')).toBe(empty);
    expect(pathText(form(style, explode), 'blue')).toBe(one);
    expect(pathText(form(style, explode), list)).toBe(many);
    expect(pathText(form(style, explode), object)).toBe(members);
  });

  test.each<[ParameterStyle, boolean, unknown, string]>([
    ['form', false, '', 'color='],
    ['form', false, 'blue', 'color=blue'],
    ['form', false, list, 'color=blue,black,brown'],
    ['form', true, list, 'color=blue&color=black&color=brown'],
    ['form', false, object, 'color=R,100,G,200,B,150'],
    ['form', true, object, 'R=100&G=200&B=150'],
    ['spaceDelimited', false, list, 'color=blue%20black%20brown'],
    ['spaceDelimited', true, list, 'color=blue&color=black&color=brown'],
    ['spaceDelimited', false, object, 'color=R%20100%20G%20200%20B%20150'],
    ['pipeDelimited', false, list, 'color=blue%7Cblack%7Cbrown'],
    ['pipeDelimited', false, object, 'color=R%7C100%7CG%7C200%7CB%7C150'],
    ['deepObject', true, object, 'color%5BR%5D=100&color%5BG%5D=200&color%5BB%5D=150'],
    ['deepObject', true, { a: { b: [1, 2] } }, 'color%5Ba%5D%5Bb%5D=1&color%5Ba%5D%5Bb%5D=2'],
  ])('%s in a query, explode %s: %j', (style, explode, value, text) => {
    expect(pairs(form(style, explode), value).join('&')).toBe(text);
  });

  test('a parameter with content is JSON', () => {
    expect(pairs(form('form', true, { json: true }), { a: 1 })).toEqual(['color=%7B%22a%22%3A1%7D']);
  });

  test('reserved characters stay where they may, but for those that end the value', () => {
    expect(pairs(form('form', true, { allowReserved: true }), 'a/b?c=d&e#f+g')).toEqual([
      'color=a/b?c=d%26e%23f%2Bg',
    ]);
  });
});

test('whatever a value is, it stays within its own pair of the query', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.boolean(), (value, allowReserved) => {
      const [pair, ...more] = pairs(form('form', true, { allowReserved }), value);
      const { searchParams, hash } = new URL(`http://a/?${pair}&last=1`);
      expect(more).toEqual([]);
      expect([...searchParams]).toEqual([
        ['color', value.toWellFormed()],
        ['last', '1'],
      ]);
      expect(hash).toBe('');
    }),
  );
});

test('whatever a value is, it stays within its own segment of the path', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('..', '.', '%2e%2e', '../../x', '\\..\\')),
      fc.constantFrom<ParameterStyle>('simple', 'label', 'matrix'),
      (value, style) => {
        let text: string;
        try {
          text = pathText(form(style, false), value);
        } catch {
          return;
        }
        const { pathname, search, host } = new URL(`http://a/before/${text}/after`);
        expect([host, search]).toEqual(['a', '']);
        expect(pathname).toMatch(/^\/before\/[^/]*\/after$/);
      },
    ),
  );
});
