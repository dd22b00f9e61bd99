/** A place in a text, and what is meant there. */
export interface Mention {
  text: string;
  at: number;
  end: number;
}

const months = 'january february march april may june july august september october november december'.split(
  ' ',
);
const days = 'monday tuesday wednesday thursday friday saturday sunday'.split(' ');
const month = `(?:${months.map((name) => `${name.slice(0, 3)}(?:${name.slice(3)})?`).join('|')}|sept)\\.?`;
const datePatterns = [
  /\b(?<year>\d{4})-(?<month>\d{2})-(?<day>\d{2})\b/g,
  new RegExp(`\\b(?<name>${month})\\s+(?<day>\\d{1,2})(?:st|nd|rd|th)?(?:,?\\s+(?<year>\\d{4}))?\\b`, 'gi'),
  new RegExp(
    `\\b(?<day>\\d{1,2})(?:st|nd|rd|th|\\.)?\\s+(?:of\\s+)?(?<name>${month})(?:,?\\s+(?<year>\\d{4}))?\\b`,
    'gi',
  ),
  /\b(?<month>\d{1,2})\/(?<day>\d{1,2})\/(?<year>\d{4})\b/g,
];
const relativePattern = new RegExp(
  `\\b(?:today|tonight|tomorrow|yesterday|(?:this|next|last)\\s+(?:week|month|year|weekend|${days.join('|')})|${days.join('|')})\\b`,
  'gi',
);
const timePattern =
  /\b(?:(\d{1,2})(?::(\d{2}))?\s?([ap])\.?m\b\.?|(\d{1,2}):(\d{2})(?::\d{2})?\b|(noon|midnight)\b)/gi;
/** There is no clock here: dates said without a year are taken to lie in this one. */
const assumedYear = 2026;
const most = 32;

/** Dates as `YYYY-MM-DD`; relative ones as they are said. */
export function datesIn(text: string): Mention[] {
  const dates: Mention[] = [];
  for (const pattern of datePatterns) {
    for (const match of text.matchAll(pattern)) {
      const at = match.index;
      const end = at + match[0].length;
      const date = iso(match.groups ?? {});
      if (date === null || dates.length >= most || overlaps(dates, at, end)) continue;
      dates.push({ text: date, at, end });
    }
  }
  for (const match of text.matchAll(relativePattern)) {
    if (dates.length >= most) break;
    dates.push({ text: match[0], at: match.index, end: match.index + match[0].length });
  }
  // `this Friday, November 7` is one date, and its day is the precise one.
  return dates.sort(
    (left, right) => Number(isPrecise(right)) - Number(isPrecise(left)) || left.at - right.at,
  );
}

export const isPrecise = (date: Mention): boolean => /^\d{4}-/.test(date.text);

const overlaps = (dates: Mention[], at: number, end: number): boolean =>
  dates.some((other) => at < other.end && other.at < end);

function iso(parts: Record<string, string | undefined>): string | null {
  const number = parts.name === undefined ? Number(parts.month) : monthNumber(parts.name);
  const day = Number(parts.day);
  const year = Number(parts.year ?? assumedYear);
  const last = new Date(Date.UTC(year, number, 0)).getUTCDate();
  if (year < 1 || number < 1 || number > 12 || day < 1 || day > last) return null;
  return [String(year).padStart(4, '0'), String(number).padStart(2, '0'), String(day).padStart(2, '0')].join(
    '-',
  );
}

const monthNumber = (name: string): number =>
  months.findIndex((each) => each.startsWith(name.slice(0, 3).toLowerCase())) + 1;

/** Times of day as `HH:MM`. */
export function timesIn(text: string): Mention[] {
  const times: Mention[] = [];
  for (const match of text.matchAll(timePattern)) {
    if (times.length >= most) break;
    const [said, hour12, minute12, half, hour24, minute24, word] = match;
    let hour = Number(hour12 ?? hour24 ?? (word?.toLowerCase() === 'noon' ? 12 : 0));
    const minute = Number(minute12 ?? minute24 ?? 0);
    if (half !== undefined) hour = (hour % 12) + (half.toLowerCase() === 'p' ? 12 : 0);
    if (hour > 23 || minute > 59) continue;
    const time = `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`;
    times.push({ text: time, at: match.index, end: match.index + said.length });
  }
  return times;
}

const calendarWords = new Set([...months.filter((name) => name !== 'may'), ...days]);

export const isCalendarWord = (word: string): boolean => calendarWords.has(word);
