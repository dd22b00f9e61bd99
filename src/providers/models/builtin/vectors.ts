import { stem, stopWords, wordsOf } from './vocabulary.ts';

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
