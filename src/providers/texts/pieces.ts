/**
 * Text in the pieces that the tokenizer takes for itself: a word with the blank before it, a run of signs, a line's
 * end. It merges nothing across them, so that the tokens of a text are the sum of its pieces', each of which has to
 * be counted only once.
 */

import { endianness } from 'node:os';
import { createKnownParts, hashedOn, hashSeed, longestKnown } from './known-parts.ts';

/** How many tokens a text has, whatever is in it. */
export type CountTokens = (text: string) => number;

export interface Piece {
  /** Where it ends, in UTF-16 code units from the beginning of the text. */
  end: number;
  tokens: number;
  /**
   * Whether it is only a part of a run that is too long to be counted whole. Its count, and those after it, hold only
   * if the text is cut here.
   */
  cut: boolean;
}

/** The tokenizer's time grows with the square of an unbroken run's length. */
export const longestPiece = 256;
/** What is looked at in one go: expressions need memory for what they may have to take back. */
const windowLength = 4096;

export interface Tokenizer {
  /** Finds the next piece of a text. */
  expression: RegExp;
  count: CountTokens;
  /** The same for a part of a window; it knows those again that have been counted before. */
  countPart(window: Window, start: number, end: number): number;
}

const isLittleEndian = endianness() === 'LE';

/** A part of a text, and its UTF-16 code units: numbers in an array are there at once, those of a string are not. */
class Window {
  text = '';
  /** A zero follows them. */
  readonly units: Uint16Array;
  readonly #bytes: Buffer;

  constructor(length: number) {
    this.units = new Uint16Array(length + 1);
    this.#bytes = Buffer.from(this.units.buffer);
  }

  show(text: string): void {
    this.text = text;
    // Copied at once where a processor has its numbers as UTF-16LE has them.
    if (isLittleEndian) this.#bytes.write(text, 'utf16le');
    else for (let at = 0; at < text.length; at++) this.units[at] = text.charCodeAt(at);
    this.units[text.length] = 0;
  }
}

export function rememberingTokenizer(
  expression: RegExp,
  count: CountTokens,
  slots: 65_536 | 131_072,
): Tokenizer {
  const known = createKnownParts('pairs of bytes', slots);

  const countPart: Tokenizer['countPart'] = ({ text, units }, start, end) => {
    if (end - start > longestKnown) return count(text.slice(start, end));
    let hash = hashSeed;
    for (let at = start; at < end; at++) hash = hashedOn(hash, units[at] as number);
    const tokens = known.find(units, start, end, hash);
    if (tokens >= 0) return tokens;
    const counted = count(text.slice(start, end));
    known.note(units, start, end, hash, counted);
    return counted;
  };

  return { expression, count, countPart };
}

/** Reads the pieces of a text from a place on, one with each call; null at the end. The piece is valid until the next. */
export function pieceReader(text: string, start: number, tokenizer: Tokenizer): () => Piece | null {
  const next = new RegExp(tokenizer.expression.source, 'yu');
  const piece: Piece = { end: start, tokens: 0, cut: false };
  const window = new Window(Math.min(windowLength, text.length - start));
  window.show(text.slice(start, start + windowLength));
  let from = start;
  let at = 0;

  const piecedOff = (end: number, cut: boolean): Piece => {
    piece.end = from + end;
    piece.tokens = tokenizer.countPart(window, at, end);
    piece.cut = cut;
    at = end;
    return piece;
  };

  return () => {
    while (from + at < text.length) {
      let end = endOfWord(window.units, at, window.text.length);
      if (end > 0) return piecedOff(end, false);
      next.lastIndex = at;
      end = at < window.text.length && next.test(window.text) ? next.lastIndex : at + 1;
      const whole = from + window.text.length === text.length;
      // What ends this long before the window does ends there in the whole text: what could still belong to it is white
      // space up to a line's end, and so much of that is a run which is cut before it.
      const unsure = !whole && end + longestPiece > window.text.length;
      if (unsure && at > 0) {
        from += at;
        at = 0;
        window.show(text.slice(from, from + windowLength));
        continue;
      }
      const cut = unsure || end - at > longestPiece;
      if (cut) end = at + longestPiece - (splitsPair(window.text, at + longestPiece) ? 1 : 0);
      return piecedOff(end, cut);
    }
    return null;
  };
}

const space = 0x20;
export const lineFeed = 0x0a;
export const carriageReturn = 0x0d;
const apostrophe = 0x27;
const isCapital = (code: number): boolean => code >= 0x41 && code <= 0x5a;
const isSmall = (code: number): boolean => code >= 0x61 && code <= 0x7a;

/**
 * Where a plain English word ends that may follow a blank and may begin with a capital; 0 where there is none, or
 * where what follows could belong to it. Most pieces are such words, and the expression takes longer to find them.
 */
function endOfWord(units: Uint16Array, start: number, length: number): number {
  let at = start;
  let code = units[at] as number;
  if (code === space) code = units[++at] as number;
  if (isCapital(code)) code = units[++at] as number;
  const small = at;
  while (isSmall(code)) code = units[++at] as number;
  if (at === small || at - start > longestKnown) return 0;
  return at !== length && code < 0x80 && code !== apostrophe && !isCapital(code) ? at : 0;
}

export function isBlank(code: number): boolean {
  if (code <= space) return code === space || (code >= 0x09 && code <= 0x0d);
  return code >= 0x80 && /\s/.test(String.fromCharCode(code));
}

/** Whether a place is in the middle of a character of two units. */
export function splitsPair(text: string, at: number): boolean {
  const before = text.charCodeAt(at - 1);
  const after = text.charCodeAt(at);
  return before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000;
}
