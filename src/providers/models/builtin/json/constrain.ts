import { matches, parsePattern, sampleOf } from './pattern.ts';
import { listOf, type Schema } from './schema.ts';

const longestText = 20_000;

const finite = (value: unknown): number | null =>
  typeof value === 'number' && Number.isFinite(value) ? value : null;

/** The number nearest to `wanted` that the schema's bounds and steps allow, where there is one. */
export function constrainedNumber(wanted: number, schema: Schema, integer: boolean): number {
  const step = Math.abs(finite(schema.multipleOf) ?? 0);
  const whole = step === 0 && integer ? 1 : step;
  const over = finite(schema.exclusiveMinimum);
  const under = finite(schema.exclusiveMaximum);
  const least = Math.max(finite(schema.minimum) ?? -Infinity, over ?? -Infinity);
  const most = Math.min(finite(schema.maximum) ?? Infinity, under ?? Infinity);
  const inside = (value: number): boolean =>
    value >= least && value <= most && value !== over && value !== under;
  let value = Math.min(Math.max(wanted, least), most);
  if (whole > 0) {
    // With both, only common multiples will do: try a few multiples for a whole one.
    const low = Math.ceil(Math.max(least, -Number.MAX_SAFE_INTEGER) / whole);
    for (const start of [Math.round(value / whole), low]) {
      for (let offset = 0; offset <= 64; offset++) {
        for (const multiple of [start + offset, start - offset]) {
          const candidate = rounded(multiple * whole);
          if (inside(candidate) && (!integer || Number.isInteger(candidate))) return candidate;
        }
      }
    }
    return rounded(Math.round(value / whole) * whole);
  }
  if (!inside(value)) {
    if (Number.isFinite(least) && Number.isFinite(most)) value = least + (most - least) / 2;
    else value = value === over ? value + 1 : value - 1;
  }
  return value;
}

/** Without the dust of binary fractions: 3 × 0.1 is 0.3. */
const rounded = (value: number): number => (Number.isInteger(value) ? value : Number(value.toPrecision(12)));

/** Texts that are right by their form, for when the input gives none. */
const plainForms: Record<string, string> = {
  date: '2026-01-01',
  time: '09:00:00Z',
  'date-time': '2026-01-01T09:00:00Z',
  duration: 'PT1H',
  email: 'user@example.com',
  'idn-email': 'user@example.com',
  hostname: 'example.com',
  'idn-hostname': 'example.com',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
  uri: 'https://example.com/',
  'uri-reference': 'https://example.com/',
  'uri-template': 'https://example.com/',
  iri: 'https://example.com/',
  'iri-reference': 'https://example.com/',
  uuid: '00000000-0000-4000-8000-000000000000',
  'json-pointer': '/',
  'relative-json-pointer': '0',
  regex: '.*',
  byte: 'AA==',
};

const formTests: Record<string, RegExp> = {
  date: /^\d{4}-\d\d-\d\d$/,
  time: /^\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/,
  'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/,
  duration: /^P(?=\d|T\d)(?:\d+Y)?(?:\d+M)?(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?$/,
  email: /^[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,5}$/,
  hostname: /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?){0,8}$/i,
  ipv4: /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/,
  uri: /^[a-z][a-z\d+.-]{0,20}:\/\/[^\s"<>\\^`{|}]{1,2000}$/i,
  uuid: /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/i,
};

const defaultText = 'unknown';

/** Whether `text` fits the schema's own words about texts. Formats not known here fit only their plain form. */
export function fitsText(text: string, schema: Schema): boolean {
  const length = [...text].length;
  if (length < (finite(schema.minLength) ?? 0) || length > (finite(schema.maxLength) ?? Infinity))
    return false;
  const { pattern, format } = schema;
  if (typeof format === 'string' && Object.hasOwn(plainForms, format) && text !== plainForms[format]) {
    const test = Object.hasOwn(formTests, format) ? formTests[format] : undefined;
    if (test?.test(text) !== true) return false;
  }
  if (typeof pattern !== 'string') return true;
  const tree = parsePattern(pattern);
  return tree !== null && matches(tree, text);
}

/** A text that fits the schema: `wanted` as it is, or made to fit, or else another one. */
export function constrainedText(
  wanted: string | null,
  schema: Schema,
  words: string[],
  variant: number,
): { text: string; kept: boolean } {
  const most = Math.min(finite(schema.maxLength) ?? longestText, longestText);
  const least = finite(schema.minLength) ?? 0;
  if (wanted !== null) {
    for (const form of [wanted, ...reshaped(wanted, schema), ...pieces(wanted), ...words]) {
      if (form !== '' && fitsText(form, schema)) return { text: form, kept: true };
    }
    const cut = [...wanted].slice(0, most).join('').trim();
    if (fitsText(cut, schema)) return { text: cut, kept: true };
  }
  const example = listOf(schema.examples).find((each) => typeof each === 'string');
  for (const candidate of [schema.default, example]) {
    if (typeof candidate === 'string' && fitsText(candidate, schema)) return { text: candidate, kept: false };
  }
  if (typeof schema.pattern === 'string') {
    for (const word of words) if (fitsText(word, schema)) return { text: word, kept: true };
    const sample = patternSample(schema.pattern, schema, least, most, variant);
    if (sample !== null) return { text: sample, kept: false };
  }
  const form = typeof schema.format === 'string' && Object.hasOwn(plainForms, schema.format);
  const plain = form ? (plainForms[schema.format as string] ?? '') : defaultText;
  const padded = form ? plain : plain.padEnd(Math.min(least, longestText), '.');
  return { text: form ? plain : padded.slice(0, Math.max(most, 0)), kept: false };
}

/** Dates and times as their formats want them, addresses as mail writes them. */
function reshaped(text: string, { format }: Schema): string[] {
  if (format === 'date-time') {
    const [date, time] = text.split(/[T ]/);
    return [`${date}T${time ?? '09:00'}:00Z`, `${date}T09:00:00Z`];
  }
  if (format === 'time') return [`${text}:00Z`, `${text}Z`];
  return [];
}

const pieces = (text: string): string[] => text.split(/[\s,;()"']+/).slice(0, 50);

function patternSample(
  source: string,
  schema: Schema,
  least: number,
  most: number,
  variant: number,
): string | null {
  const pattern = parsePattern(source);
  if (pattern === null) return null;
  for (const extra of [0, 1, 2, 3, 5, 7, 8, 11, 12, 16, 31, 63, least]) {
    for (let option = 0; option < 4; option++) {
      const sample = sampleOf(pattern, extra, option + variant, most);
      if (sample !== null && fitsText(sample, schema)) return sample;
      // What is not anchored may be followed by anything.
      const padded = sample?.padEnd(least, sample.at(-1) ?? 'a');
      if (padded !== undefined && padded.length <= longestText && fitsText(padded, schema)) return padded;
    }
  }
  return null;
}
