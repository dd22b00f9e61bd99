import { setImmediate } from 'node:timers/promises';
import { invalidPayload } from '../../../errors.ts';
import type { EmbeddingRequest, EmbeddingResult } from '../model.ts';
import { countTextTokens } from '../token-count.ts';
import { stem, stopWords, wordsOf } from './vocabulary.ts';

export const defaultDimensions = 256;
export const mostDimensions = 4096;
const batch = 32;

/** Hashed n-grams of words and letters: texts with words or parts of words in common lie near each other. */
export async function embed(request: EmbeddingRequest, signal: AbortSignal): Promise<EmbeddingResult> {
  const dimensions = request.dimensions ?? defaultDimensions;
  if (!Number.isInteger(dimensions) || dimensions < 1 || dimensions > mostDimensions) {
    throw invalidPayload('dimensions', `Must be a whole number from 1 to ${mostDimensions}.`);
  }
  const result: EmbeddingResult = { embeddings: [], inputTokens: 0 };
  for (const [at, input] of request.inputs.entries()) {
    signal.throwIfAborted();
    if (at % batch === batch - 1) await setImmediate();
    result.embeddings.push(vectorOf(input, dimensions));
    result.inputTokens += await countTextTokens([input]);
  }
  return result;
}

/** A vector of length 1. */
export function vectorOf(text: string, dimensions: number): number[] {
  const vector = new Float64Array(dimensions);
  const add = (feature: string, weight: number): void => {
    const hashed = fnv(feature);
    const at = hashed % dimensions;
    vector[at] = (vector[at] ?? 0) + (mixed(hashed) % 2 === 0 ? weight : -weight);
  };
  let before = '';
  for (const word of wordsOf(text)) {
    const isCommon = stopWords.has(word);
    const stemmed = stem(word);
    add(`w ${stemmed}`, isCommon ? 0.2 : 1);
    if (!isCommon) {
      const padded = `<${stemmed}>`;
      for (let at = 0; at + 3 <= padded.length; at++) add(`g ${padded.slice(at, at + 3)}`, 0.35);
      if (before !== '') add(`b ${before} ${stemmed}`, 0.5);
      before = stemmed;
    }
  }
  // Signs and punctuation only: the text as a whole still tells it from others.
  if (vector.every((value) => value === 0)) add(`t ${text}`, 1);
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return Array.from(vector, (value) => value / length);
}

/** FNV-1a, 32 bits. */
function fnv(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  return value >>> 0;
}

/** The sign must not hang on the bits that choose the place. */
function mixed(value: number): number {
  let bits = Math.imul(value ^ (value >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}
