import { isRecord } from '../../../kit/record.ts';
import { toolFailure } from '../tool-failure.ts';

export type ParameterPlace = 'path' | 'query' | 'header' | 'cookie';

export type ParameterStyle =
  | 'matrix'
  | 'label'
  | 'simple'
  | 'form'
  | 'spaceDelimited'
  | 'pipeDelimited'
  | 'deepObject';

/** How the value of a parameter is written, by OpenAPI's rules. */
export interface ParameterForm {
  name: string;
  style: ParameterStyle;
  explode: boolean;
  /** Query only: reserved characters stay as they are, but for those that would end the value. */
  allowReserved: boolean;
  /** The value is JSON text, whatever the style. */
  json: boolean;
}

export const stylesByPlace: Record<ParameterPlace, readonly ParameterStyle[]> = {
  path: ['simple', 'label', 'matrix'],
  query: ['form', 'spaceDelimited', 'pipeDelimited', 'deepObject'],
  header: ['simple'],
  cookie: ['form'],
};

type Encode = (text: string) => string;

const encode: Encode = (text) => encodeURIComponent(wellFormed(text)).replace(/[!'()*]/g, percent);
const percent = (character: string): string =>
  `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
const asIs: Encode = (text) => text;

const reserved: Encode = (text) =>
  encodeURIComponent(wellFormed(text)).replace(/%(?:3A|2F|3F|5B|5D|40|24|2C|3B|3D)/g, decodeURIComponent);

const wellFormed = (text: string): string => text.toWellFormed();

/** What stands in the path for `{name}`. */
export function pathText(form: ParameterForm, value: unknown): string {
  const text = expanded(form, value, encode);
  if (isDotSegment(text)) throw toolFailure(`The value of '${form.name}' can't stand in a path.`);
  return text;
}

/** Dots alone would lead to another path, percent-encoded or not. */
export const isDotSegment = (text: string): boolean => /^(?:\.|%2e){1,2}$/i.test(text);

export const headerText = (form: ParameterForm, value: unknown): string => expanded(form, value, asIs);

/** Pairs `name=value`, each encoded, for a query or a cookie. */
export function pairs(form: ParameterForm, value: unknown): string[] {
  const { name, style, explode } = form;
  const write = form.allowReserved ? reserved : encode;
  const pair = (key: string, text: string): string => `${encode(key)}=${text}`;
  if (form.json) return [pair(name, write(JSON.stringify(value)))];
  if (style === 'deepObject') return deepPairs(name, value, write, 0);
  const separator = { spaceDelimited: '%20', pipeDelimited: '%7C' }[style as string] ?? ',';
  if (Array.isArray(value)) {
    return explode
      ? value.map((one) => pair(name, write(plain(one))))
      : [pair(name, value.map((one) => write(plain(one))).join(separator))];
  }
  if (isRecord(value)) {
    const entries = Object.entries(value);
    return explode
      ? entries.map(([key, one]) => pair(key, write(plain(one))))
      : [pair(name, entries.flatMap(([key, one]) => [write(key), write(plain(one))]).join(separator))];
  }
  return [pair(name, write(plain(value)))];
}

const deepest = 8;

function deepPairs(name: string, value: unknown, write: Encode, depth: number): string[] {
  if (depth === deepest) throw toolFailure(`The value of '${name}' is nested too deep for a query.`);
  if (isRecord(value)) {
    return Object.entries(value).flatMap(([key, one]) => deepPairs(`${name}[${key}]`, one, write, depth + 1));
  }
  const values = Array.isArray(value) ? value : [value];
  return values.map((one) => `${encode(name)}=${write(plain(one))}`);
}

/** `simple`, `label` and `matrix`, the styles of RFC 6570. */
function expanded({ name, style, explode, json }: ParameterForm, value: unknown, write: Encode): string {
  if (json) return write(JSON.stringify(value));
  const parts = Array.isArray(value)
    ? value.map((one) => write(plain(one)))
    : isRecord(value)
      ? Object.entries(value).flatMap(([key, one]) =>
          explode ? [`${write(key)}=${write(plain(one))}`] : [write(key), write(plain(one))],
        )
      : [write(plain(value))];
  if (style === 'label') return `.${parts.join(explode ? '.' : ',')}`;
  if (style !== 'matrix') return parts.join(',');
  const named = (text: string): string => (text === '' ? `;${write(name)}` : `;${write(name)}=${text}`);
  if (!explode) return named(parts.join(','));
  return isRecord(value) ? parts.map((part) => `;${part}`).join('') : parts.map(named).join('');
}

export function plain(value: unknown): string {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
