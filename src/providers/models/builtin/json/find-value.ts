import { stem, wordsOf } from '../vocabulary.ts';
import { type Evidence, plainName } from './evidence.ts';
import { type Used, wordAt } from './find-text.ts';
import type { Mentions } from './mentions.ts';
import { isSchema } from './schema.ts';
import type { Slot } from './slots.ts';

/** The value of the slot's name in JSON among the texts; undefined when there is none. */
export const namedValue = (slot: Slot, evidence: Evidence): unknown =>
  evidence.values.get(plainName(slot.name));

const moneyStems = new Set('price cost amount budget total fee salary'.split(' ').map(stem));
const countedAs: Record<string, string> = {
  age: 'year old',
  party: 'people person guest table',
  guest: 'people person',
  passenger: 'people person',
  people: 'person guest',
  quantity: 'piece item unit',
  duration: 'minute hour second day',
  limit: 'top first result',
  result: 'top first',
  top: 'best first',
  temperature: 'degree celsius fahrenheit °',
  percent: '%',
  percentage: '%',
  distance: 'km kilometer mile meter',
};
const countedStems = new Map(
  Object.entries(countedAs).map(([word, others]) => [stem(word), others.split(' ').map(stem)]),
);
const nearby = 40;

export interface FoundNumber {
  amount: number;
  /** Whether the text says it of this field, so that an optional one may be filled with it. */
  certain: boolean;
}

/** The number beside the slot's name or unit, else the first that no other field has taken. */
export function findNumber(slot: Slot, evidence: Evidence, used: Used): FoundNumber | null {
  const wanted = new Set([...slot.stems].flatMap((each) => [each, ...(countedStems.get(each) ?? [])]));
  for (const source of evidence.sources) {
    const taken = used.get(source) ?? new Set();
    const free = source.numbers.filter(({ at }) => !taken.has(at));
    const said =
      free.find((number) => isNear(source, number, wanted)) ??
      ([...wanted].some((each) => moneyStems.has(each))
        ? free.find(({ text, at, end }) => text.startsWith('$') || isMoney(source.text, at, end))
        : undefined);
    const number = said ?? free[0];
    if (number === undefined) continue;
    used.set(source, taken.add(number.at));
    return { amount: number.amount, certain: said !== undefined };
  }
  return null;
}

function isNear({ text }: Mentions, { at, end }: { at: number; end: number }, wanted: Set<string>): boolean {
  const after = text.slice(end, end + nearby).split(/[.,;!?\n]|\band\b/, 1)[0] ?? '';
  const before =
    text
      .slice(Math.max(0, at - nearby), at)
      .split(/[.;!?\n]|\band\b|\d/)
      .at(-1) ?? '';
  if (/^\s*%/.test(after) && wanted.has('%')) return true;
  if (/^\s*°/.test(after) && wanted.has('°')) return true;
  return [...wordsOf(after).slice(0, 2), ...wordsOf(before).slice(-3)].some((word) => wanted.has(stem(word)));
}

const isMoney = (text: string, at: number, end: number): boolean =>
  /[$€£]\s?$/.test(text.slice(Math.max(0, at - 2), at)) ||
  /^\s?(?:dollars?|euros?|pounds?|bucks|USD|EUR|€|£)/i.test(text.slice(end, end + 8));

const negation = /\b(?:no|not|without|never|exclud\w*|disabl\w*|off|stop|\w+n['’]t)\W+(?:\w+\W+){0,2}$/i;
const auxiliaries = new Set(
  'is are has have include should can enable allow need want with use do require make'.split(' ').map(stem),
);

/** Whether the text speaks of what the slot names, and does so without denying it; null when it does not speak of it. */
export function findBoolean(slot: Slot, evidence: Evidence): boolean | null {
  const stems = [...slot.stems].filter((each) => !auxiliaries.has(each));
  for (const { text } of evidence.sources) {
    if (stems.some((each) => each === 'on' || each === 'stat' || each === 'power') || stems.length === 0) {
      const turned = /\b(?:turn|switch|power)(?:ed)?\s+(?:\S+\s+){0,4}?(on|off)\b/i.exec(text)?.[1];
      if (turned !== undefined) return turned.toLowerCase() === 'on';
    }
    const said = text.matchAll(/[\p{L}\p{N}]+/gu).find((word) => stems.includes(stem(word[0].toLowerCase())));
    if (said !== undefined) return !negation.test(text.slice(Math.max(0, said.index - nearby), said.index));
  }
  return null;
}

const good =
  'good great love loved excellent amazing awesome happy wonderful fantastic best perfect like liked enjoy enjoyed nice pleased delighted thanks';
const bad =
  'bad terrible hate hated awful horrible worst poor broken disappointed disappointing angry sad slow annoying unhappy useless refund wrong';
const goodStems = new Set(good.split(' ').map(stem));
const badStems = new Set(bad.split(' ').map(stem));
const nicknames: Record<string, string> = {
  c: 'celsius',
  f: 'fahrenheit',
};

/** Which of `values` the text names; null when none. */
export function findOption(slot: Slot, values: unknown[], evidence: Evidence): { at: number } | null {
  const named = namedValue(slot, evidence);
  const exact = named === undefined ? -1 : values.indexOf(named);
  if (exact >= 0) return { at: exact };
  const ranked = values
    .map((value, at) => ({
      at,
      words: isSchema(value) || Array.isArray(value) ? '' : String(value).replace(/[_-]/g, ' '),
    }))
    .filter(({ words }) => words !== '')
    .sort((left, right) => right.words.length - left.words.length || left.at - right.at);
  for (const { text } of evidence.sources) {
    const present = new Set(wordsOf(text).map(stem));
    for (const { at, words } of ranked) {
      if (/^(?:c|f|celsius|fahrenheit)$/i.test(words) && isDegree(text, words)) return { at };
      if (words.length === 1 && /[a-z]/i.test(words)) {
        // A lone letter stands in many texts and means itself in few.
        const meant = nicknames[words.toLowerCase()];
        if (meant !== undefined && wordAt(text, meant) >= 0) return { at };
      } else if (wordAt(text, words) >= 0 || allStems(words, present)) return { at };
    }
    const felt = feeling(text, values);
    if (felt >= 0) return { at: felt };
  }
  return null;
}

const isDegree = (text: string, unit: string): boolean =>
  new RegExp(`(?:°|\\bdegrees? )${unit.charAt(0)}\\b`, 'i').test(text);

function allStems(words: string, present: Set<string>): boolean {
  const wanted = wordsOf(words).map(stem);
  return wanted.length > 0 && wanted.every((each) => each.length > 2 && present.has(each));
}

/** Which of `positive`, `negative` and `neutral` fits, where they are the choice. */
function feeling(text: string, values: unknown[]): number {
  const names = values.map((value) => (typeof value === 'string' ? value.toLowerCase() : ''));
  if (!names.includes('positive') || !names.includes('negative')) return -1;
  const words = wordsOf(text);
  let balance = 0;
  for (const [at, word] of words.entries()) {
    const sign = goodStems.has(stem(word)) ? 1 : badStems.has(stem(word)) ? -1 : 0;
    const before = words.slice(Math.max(0, at - 2), at);
    balance += before.some((each) => each === 'not' || each === 'never' || each === 't') ? -sign : sign;
  }
  return names.indexOf(balance > 0 ? 'positive' : balance < 0 ? 'negative' : 'neutral');
}
