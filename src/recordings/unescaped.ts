/** A text without its escapes, and where what it says stands in the text. */
import type { Edit } from './edits.ts';

const inJson = /\\(?:u([\da-f]{4})|([\s\S]))/gi;
const inJsonOrAddresses = /\\(?:u([\da-f]{4})|(["\\/bfnrt]))|%([\da-f]{2})/gi;
const controls: Record<string, string> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };

/** Of the parts of a match: the code of `\\uXXXX`, the sign behind another backslash, the byte of `%XX`. */
type Decode = (all: string, code?: string, sign?: string, byte?: string) => string;

const ofCode = (hex: string): string => String.fromCharCode(Number.parseInt(hex, 16));
const unit: Decode = (_, code, sign = '') => (code === undefined ? (controls[sign] ?? sign) : ofCode(code));
/** Byte for byte, as the text around is. */
const bytes: Decode = (_, code, sign = '', byte) => {
  if (byte !== undefined) return ofCode(byte);
  if (code === undefined) return controls[sign] ?? sign;
  return Buffer.from(ofCode(code).toWellFormed()).toString('latin1');
};

export class Unescaped {
  readonly says: string;
  readonly #text: string;
  readonly #pattern: RegExp;
  readonly #decode: Decode;

  private constructor(text: string, pattern: RegExp, decode: Decode) {
    this.#text = text;
    this.#pattern = pattern;
    this.#decode = decode;
    this.says = text.replace(pattern, decode);
  }

  /** What a string of JSON says, whether or not it is whole. */
  static ofJson(raw: string): Unescaped {
    return new Unescaped(raw, inJson, unit);
  }

  /** What is escaped in one way or the other; null where nothing is. */
  static ofAny(text: string): Unescaped | null {
    if (!text.includes('\\') && !text.includes('%')) return null;
    const made = new Unescaped(text, inJsonOrAddresses, bytes);
    return made.says.length === text.length ? null : made;
  }

  /** What is to be edited in what it says, as edits of the text. */
  inText(edits: readonly Edit[]): Edit[] {
    const places = this.#places(edits.flatMap(({ start, end }) => [start, end - 1]));
    return edits.map(({ start, end, text }) => ({
      start: places.get(start)?.[0] ?? 0,
      end: places.get(end - 1)?.[1] ?? 0,
      text,
    }));
  }

  #places(wanted: number[]): Map<number, [start: number, end: number]> {
    const places = new Map<number, [number, number]>();
    if (wanted.length === 0) return places;
    const escapes = this.#text.matchAll(this.#pattern);
    let passed = escapes.next().value;
    /** How far both have been read, to behind the last escape. */
    let said = 0;
    let read = 0;
    for (const at of wanted.toSorted((a, b) => a - b)) {
      for (; passed !== undefined; passed = escapes.next().value) {
        const from = said + passed.index - read;
        const to = from + this.#decode(...(passed as unknown as Parameters<Decode>)).length;
        if (at < to) break;
        said = to;
        read = passed.index + passed[0].length;
      }
      const isEscape = passed !== undefined && at >= said + passed.index - read;
      places.set(
        at,
        isEscape && passed !== undefined
          ? [passed.index, passed.index + passed[0].length]
          : [read + at - said, read + at - said + 1],
      );
    }
    return places;
  }
}
