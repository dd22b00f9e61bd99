import { porterStem } from './porter.ts';

/** Longer ones are numbers, keys and the like; their beginning tells them apart. */
const longestWord = 64;
const rememberedStems = 20_000;

const plain = /^[\p{ASCII}]*$/u;
const asciiWord = /[a-z0-9]+/g;
const anyWord = /[\p{L}\p{N}][\p{L}\p{N}\p{M}]*/gu;
const diacritics = /[\u0300-\u036f]/g;
/** Of scripts that put no spaces between words. */
const unspaced =
  /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Thai}\p{sc=Lao}\p{sc=Khmer}\p{sc=Myanmar}ー]\p{M}*/gu;
const hasUnspaced = new RegExp(unspaced.source, 'u');

/** Whether all words are of small letters and digits once the text is in small letters. */
export const isPlain = (text: string): boolean => plain.test(text);

/**
 * The words of a text as they are indexed and looked for: small letters without diacritics, English ones by their
 * stem, and pairs of signs in scripts without spaces. What is in an index was cut like this: it must not change.
 */
export function wordsIn(text: string): string[] {
  if (isPlain(text)) return (text.toLowerCase().match(asciiWord) ?? []).map(stemmed);
  const folded = text.normalize('NFKD').replace(diacritics, '').normalize('NFC').toLowerCase();
  return (folded.match(anyWord) ?? []).flatMap((word) =>
    hasUnspaced.test(word) ? pairs(word) : stemmed(word),
  );
}

/** How often each word occurs, and how many there are in all. */
export function countWords(text: string): { counts: Map<string, number>; total: number } {
  const counts = new Map<string, number>();
  const words = wordsIn(text);
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return { counts, total: words.length };
}

const stems = new Map<string, string>();

/** What a word without diacritics, in small letters, is indexed as. */
export function stemmed(word: string): string {
  const known = stems.get(word);
  if (known !== undefined) return known;
  const stem = porterStem(word.length > longestWord ? cut(word) : word);
  if (stems.size >= rememberedStems) stems.clear();
  stems.set(word, stem);
  return stem;
}

/** Never between the halves of a sign. */
const cut = (word: string): string =>
  word
    .slice(0, longestWord)
    .toWellFormed()
    .replace(/\ufffd$/, '');

function pairs(word: string): string[] {
  const found: string[] = [];
  let at = 0;
  let before: { sign: string; end: number; paired: boolean } | null = null;
  for (const match of word.matchAll(unspaced)) {
    if (match.index > at) found.push(stemmed(word.slice(at, match.index)));
    if (before !== null && before.end === match.index) {
      found.push(before.sign + match[0]);
      before.paired = true;
    } else if (before !== null && !before.paired) found.push(before.sign);
    const adjoins: boolean = before !== null && before.end === match.index;
    at = match.index + match[0].length;
    before = { sign: match[0], end: at, paired: adjoins };
  }
  if (before !== null && !before.paired) found.push(before.sign);
  if (at < word.length) found.push(stemmed(word.slice(at)));
  return found;
}
