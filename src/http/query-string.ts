import { parse } from 'node:querystring';
import { isRecord } from '../kit/record.ts';

const mostParameters = 200;
/** Most requests have just `api-version=v1`, which needs no decoding. */
const plainPair = /^[\w.-]{1,64}=[\w.-]{0,256}$/;
const bracketed = /^([^[\]]+)\[([^[\]]*)\]$/;

/**
 * Query strings as the SDKs write them: `include[]=a&include[]=b` and `include[0]=a` are arrays, `metadata[k]=v` is
 * an object, a repeated name is an array, anything else is text.
 */
export function parseQueryString(text: string): Record<string, unknown> {
  if (text === '') return {};
  if (plainPair.test(text)) {
    const at = text.indexOf('=');
    return { [text.slice(0, at)]: text.slice(at + 1) };
  }
  const flat = parse(text, '&', '=', { maxKeys: mostParameters });
  if (!text.includes('[') && !text.includes('%5B') && !text.includes('%5b')) return flat;
  const query: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(flat)) {
    const [, base, inner] = bracketed.exec(name) ?? [];
    if (base === undefined || inner === undefined || base === '__proto__') query[name] = value;
    else if (/^\d*$/.test(inner)) query[base] = asArray(query[base]).concat(value as string | string[]);
    else query[base] = { ...(asObject(query[base]) ?? {}), [inner]: value };
  }
  return query;
}

const asArray = (value: unknown): unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

const asObject = (value: unknown): object | null => (isRecord(value) ? value : null);
