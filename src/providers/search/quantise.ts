/** What is kept of a vector in memory, a byte a number, and how far that is from the vector itself. */
export interface Quantised {
  codes: Int8Array;
  /** The vector of length 1 is about `scale` times the codes … */
  scale: number;
  /** … and the difference at most this long. */
  error: number;
}

export interface QuantisedQuery {
  codes: Int16Array;
  scale: number;
  error: number;
}

/** So that no sum of products leaves 32 bits. */
export const mostDimensions = 8192;
const largestCode = 127;
const largestQueryCode = 2047;
/** What is lost where a 64-bit number becomes one of 32 bits. */
const rounding = 1e-6;

/** Codes of a row begin where 16 of them can be read at once. */
export const strideOf = (dimensions: number): number => Math.ceil(dimensions / 16) * 16;

/** The vector of length 1 in the same direction; one of zeros stays so. */
export function unitOf(vector: Float32Array): Float32Array {
  let squares = 0;
  for (const value of vector) squares += value * value;
  const length = Math.sqrt(squares);
  return length === 0 ? vector.slice() : vector.map((value) => value / length);
}

export function quantise(unit: Float32Array): Quantised {
  const codes = new Int8Array(strideOf(unit.length));
  return { codes, ...encode(unit, codes, largestCode) };
}

export function quantiseQuery(unit: Float32Array): QuantisedQuery {
  const codes = new Int16Array(strideOf(unit.length));
  return { codes, ...encode(unit, codes, largestQueryCode) };
}

function encode(unit: Float32Array, codes: Int8Array | Int16Array, largest: number) {
  let most = 0;
  for (const value of unit) most = Math.max(most, Math.abs(value));
  const scale = Math.fround(most / largest);
  if (scale === 0) return { scale: 0, error: rounding };
  let squares = 0;
  for (const [at, value] of unit.entries()) {
    const code = Math.max(-largest, Math.min(largest, Math.round(value / scale)));
    codes[at] = code;
    squares += (value - scale * code) ** 2;
  }
  return { scale, error: Math.sqrt(squares) + rounding };
}

/** The cosine of vectors of length 1. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] ?? 0) * (b[at] ?? 0);
  return sum;
}

/** How far the cosine of what was quantised may be from that of the vectors. */
export const cosineError = (rowError: number, queryError: number): number =>
  rowError + (1 + rowError) * queryError + rounding;

/** A number that is not finite makes the sum none, which finite ones of 32 bits can't. */
export function hasFiniteNumbers(vector: Float32Array): boolean {
  let sum = 0;
  for (let at = 0; at < vector.length; at++) sum += vector[at] as number;
  return Number.isFinite(sum);
}
