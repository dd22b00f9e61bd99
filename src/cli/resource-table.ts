/** Elements of a list as lines for people. */
import { inColumns } from './in-columns.ts';
import { plainText } from './plain-text.ts';

const widest = 60;

/** Columns that no element has a value for are left away. */
export function table(elements: unknown[], columns: Record<string, string>): string {
  if (elements.length === 0) return 'There are none.';
  const rows = elements.map((element) => Object.values(columns).map((places) => cell(element, places)));
  const kept = Object.keys(columns).flatMap((_, at) => (rows.some((row) => row[at] !== '') ? [at] : []));
  const headings = Object.keys(columns);
  return inColumns([headings, ...rows].map((row) => kept.map((at) => row[at] ?? '')));
}

function cell(element: unknown, places: string): string {
  for (const place of places.split('|')) {
    const value = valueAt(element, place);
    if (value === undefined || value === null) continue;
    if (place === 'created_at' && typeof value === 'number') return new Date(value * 1000).toISOString();
    const text = plainText(typeof value === 'object' ? JSON.stringify(value) : String(value)).replace(
      /\s+/g,
      ' ',
    );
    return text.length > widest ? `${text.slice(0, widest - 1)}…` : text;
  }
  return '';
}

function valueAt(element: unknown, place: string): unknown {
  let at: unknown = element;
  for (const key of place.split('.')) {
    if (typeof at !== 'object' || at === null || !Object.hasOwn(at, key)) return undefined;
    at = (at as Record<string, unknown>)[key];
  }
  return at;
}
