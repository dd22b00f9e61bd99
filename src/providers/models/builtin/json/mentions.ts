import { openers, stopWords } from '../vocabulary.ts';
import { datesIn, isCalendarWord, type Mention, timesIn } from './dates.ts';

/** What a text mentions, each kind in the order of the text. */
export interface Mentions {
  text: string;
  emails: Mention[];
  urls: Mention[];
  phones: Mention[];
  dates: Mention[];
  times: Mention[];
  numbers: (Mention & { amount: number })[];
  /** What stands in quotation marks, without them. */
  quotes: Mention[];
  /** Sequences of words in capitals that begin no sentence by accident: `San Francisco`, `Alice`, `AAPL`. */
  names: Mention[];
  /** Words with digits in them: order numbers, product codes. */
  codes: Mention[];
}

const most = 64;
const emailPattern = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}/g;
const urlPattern = /\bhttps?:\/\/[^\s"'<>)\]]{1,2000}[^\s"'<>)\].,;!?]/gi;
const phonePattern = /(?<![\w.-])\+?\(?\d{2,4}\)?(?:[ -]\(?\d{2,4}\)?){2,4}(?![\w-])/g;
const numberPattern = /(?<![\w.,-])[-−]?\$?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?=$|[^\w]|[a-z°%])/gi;
const quotePattern =
  /"([^"\n]{1,400})"|“([^”\n]{1,400})”|(?<!\w)'([^'\n]{1,400})'(?!\w)|‘([^’\n]{1,400})’|`([^`\n]{1,400})`/g;
const codePattern = /#?\b(?=[A-Za-z-]{0,20}\d)[A-Za-z\d]{1,20}(?:[-_][A-Za-z\d]{1,20}){0,4}\b/g;
const numberWords = 'zero one two three four five six seven eight nine ten eleven twelve'.split(' ');
const numberWordPattern = new RegExp(`\\b(?:${numberWords.join('|')}|dozen)\\b`, 'gi');

export function mentionsOf(text: string): Mentions {
  const emails = found(text, emailPattern);
  const urls = found(text, urlPattern);
  const dates = datesIn(text);
  const times = timesIn(text);
  const phones = outside(found(text, phonePattern), [dates, times, urls]);
  const taken = [emails, urls, dates, times, phones];
  return {
    text,
    emails,
    urls,
    phones,
    dates,
    times,
    numbers: outside(numbersIn(text), taken),
    quotes: [...text.matchAll(quotePattern)].slice(0, most).map((match) => ({
      text: (match.slice(1).find((group) => group !== undefined) ?? '').trim(),
      at: match.index,
      end: match.index + match[0].length,
    })),
    names: outside(namesIn(text), [emails, urls, dates]),
    codes: outside(found(text, codePattern), [emails, urls, dates, times]).map((code) => ({
      ...code,
      text: code.text.replace('#', ''),
    })),
  };
}

function found(text: string, pattern: RegExp): Mention[] {
  const mentions: Mention[] = [];
  for (const match of text.matchAll(pattern)) {
    if (mentions.length === most) break;
    mentions.push({ text: match[0], at: match.index, end: match.index + match[0].length });
  }
  return mentions;
}

const outside = <T extends Mention>(mentions: T[], taken: Mention[][]): T[] =>
  mentions.filter(({ at, end }) => !taken.flat().some((other) => at < other.end && other.at < end));

function numbersIn(text: string): Mentions['numbers'] {
  const digits = found(text, numberPattern).map((mention) => ({
    ...mention,
    amount: Number(mention.text.replace('−', '-').replace(/[$,]/g, '')),
  }));
  const words = found(text, numberWordPattern).map((mention) => {
    const at = numberWords.indexOf(mention.text.toLowerCase());
    return { ...mention, amount: at === -1 ? 12 : at };
  });
  return [...digits, ...words].sort((left, right) => left.at - right.at).slice(0, most);
}

const word = String.raw`\p{Lu}[\p{L}\p{N}&]*(?:[-.'’](?=\p{L})[\p{L}\p{N}]+)*`;
const namePattern = new RegExp(
  String.raw`(?<![\p{L}\p{N}_])${word}(?:[ \t]+(?:(?:of|de|del|da|la|van|von|der)[ \t]+)?${word})*`,
  'gu',
);

function namesIn(text: string): Mention[] {
  const names: Mention[] = [];
  for (const match of text.matchAll(namePattern)) {
    if (names.length === most) break;
    const name = trimmedName(match[0], match.index);
    if (name !== null) names.push(name);
  }
  return names;
}

/** Drops what is in capitals only because it opens a sentence, weekdays and months, and a possessive `'s`. */
function trimmedName(text: string, at: number): Mention | null {
  let [start, name] = [at, text];
  for (;;) {
    const first = /^[^\s]+/.exec(name)?.[0] ?? '';
    if (first === '') return null;
    const plain = first.toLowerCase().replace(/['’].*$/, '');
    if (!stopWords.has(plain) && !openers.has(plain) && !isCalendarWord(plain)) break;
    const dropped = /^\S+\s*/.exec(name)?.[0].length ?? name.length;
    start += dropped;
    name = name.slice(dropped);
    // What follows a dropped opener may be a particle: `Date of Birth`.
    if (!/^\p{Lu}/u.test(name)) return null;
  }
  name = name.replace(/['’]s$/, '').trimEnd();
  return { text: name, at: start, end: start + name.length };
}
