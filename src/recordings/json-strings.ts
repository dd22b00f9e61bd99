/** Where the strings of JSON stand in a text, so that one can be changed and all else stays as it is, byte for byte. */
import { Unescaped } from './unescaped.ts';

export interface JsonString {
  /** Names and places from the outermost value to this one. */
  path: (string | number)[];
  /** Of what is between the quotes. */
  start: number;
  end: number;
  /** The members beside it, where it is one of an object: as they stand, if they are short. */
  beside: ReadonlyMap<string, string>;
}

const deepest = 256;
const space = /[\s]*/y;
const scalar = /[^\s,\]}"[{:]+/y;
const longestBeside = 64;
const nothing: ReadonlyMap<string, string> = new Map();

/** The strings of the value that begins at `from`, and where it ends. Of what is no JSON, those up to the fault. */
export function jsonStrings(text: string, from = 0): { strings: JsonString[]; end: number } {
  const found: JsonString[] = [];
  const path: (string | number)[] = [];
  let at = from;

  const skip = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match !== null) at = pattern.lastIndex;
    return match;
  };
  /** Not by a pattern: strings may be as long as a file. */
  const skipString = (): boolean => {
    for (let quote = text.indexOf('"', at + 1); quote !== -1; quote = text.indexOf('"', quote + 1)) {
      let slashes = 0;
      while (text[quote - 1 - slashes] === '\\') slashes++;
      if (slashes % 2 === 0) {
        at = quote + 1;
        return true;
      }
    }
    return false;
  };
  const isNext = (sign: string): boolean => {
    skip(space);
    if (text[at] !== sign) return false;
    at++;
    return true;
  };

  /** Whether the value was whole. */
  function value(beside: ReadonlyMap<string, string>): boolean {
    skip(space);
    const sign = text[at];
    if (sign === '"') {
      const start = at + 1;
      const isWhole = skipString();
      // Of one that is cut off, too, what is there may be a secret.
      if (!isWhole) at = text.length;
      found.push({ path: [...path], start, end: isWhole ? at - 1 : at, beside });
      return isWhole;
    }
    if (sign !== '{' && sign !== '[') return skip(scalar) !== null;
    if (path.length >= deepest) return false;
    at++;
    return sign === '{' ? members() : elements();
  }

  function members(): boolean {
    const names = new Map<string, string>();
    if (isNext('}')) return true;
    for (;;) {
      skip(space);
      const start = at + 1;
      if (text[at] !== '"' || !skipString()) return false;
      const plain = Unescaped.ofJson(text.slice(start, at - 1)).says;
      if (!isNext(':')) return false;
      names.set(plain, '');
      path.push(plain);
      skip(space);
      const from = at;
      if (!value(names)) return false;
      if (at - from <= longestBeside) names.set(plain, text.slice(from, at));
      path.pop();
      if (isNext('}')) return true;
      if (!isNext(',')) return false;
    }
  }

  function elements(): boolean {
    if (isNext(']')) return true;
    for (let i = 0; ; i++) {
      path.push(i);
      if (!value(nothing)) return false;
      path.pop();
      if (isNext(']')) return true;
      if (!isNext(',')) return false;
    }
  }

  value(nothing);
  return { strings: found, end: at };
}
