/** Where the strings of JSON stand in a text, so that one can be changed and all else stays as it is, byte for byte. */

export interface JsonString {
  /** Names and places from the outermost value to this one. */
  path: (string | number)[];
  /** Of what is between the quotes. */
  start: number;
  end: number;
  /** The names beside it, where it is a member of an object. */
  beside: ReadonlySet<string>;
}

const deepest = 256;
const space = /[\s]*/y;
const scalar = /[^\s,\]}"[{:]+/y;
const nothing: ReadonlySet<string> = new Set();

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
  function value(beside: ReadonlySet<string>): boolean {
    skip(space);
    const sign = text[at];
    if (sign === '"') {
      const start = at + 1;
      if (!skipString()) return false;
      found.push({ path: [...path], start, end: at - 1, beside });
      return true;
    }
    if (sign !== '{' && sign !== '[') return skip(scalar) !== null;
    if (path.length >= deepest) return false;
    at++;
    return sign === '{' ? members() : elements();
  }

  function members(): boolean {
    const names = new Set<string>();
    if (isNext('}')) return true;
    for (;;) {
      skip(space);
      const start = at + 1;
      if (text[at] !== '"' || !skipString()) return false;
      const plain = decoded(text.slice(start, at - 1));
      if (!isNext(':')) return false;
      names.add(plain);
      path.push(plain);
      if (!value(names)) return false;
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

/** What a string of JSON says. */
export function decoded(raw: string): string {
  if (!raw.includes('\\')) return raw;
  try {
    return JSON.parse(`"${raw}"`) as string;
  } catch {
    return raw;
  }
}

/** The same, each character with the place where it stands in the text. */
export function decodedAt(text: string, from: number, to: number): { says: string; places: number[] } {
  let says = '';
  const places: number[] = [];
  for (let at = from; at < to; ) {
    const length = text[at] !== '\\' ? 1 : text[at + 1] === 'u' ? 6 : 2;
    says += length === 1 ? text[at] : decoded(text.slice(at, at + length)).slice(0, 1);
    places.push(at);
    at += length;
  }
  return { says, places };
}
