import { stem } from '../vocabulary.ts';
import type { Evidence } from './evidence.ts';
import type { Used } from './find-text.ts';
import { findText } from './find-text.ts';
import { kindOf, type Slot } from './slots.ts';

const longest = 50;
const listPattern = /(?:[^,;\n]{1,120}[,;]\s*){1,50}(?:and\s+|or\s+)?[^,;.\n]{1,120}/;
const personal = new Set(['person', 'place', 'language', 'symbol', 'currency']);
const mentionKinds = { email: 'emails', url: 'urls', phone: 'phones', code: 'codes' } as const;

/** Texts for a list: every mention of the slot's kind, else an enumeration such as `eggs, milk and bread`. */
export function findTexts(slot: Slot, evidence: Evidence, used: Used): string[] {
  const kind = kindOf(slot);
  if (kind in mentionKinds) {
    const mentions = mentionKinds[kind as keyof typeof mentionKinds];
    for (const source of evidence.sources) {
      if (source[mentions].length > 0) return texts(source[mentions]);
    }
  }
  for (const source of evidence.sources) {
    const bullets = [...source.text.matchAll(/^[ \t]*(?:[-*•]|\d{1,3}[.)])[ \t]+(\S[^\n]{0,300})$/gm)];
    if (bullets.length > 1) return bullets.slice(0, longest).map(([, item = '']) => item.trim());
    if (kind === 'date' && source.dates.length > 0) return texts(source.dates);
    if (personal.has(kind) && source.names.length > 0) {
      const free = source.names.filter(({ at }) => used.get(source)?.has(at) !== true);
      if (free.length > 0) return texts(free);
    }
    const listed = enumeration(source.text, slot);
    if (listed.length > 1) return listed;
    if (source.quotes.length > 1) return texts(source.quotes);
    if (slot.parts.length > 0 && source.names.length > 1) return texts(source.names);
  }
  const one = findText(slot, evidence, used);
  return one === null || one.text === evidence.answer ? [] : [one.text];
}

const texts = (mentions: { text: string }[]): string[] =>
  [...new Set(mentions.map(({ text }) => text))].slice(0, longest);

/** The items after a colon or the slot's name, else those of the first enumeration. */
function enumeration(text: string, { stems }: Slot): string[] {
  const words = [...text.matchAll(/[\p{L}\p{N}]+/gu)];
  const named = words.find((word) => stems.has(stem(word[0].toLowerCase())));
  const colon = text.indexOf(':');
  const starts = [colon >= 0 ? colon + 1 : -1, named === undefined ? -1 : named.index + named[0].length, 0];
  for (const start of starts) {
    if (start < 0) continue;
    const items = itemsOf(text.slice(start, start + 2000));
    if (items.length > 1) return items;
  }
  return [];
}

const lead =
  /^(?:\s*(?:are|is|include|includes|including|like|such as|of|needs?|with|buy|get|add|have)\s+)+/i;

function itemsOf(text: string): string[] {
  const sentence = text.split(/[.!?\n]/, 1)[0] ?? '';
  const list = listPattern.exec(sentence)?.[0] ?? sentence;
  const items = list
    .replace(lead, '')
    .split(/\s*[,;]\s*(?:and\s+|or\s+)?|\s+and\s+/)
    .map((item) => item.trim())
    .filter((item) => item !== '');
  // Long pieces are clauses, not items.
  return items.every((item) => item.split(' ').length <= 5) ? items.slice(0, longest) : [];
}
