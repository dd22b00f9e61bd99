import {
  type CountTokens,
  carriageReturn,
  isBlank,
  lineFeed,
  type Piece,
  pieceReader,
  splitsPair,
  type Tokenizer,
} from '../../texts/pieces.ts';
import type { Chunking } from '../documents.ts';

/** A part of a text, in UTF-16 code units. */
export interface Span {
  start: number;
  end: number;
}

/** How good a place is to cut at. At a place that is bad, the tokens of both sides are not those of their pieces. */
const bad = 0;
const inWord = 1;
const word = 2;
const sentence = 3;
const line = 4;
const paragraph = 5;
/** How full, by its new text, a chunk has to be to end at such a place. */
const leastFilled = [1, 0, 0.8, 0.75, 0.6, 0.5];
const leastOfAnyQuality = 0.5;

/** The places a chunk can begin and end at: the first is where it begins, at the others pieces end. */
interface Places {
  at: number[];
  /** Tokens up to there, from a beginning that is the same for all. */
  tokens: number[];
  /** Whether text has to be cut at the last of them, and counted anew. */
  cut: boolean;
}

/**
 * Cuts a text into chunks of at most `maxTokens` tokens, each beginning with at most `overlapTokens` of the one before,
 * at paragraphs, lines, sentences or words where they come at the right time. Together they are the whole text, but
 * for chunks that would be nothing but white space. `maxTokens` of 4 and more hold always: a character has no more.
 */
export function* chunksOf(text: string, chunking: Chunking, tokenizer: Tokenizer): Generator<Span> {
  const { maxTokens, overlapTokens } = chunking;
  let read = pieceReader(text, 0, tokenizer);
  let places: Places = { at: [0], tokens: [0], cut: false };
  /** Index of the place where the chunk before ends. */
  let covered = 0;

  while (true) {
    const start = numberAt(places.at, 0);
    const mostTokens = numberAt(places.tokens, 0) + maxTokens;
    const complete = fill(places, read, mostTokens);
    const last = places.at.length - 1;
    if (last === covered) return;
    const fits = complete && numberAt(places.tokens, last) <= mostTokens;
    const end = fits ? last : bestEnd(text, places, covered, mostTokens);

    if (end === covered && covered > 0) {
      // Nothing more fits beside what is repeated, so nothing is repeated.
      forget(places, covered);
      covered = 0;
      continue;
    }
    // Where not even the first piece fits, it is cut.
    const inPiece = end === 0;
    const endAt = inPiece
      ? longestFitting(text, start, numberAt(places.at, last), maxTokens, tokenizer.count)
      : numberAt(places.at, end);
    if (text.slice(start, endAt).trim() !== '') yield { start, end: endAt };
    if (endAt === text.length) return;

    if (inPiece || (places.cut && end === last)) {
      if (inPiece) read = pieceReader(text, endAt, tokenizer);
      places = { at: [endAt], tokens: [0], cut: false };
      covered = 0;
    } else {
      const begin = bestBeginning(text, places, end, overlapTokens);
      forget(places, begin);
      covered = end - begin;
    }
  }
}

const numberAt = (numbers: readonly number[], index: number): number => numbers[index] ?? 0;

function forget(places: Places, count: number): void {
  places.at.splice(0, count);
  places.tokens.splice(0, count);
}

/** Adds places until there are too many tokens; true when the text ends before, or has to be cut. */
function fill(places: Places, read: () => Piece | null, mostTokens: number): boolean {
  let tokens = numberAt(places.tokens, places.tokens.length - 1);
  while (tokens <= mostTokens) {
    const piece = places.cut ? null : read();
    if (piece === null) return true;
    tokens += piece.tokens;
    places.at.push(piece.end);
    places.tokens.push(tokens);
    places.cut = piece.cut;
  }
  return places.cut;
}

function qualityAt(text: string, at: number): number {
  const before = text.charCodeAt(at - 1);
  const blankAfter = isBlank(text.charCodeAt(at));
  if (before === lineFeed) {
    let back = at - 2;
    while (text.charAt(back) === ' ' || text.charAt(back) === '\t') back--;
    return text.charCodeAt(back) === lineFeed ? paragraph : line;
  }
  if (isBlank(before)) return blankAfter || before === carriageReturn ? inWord : bad;
  if (before >= 0x3002 && /[。！？]/.test(String.fromCharCode(before))) return sentence;
  if (!blankAfter) return inWord;
  if (isLetter(before)) return word;
  return /[.!?…]["'”’)\]]{0,3}$/.test(text.slice(Math.max(0, at - 4), at)) ? sentence : word;
}

/** Of the plain ones, which most words end with. */
const isLetter = (code: number): boolean => (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;

/** The last of the best places that a chunk can end at, after those it repeats; the index of the latter if none is. */
function bestEnd(text: string, { at, tokens }: Places, covered: number, mostTokens: number): number {
  const repeated = numberAt(tokens, covered);
  const room = mostTokens - repeated;
  let best = covered;
  let bestQuality = bad;
  for (let i = at.length - 1; i > covered; i--) {
    const end = numberAt(tokens, i);
    if (end > mostTokens) continue;
    if (bestQuality > bad && end - repeated < room * leastOfAnyQuality) break;
    const quality = qualityAt(text, numberAt(at, i));
    if (quality <= bestQuality || end - repeated < room * numberAt(leastFilled, quality)) continue;
    best = i;
    bestQuality = quality;
    if (quality === paragraph) break;
  }
  return best;
}

/** Where the next chunk begins: as early as the overlap allows, and at the best place in the first half of that. */
function bestBeginning(text: string, { at, tokens }: Places, end: number, overlapTokens: number): number {
  const endTokens = numberAt(tokens, end);
  let best = end;
  let bestQuality = bad;
  for (let i = end; i > 0; i--) {
    const repeated = endTokens - numberAt(tokens, i);
    if (repeated > overlapTokens) break;
    const early = repeated * 2 > overlapTokens;
    const quality = early ? qualityAt(text, numberAt(at, i)) : bad;
    if (quality < bestQuality) continue;
    best = i;
    bestQuality = quality;
  }
  return best;
}

/** Where a part ends that has at most so many tokens, of a text whose pieces are too large: at least a character on. */
function longestFitting(
  text: string,
  start: number,
  end: number,
  maxTokens: number,
  count: CountTokens,
): number {
  let fits = start;
  let tooFar = end;
  while (tooFar - fits > 1) {
    let middle = (fits + tooFar) >> 1;
    if (splitsPair(text, middle)) middle--;
    if (middle <= fits) break;
    if (count(text.slice(start, middle)) <= maxTokens) fits = middle;
    else tooFar = middle;
  }
  if (fits > start) return fits;
  return start + (splitsPair(text, start + 1) ? 2 : 1);
}
