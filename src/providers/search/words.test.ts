import fc from 'fast-check';
import { expect, test } from 'vitest';
import { countWords, wordsIn } from './words.ts';

test('case, diacritics and English endings make no difference', () => {
  expect(wordsIn('Müller’s CAFÉS, running')).toEqual(['muller', 's', 'cafe', 'run']);
  expect(wordsIn('ﬁle ２０２４')).toEqual(wordsIn('File 2024'));
});

test('signs that combine to a word of another script stay', () => {
  expect(wordsIn('हिन्दी')).toEqual(['हिन्दी']);
  expect(wordsIn('한국어')).toEqual(['한국어']);
});

test('scripts without spaces are cut into pairs, also beside other ones', () => {
  expect(wordsIn('東京都')).toEqual(['東京', '京都']);
  expect(wordsIn('車')).toEqual(['車']);
  expect(wordsIn('iPhone版が2台')).toEqual(['iphon', '版が', '2', '台']);
});

test('a long word keeps its beginning', () => {
  expect(wordsIn('a'.repeat(10_000))).toEqual(['a'.repeat(64)]);
  expect(wordsIn('😀 🎉 \0 " * ( ) - :')).toEqual([]);
});

test('any text is cut into words that are bounded and stay themselves when counted', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' })), (text) => {
      const words = wordsIn(text);
      expect(words.filter(({ length }) => length < 1 || length > 64)).toEqual([]);
      const { counts, total } = countWords(text);
      expect(total).toBe(words.length);
      expect([...counts.values()].reduce((sum, count) => sum + count, 0)).toBe(total);
    }),
  );
});
