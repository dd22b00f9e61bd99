import { sumIn } from '../arithmetic.ts';
import { stem, stopWords, wordsOf } from '../vocabulary.ts';
import { isPrecise, type Mention } from './dates.ts';
import type { Evidence } from './evidence.ts';
import { findProgram, programSaying } from './find-program.ts';
import type { Mentions } from './mentions.ts';
import { kindOf, type Slot, type SlotKind } from './slots.ts';

/** Mentions already given to a field, by source and place. */
export type Used = Map<Mentions, Set<number>>;

export interface Found {
  text: string;
  /** Whether the text says it plainly, so that an optional field may be filled with it. */
  certain: boolean;
}

/** Whether a text says what the slot's value is by its name. */
export const isLabelled = (slot: Slot, { sources }: Evidence): boolean =>
  sources.some((source) => labelled(source, slot) !== null);

type Finder = (source: Mentions, slot: Slot, used: Used) => string | null;

/** The text for `slot`: what is said under its name, else what its kind finds, in the first source that has it. */
export function findText(slot: Slot, evidence: Evidence, used: Used): Found | null {
  const kind = kindOf(slot);
  for (const source of evidence.sources) {
    const plain = plainForms.has(kind) ? finders[kind](source, slot, used) : null;
    if (plain !== null) return { text: plain, certain: true };
    const said = labelled(source, slot) ?? (exemplified.has(kind) ? exampleIn(source, slot) : null);
    if (said !== null) {
      use(source, said.at, used);
      return { text: said.text, certain: true };
    }
    const text = finders[kind](source, slot, used);
    if (text !== null && text !== '') return { text, certain: !vague.has(kind) };
  }
  if (evidence.answer !== null && kind === 'answer') return { text: evidence.answer, certain: false };
  const fallback = fallbacks[kind];
  for (const source of fallback === undefined ? [] : evidence.sources) {
    const text = fallback?.(source, slot, used);
    if (text) return { text, certain: false };
  }
  return evidence.answer === null || kind !== 'other' ? null : { text: evidence.answer, certain: false };
}

/** Kinds whose texts are known by their form, whatever stands around them. */
const plainForms = new Set<SlotKind>([
  'program',
  'email',
  'url',
  'phone',
  'date',
  'time',
  'expression',
  'code',
]);

/** Kinds that only the examples of a description tell from others. */
const exemplified = new Set<SlotKind>(['other', 'title', 'symbol', 'answer', 'content']);

/** Kinds that find something in nearly every text. */
const vague = new Set<SlotKind>(['query', 'content', 'title', 'other', 'answer']);

function use(source: Mentions, at: number, used: Used): void {
  const places = used.get(source) ?? new Set();
  used.set(source, places.add(at));
}

function next<T extends Mention>(source: Mentions, mentions: T[], used: Used): T | null {
  const mention = mentions.find(({ at }) => used.get(source)?.has(at) !== true);
  if (mention !== undefined) use(source, mention.at, used);
  return mention ?? null;
}

const value = String.raw`(?:"([^"\n]{1,400})"|“([^”\n]{1,400})”|'([^'\n]{1,400})'|([^\s"“'.,;:!?][^\n.,;!?]{0,200}))`;

const longestName = 64;

/** `title: X`, `title is X`, `title = X`, `title 'X'`, `named X` for a name. */
function labelled(source: Mentions, { parts, name }: Slot): Mention | null {
  if (parts.length === 0 || parts.length > 6 || name.length < 2 || name.length > longestName) return null;
  const words = parts.map((part) => part.replace(/[^\p{L}\p{N}]/gu, '')).join(String.raw`[\s_-]?`);
  const called = parts.includes('name') || parts.includes('title') ? '|(?:called|named|titled)\\s' : '';
  const pattern = new RegExp(
    String.raw`(?<![\p{L}\p{N}])(?:["'*]{0,2}${words}["'*]{0,2}(?:\s*[:=]|\s+of\s+[\p{L} ]{1,40}?\s+is\s|\s+(?:is|are|of|as|should be|set to)\s|\s+(?=["“']))${called})\s*${value}`,
    'iu',
  );
  const match = pattern.exec(source.text);
  if (match === null) return null;
  const quoted = match.slice(1, 4).find((group) => group !== undefined);
  const plain = (match[4] ?? '').split(/\s+(?:and|with|at|on|for|but|then)\s+/, 1)[0] ?? '';
  const text = (quoted ?? plain).trim();
  if (quoted === undefined && stopWords.has(text.toLowerCase())) return null;
  const at = match.index + match[0].length - (match[4]?.length ?? (quoted ?? '').length + 2);
  return text === '' ? null : { text, at, end: at + text.length };
}

const examplePattern =
  /\b(?:like|e\.g\.,?|for example,?|such as|one of:?|either|i\.e\.)\s+([^.;()]{1,200})/giu;

/** A value that the field's own description names as an example and the text says. */
function exampleIn(source: Mentions, { description }: Slot): Mention | null {
  for (const [, list = ''] of description.matchAll(examplePattern)) {
    for (const example of list.split(/,\s*|\s+or\s+|\s+and\s+/).slice(0, 20)) {
      const words = example.replace(/["'`]/g, '').trim();
      const at = words.length < 2 || stopWords.has(words.toLowerCase()) ? -1 : wordAt(source.text, words);
      if (at >= 0) return { text: source.text.slice(at, at + words.length), at, end: at + words.length };
    }
  }
  return null;
}

/** Where `words` stand in `text`, not inside other words; -1 when nowhere. */
export function wordAt(text: string, words: string): number {
  const [lowText, lowWords] = [text.toLowerCase(), words.toLowerCase()];
  // Letters that change their length in lower case would shift the places.
  if (lowText.length !== text.length) return -1;
  for (let at = lowText.indexOf(lowWords); at >= 0; at = lowText.indexOf(lowWords, at + 1)) {
    const [before, after] = [text[at - 1], text[at + words.length]];
    if (!isLetter(before) && !isLetter(after)) return at;
  }
  return -1;
}

const isLetter = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{N}]/u.test(character);

const mentioned =
  (kind: 'emails' | 'urls' | 'phones' | 'times' | 'codes'): Finder =>
  (source, _slot, used) =>
    next(source, source[kind], used)?.text ?? null;

const finders: Record<SlotKind, Finder> = {
  program: (source) => findProgram(source.text),
  email: mentioned('emails'),
  url: mentioned('urls'),
  phone: mentioned('phones'),
  date: findDate,
  time: mentioned('times'),
  expression: (source) => sumIn(source.text),
  code: findCode,
  symbol: (source, _slot, used) =>
    (
      next(
        source,
        source.names.filter(({ text }) => /^[A-Z]{1,6}$/.test(text)),
        used,
      ) ?? next(source, source.names, used)
    )?.text ?? null,
  currency: findCurrency,
  language: findLanguage,
  place: findPlace,
  person: findPerson,
  query: (source) => request(source.text),
  content: findContent,
  title: findTitle,
  answer: () => null,
  other: findOther,
};

const fallbacks: Partial<Record<SlotKind, Finder>> = {
  program: (source) => programSaying(source.text),
  content: (source) => source.text,
  title: (source) => request(source.text),
  query: (source) => source.text,
  other: (source, _slot, used) =>
    next(source, source.names, used)?.text ?? surroundings(source.text) ?? topic(source.text),
};

/** The code that follows its noun, `order A-1001`, else the first. */
function findCode(source: Mentions, { stems }: Slot, used: Used): string | null {
  const introduced = source.codes.filter(({ at }) =>
    wordsOf(source.text.slice(Math.max(0, at - 24), at))
      .slice(-2)
      .some((word) => stems.has(stem(word)) && word !== 'id'),
  );
  return (next(source, introduced.toReversed(), used) ?? next(source, source.codes, used))?.text ?? null;
}

function findDate(source: Mentions, { parts }: Slot, used: Used): string | null {
  const late = parts.some((part) => ['end', 'return', 'checkout', 'until', 'to'].includes(part));
  const precise = source.dates.filter(isPrecise);
  const dates = precise.length > 0 ? precise : source.dates;
  const last = late && dates.length > 1 ? dates.slice(1) : dates;
  return next(source, last, used)?.text ?? null;
}

const currencyNames: Record<string, string> = {
  dollar: 'USD',
  euro: 'EUR',
  pound: 'GBP',
  yen: 'JPY',
  franc: 'CHF',
  rupee: 'INR',
  yuan: 'CNY',
};
const currencyPattern = new RegExp(
  `\\b[A-Z]{3}\\b|[$€£¥]|\\b(?:${Object.keys(currencyNames).join('|')})s?\\b`,
  'g',
);
const signs: Record<string, string> = { $: 'USD', '€': 'EUR', '£': 'GBP', '¥': 'JPY' };

function findCurrency(source: Mentions, _slot: Slot, used: Used): string | null {
  const mentions = [...source.text.matchAll(currencyPattern)].slice(0, 16).map((match) => ({
    text: signs[match[0]] ?? currencyNames[match[0].replace(/s$/, '')] ?? match[0],
    at: match.index,
    end: match.index + match[0].length,
  }));
  return next(source, mentions, used)?.text ?? null;
}

function findLanguage(source: Mentions, { parts }: Slot, used: Used): string | null {
  const from = parts.includes('source') || parts.includes('from');
  const introduced = source.names.filter(({ at }) =>
    (from ? /\bfrom\s+$/i : /\b(?:to|into|in)\s+$/i).test(source.text.slice(Math.max(0, at - 12), at)),
  );
  return next(source, introduced, used)?.text ?? null;
}

const prepositions = {
  from: /\bfrom\s+(?:the\s+)?$/i,
  to: /\b(?:to|towards?|into)\s+(?:the\s+)?$/i,
  at: /\b(?:in|at|near|around|of|for|from|to|over|visit(?:ing)?)\s+(?:the\s+)?(?:city\s+of\s+)?$/i,
};
const countries =
  'USA|U\\.S\\.|UK|France|Germany|Italy|Spain|Canada|Japan|India|Brazil|Australia|China|Mexico';
const afterPlace = new RegExp(`^,\\s+(?:[A-Z]{2}\\b|(?:${countries})(?!\\p{L}))`, 'u');
const lowerPlace = /\b(?:in|near|at|around|for|to|from)\s+((?:\p{Ll}{2,20}[ \t]?){1,4})/gu;

function findPlace(source: Mentions, { parts }: Slot, used: Used): string | null {
  const from = parts.some((part) => ['from', 'origin', 'departure', 'source', 'start'].includes(part));
  const to = parts.some((part) => ['to', 'destination', 'arrival', 'target', 'end'].includes(part));
  const before = prepositions[from ? 'from' : to ? 'to' : 'at'];
  const introduced = source.names.filter(({ at }) =>
    before.test(source.text.slice(Math.max(0, at - 24), at)),
  );
  const place =
    next(source, introduced, used) ?? lowerCasePlace(source, used) ?? next(source, source.names, used);
  if (place === null) return null;
  return place.text + (afterPlace.exec(source.text.slice(place.end, place.end + 24))?.[0] ?? '');
}

function lowerCasePlace(source: Mentions, used: Used): Mention | null {
  if (source.names.length > 0) return null;
  const places: Mention[] = [];
  for (const match of source.text.matchAll(lowerPlace)) {
    const words = (match[1] ?? '').trim().split(/\s+/);
    const stop = words.findIndex((word) => stopWords.has(word));
    const name = (stop === -1 ? words : words.slice(0, stop)).join(' ');
    if (name !== '')
      places.push({ text: inTitleCase(name), at: match.index, end: match.index + match[0].length });
    if (places.length === 8) break;
  }
  return next(source, places, used);
}

const inTitleCase = (text: string): string =>
  text.replace(/(?<![\p{L}'’])\p{Ll}/gu, (letter) => letter.toUpperCase());

function findPerson(source: Mentions, { parts }: Slot, used: Used): string | null {
  const person = /\b(?:my name is|I am|I'm|call me)\s+$/i;
  const introduced = source.names.filter(({ at }) =>
    person.test(source.text.slice(Math.max(0, at - 16), at)),
  );
  const wantsPart = parts.includes('first') ? 'first' : parts.includes('last') ? 'last' : null;
  if (wantsPart !== null) {
    const name = (introduced[0] ?? source.names[0])?.text.split(' ') ?? [];
    return (wantsPart === 'first' ? name[0] : name.length > 1 ? name.at(-1) : null) ?? null;
  }
  return (next(source, introduced, used) ?? next(source, source.names, used))?.text ?? null;
}

function findContent(source: Mentions, _slot: Slot, used: Used): string | null {
  const said = introduction.exec(source.text);
  if (said !== null && !/^["'“‘`]/.test(source.text.slice(said.index + said[0].length))) {
    return source.text.slice(said.index + said[0].length).trim();
  }
  return next(source, source.quotes, used)?.text ?? null;
}

const introduction =
  /(?:\bsaying(?:\s+that)?|\bthat says|\bto say|\btell(?:ing)?\s+\p{Lu}\p{L}{0,40}\s+that|:)\s{1,8}(?=\S)/u;

const phrasePattern = /\b(?:an?|the|my|our|this)\s+((?:[\p{L}\p{N}-]{2,30}[ \t]*){1,6})/giu;

/** A thing's name: quoted, or the first noun phrase: `going to a science fair on Friday`. */
function findTitle(source: Mentions, { parts, around }: Slot, used: Used): string | null {
  const quoted = next(source, source.quotes, used);
  if (quoted !== null) return quoted.text;
  for (const [, phrase = ''] of [...source.text.matchAll(phrasePattern)].slice(0, 8)) {
    const words = phrase.trim().split(/\s+/);
    const stop = words.findIndex((word) => stopWords.has(word.toLowerCase()) || ending.test(word));
    const kept = stop === -1 ? words : words.slice(0, stop);
    // `an event called …` names the sort of thing, not the thing.
    const says = kept.filter(
      (word) => !parts.includes(word.toLowerCase()) && !around.has(stem(word.toLowerCase())),
    );
    if (says.length > 0) return inTitleCase(kept.slice(0, 5).join(' '));
  }
  return next(source, source.names, used)?.text ?? null;
}

const ending = /^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|called|named|titled|saying)$/i;
const iAmPattern = /\b(?:I am|I'm|I’m)\s+(?:an?|the)\s+(\p{L}{2,30})/iu;
const adverbs = new Set(['very', 'really', 'big', 'huge']);

function findOther(source: Mentions, { name, parts }: Slot, used: Used): string | null {
  const value = /^\s*(?:to|of|as|for)\s+([\p{L}\p{N}]{1,40})/u;
  const at = parts.length === 0 ? -1 : wordAt(source.text, parts.join(' '));
  const after = at < 0 ? undefined : value.exec(source.text.slice(at + name.length))?.[1];
  if (after !== undefined && !stopWords.has(after.toLowerCase())) return after;
  const iAm = iAmPattern.exec(source.text)?.[1];
  if (iAm !== undefined && !adverbs.has(iAm.toLowerCase())) return iAm;
  return next(source, source.quotes, used)?.text ?? null;
}

const politeness =
  /^(?:(?:hi|hello|hey|please|can you|could you|would you|will you|i want to|i'd like to|i would like to|i need to|help me)[,!.]?\s+)+/i;
const command =
  /^(?:search(?:\s+the\s+\w+)?|look\s*(?:up|for)?|find|show|tell|get|give|fetch|query|ask|google|check|list|what(?:'s|\s+is|\s+are)|who(?:'s|\s+is)|where\s+is)(?:\s+(?:me|us|out))?(?:\s+(?:for|about|up|on))?\s+/i;

/** What a request is about: without politeness, command and final punctuation. */
function request(text: string): string | null {
  const line = text.replace(/\s+/g, ' ').trim();
  const asked = line
    .replace(politeness, '')
    .replace(command, '')
    .replace(/[.?!\s]+$/, '');
  return (asked === '' ? line : asked) || null;
}

const surroundingsPattern = /\b(?:in|at|for|of)\s+(?:the|my|our)\s+((?:\p{Ll}{2,20}[ \t]?){1,3})/u;

/** `the kitchen` of `in the kitchen`. */
function surroundings(text: string): string | null {
  const words = (surroundingsPattern.exec(text)?.[1] ?? '').trim().split(/\s+/);
  const stop = words.findIndex((word) => stopWords.has(word));
  return (stop === -1 ? words : words.slice(0, stop)).join(' ') || null;
}

/** The longest words of a text that say what it is about; its last resort. */
function topic(text: string): string | null {
  const words = wordsOf(text).filter((word) => word.length > 2 && !stopWords.has(word));
  return words.slice(-3).join(' ') || null;
}
