import fc from 'fast-check';
import { expect, test } from 'vitest';
import { matches, parsePattern, sampleOf } from './pattern.ts';

const found = (source: string, text: string): boolean => {
  const pattern = parsePattern(source);
  if (pattern === null) throw new Error('not understood');
  return matches(pattern, text);
};

test.each([
  ['^[A-Z]{2}-\\d{3,}$', ['AB-123', 'AB-12', 'ab-123', 'xAB-1234']],
  ['^(foo|ba[rz])?(-\\w+)*$', ['', 'foo', 'baz-1-b', 'bar-', 'bax']],
  ['\\bcat\\b', ['a cat.', 'concat', 'cat']],
  ['^(?=.*\\d)(?!.*\\s)[^x]{2,4}$', ['a1', 'ab', 'a 1', 'x1', 'abcd1']],
  ['^\\p{Lu}\\u00e9[\\x41-\\x43]$', ['ÉéB', 'éB', 'ZéD']],
  ['^(a+)+b?$', ['aaa', 'aab', 'b', '']],
  ['^.*?,.*$', ['a,b', 'ab', 'a\n,b']],
  ['a|^b|c$', ['xa', 'bx', 'xb', 'xc', 'cx']],
])('%s is matched as JavaScript matches it', (source, texts) => {
  for (const text of texts)
    expect([text, found(source, text)]).toEqual([text, new RegExp(source, 'u').test(text)]);
});

test.each([
  '(',
  '[a',
  'a{2,1}',
  '\\1',
  '(?<=a)b',
  '*',
  'a**',
  '\\p{No',
  '[z-a]',
  'a'.repeat(3000),
  '('.repeat(100),
])('not understood: %s', (source) => {
  expect(parsePattern(source)).toBeNull();
});

test('what backtracks for ever in JavaScript ends here', () => {
  expect(found('^(a+)+$', `${'a'.repeat(5000)}b`)).toBe(false);
  expect(found('^(a|a)*$', `${'a'.repeat(200)}b`)).toBe(false);
});

test('samples match, and any text ends', () => {
  const pattern = fc.constantFrom('^[a-f0-9]{8}$', '^\\d{3}-\\d{2}$', '^(x|yz)+$', '^[^@\\s]+@[a-z]+\\.com$');
  fc.assert(
    fc.property(pattern, fc.nat(5), fc.nat(5), (source, extra, option) => {
      const tree = parsePattern(source);
      const sample = tree === null ? null : sampleOf(tree, extra, option, 100);
      expect(sample).toMatch(new RegExp(source, 'u'));
    }),
  );
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom(...'ab(|)*+?[]{}^$.\\d-2,'), maxLength: 30 }),
      fc.string(),
      (source, text) => {
        const tree = parsePattern(source);
        if (tree === null) return;
        matches(tree, text);
        sampleOf(tree, 3, 1, 50);
      },
    ),
  );
});
