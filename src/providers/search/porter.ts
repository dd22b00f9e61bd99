/**
 * Porter's stemmer of 1980, for words of the letters a to z. What is in an index was stemmed with it: it must not
 * change, or files that are there already are no longer found.
 */
export function porterStem(word: string): string {
  if (word.length < 3 || !lettersOnly.test(word)) return word;
  let stem = withoutPlural(word);
  stem = withoutPast(stem);
  if (/y$/.test(stem) && hasVowel(stem.slice(0, -1))) stem = `${stem.slice(0, -1)}i`;
  stem = replaceEnding(stem, doubleSuffixes, 0);
  stem = replaceEnding(stem, suffixes, 0);
  stem = withoutSuffix(stem);
  if (stem.endsWith('e')) {
    const short = stem.slice(0, -1);
    if (measure(short) > 1 || (measure(short) === 1 && !endsShort(short))) stem = short;
  }
  return stem.endsWith('ll') && measure(stem) > 1 ? stem.slice(0, -1) : stem;
}

const lettersOnly = /^[a-z]+$/;

type Endings = readonly (readonly [string, string])[];

const doubleSuffixes: Endings = [
  ['ational', 'ate'],
  ['tional', 'tion'],
  ['enci', 'ence'],
  ['anci', 'ance'],
  ['izer', 'ize'],
  ['abli', 'able'],
  ['alli', 'al'],
  ['entli', 'ent'],
  ['eli', 'e'],
  ['ousli', 'ous'],
  ['ization', 'ize'],
  ['ation', 'ate'],
  ['ator', 'ate'],
  ['alism', 'al'],
  ['iveness', 'ive'],
  ['fulness', 'ful'],
  ['ousness', 'ous'],
  ['aliti', 'al'],
  ['iviti', 'ive'],
  ['biliti', 'ble'],
];

const suffixes: Endings = [
  ['icate', 'ic'],
  ['ative', ''],
  ['alize', 'al'],
  ['iciti', 'ic'],
  ['ical', 'ic'],
  ['ful', ''],
  ['ness', ''],
];

/** Longer ones first, where one ends in another. */
const lastSuffixes = 'ement ment ance ence able ible ant ent ion ism ate iti ous ive ize al er ic ou'.split(
  ' ',
);

function withoutPlural(word: string): string {
  if (word.endsWith('sses') || word.endsWith('ies')) return word.slice(0, -2);
  return word.endsWith('s') && !word.endsWith('ss') ? word.slice(0, -1) : word;
}

function withoutPast(word: string): string {
  if (word.endsWith('eed')) return measure(word.slice(0, -3)) > 0 ? word.slice(0, -1) : word;
  const ending = ['ed', 'ing'].find((one) => word.endsWith(one));
  if (ending === undefined) return word;
  const stem = word.slice(0, -ending.length);
  if (!hasVowel(stem)) return word;
  if (/(at|bl|iz)$/.test(stem)) return `${stem}e`;
  if (/([^aeiou])\1$/.test(stem) && !/[lsz]$/.test(stem)) return stem.slice(0, -1);
  return measure(stem) === 1 && endsShort(stem) ? `${stem}e` : stem;
}

function replaceEnding(word: string, endings: Endings, least: number): string {
  const found = endings.find(([ending]) => word.endsWith(ending));
  if (found === undefined) return word;
  const stem = word.slice(0, -found[0].length);
  return measure(stem) > least ? stem + found[1] : word;
}

function withoutSuffix(word: string): string {
  const ending = lastSuffixes.find((one) => word.endsWith(one));
  if (ending === undefined) return word;
  const stem = word.slice(0, -ending.length);
  if (ending === 'ion' && !/[st]$/.test(stem)) return word;
  return measure(stem) > 1 ? stem : word;
}

/** Vowels and consonants as `v` and `c`; a `y` after a consonant is a vowel. */
function pattern(word: string): string {
  let kinds = '';
  for (const [at, letter] of [...word].entries()) {
    const isVowel = 'aeiou'.includes(letter) || (letter === 'y' && at > 0 && kinds.at(-1) === 'c');
    kinds += isVowel ? 'v' : 'c';
  }
  return kinds;
}

/** How often consonants follow vowels. */
const measure = (word: string): number => pattern(word).match(/v+c+/g)?.length ?? 0;
const hasVowel = (word: string): boolean => pattern(word).includes('v');
const endsShort = (word: string): boolean => pattern(word).endsWith('cvc') && !/[wxy]$/.test(word);
