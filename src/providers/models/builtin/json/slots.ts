import { nameParts, stem, wordsOf } from '../vocabulary.ts';
import { wantsProgram } from './find-program.ts';

/** A place in a schema that wants a value, and what its name and description say of it. */
export interface Slot {
  name: string;
  parts: string[];
  stems: Set<string>;
  description: string;
  /** Stems of the names around it: the schema's, the parent field's. */
  around: Set<string>;
}

/** Sorts of texts, by what is looked for. */
export type SlotKind =
  | 'program'
  | 'email'
  | 'url'
  | 'phone'
  | 'date'
  | 'time'
  | 'expression'
  | 'code'
  | 'symbol'
  | 'currency'
  | 'language'
  | 'place'
  | 'person'
  | 'query'
  | 'content'
  | 'title'
  | 'answer'
  | 'other';

const kinds: [SlotKind, string][] = [
  ['email', 'email mail'],
  ['url', 'url uri link website webpage homepage'],
  ['phone', 'phone telephone mobile fax'],
  ['expression', 'expression equation formula'],
  ['symbol', 'symbol ticker'],
  ['currency', 'currency'],
  ['language', 'language lang'],
  ['date', 'date day deadline due birthday birthdate dob checkin checkout'],
  ['time', 'time hour'],
  ['code', 'id code number sku zip zipcode postcode postal isbn reference key'],
  [
    'place',
    'city location place country state region town address destination origin venue capital departure arrival',
  ],
  ['query', 'query search keyword keywords question q prompt term'],
  ['content', 'message text body content note comment sentence paragraph input document'],
  [
    'answer',
    'answer summary response explanation reason reasoning result description output reply analysis conclusion thought rationale joke poem story advice recommendation fact detail',
  ],
  [
    'person',
    'person people participant attendee author customer guest contact employee recipient user username owner ' +
      'assignee student patient member host speaker player friend sender invitee firstname lastname fullname surname',
  ],
  [
    'title',
    'name title event subject topic product item task company organization label headline theme category',
  ],
];

const kindOfStem = new Map(
  kinds.flatMap(([kind, words]) => words.split(' ').map((word): [string, SlotKind] => [stem(word), kind])),
);
const personStems = new Set((kinds.find(([kind]) => kind === 'person')?.[1] ?? '').split(' ').map(stem));
const fewWords = 12;

export function slotOf(name: string, description: unknown, around: Set<string>): Slot {
  const parts = nameParts(name).slice(0, 8);
  return {
    name,
    parts,
    stems: new Set(parts.map(stem)),
    description: typeof description === 'string' ? description.slice(0, 500) : '',
    around,
  };
}

export function kindOf(slot: Slot): SlotKind {
  if (wantsProgram(slot)) return 'program';
  const named = namedKind(slot);
  if (named !== null) return named;
  // Only a short description is about the thing itself.
  const words = wordsOf(slot.description);
  if (words.length > fewWords) return 'other';
  for (const word of words) {
    const kind = kindOfStem.get(stem(word));
    if (kind !== undefined && kind !== 'title' && kind !== 'content' && kind !== 'code') return kind;
  }
  return 'other';
}

function namedKind({ parts, stems, around }: Slot): SlotKind | null {
  if (parts.includes('name') && !stems.has(stem('event')) && !stems.has(stem('product'))) {
    const others = parts.filter((part) => part !== 'name').map((part) => kindOfStem.get(stem(part)));
    const other = others.find((kind) => kind !== undefined);
    if (other !== undefined) return other;
    if (parts.some((part) => ['first', 'last', 'full', 'given', 'family'].includes(part))) return 'person';
    return [...around].some((each) => personStems.has(each)) ? 'person' : 'title';
  }
  if (parts.length === 1 && (parts[0] === 'from' || parts[0] === 'to')) {
    return around.has(stem('email')) || around.has(stem('mail')) ? 'email' : 'place';
  }
  // The last word of a name is its noun: `event_date`, `city_code`.
  for (const part of parts.toReversed()) {
    const kind = kindOfStem.get(stem(part));
    if (kind !== undefined) return kind;
  }
  return null;
}

/** How plainly a kind is told from a text; plain ones take their values first. */
export const plainness = (kind: SlotKind): number => order.indexOf(kind);

const order: SlotKind[] = [
  'program',
  'email',
  'url',
  'phone',
  'date',
  'time',
  'expression',
  'code',
  'symbol',
  'currency',
  'language',
  'place',
  'person',
  'query',
  'content',
  'title',
  'other',
  'answer',
];
