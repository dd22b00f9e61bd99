import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  cosine,
  cosineError,
  mostDimensions,
  quantise,
  quantiseQuery,
  strideOf,
  unitOf,
} from './quantise.ts';
import { createVectorMemory, rowsPerPage } from './vector-memory.ts';

const number = fc.oneof(
  fc.float({ noNaN: true, min: -1, max: 1 }),
  fc.constantFrom(0, 1, -1),
  fc.float({ noNaN: true, noDefaultInfinity: true }),
);
const vectors = fc.integer({ min: 1, max: 70 }).chain((dimensions) =>
  fc.array(
    fc
      .array(number, { minLength: dimensions, maxLength: dimensions })
      .map((one) => unitOf(Float32Array.from(one))),
    { minLength: 2, maxLength: 40 },
  ),
);

test('the codes of any vectors bound their cosine', () => {
  const memory = createVectorMemory(0);
  fc.assert(
    fc.property(vectors, ([query = new Float32Array(), ...rows]) => {
      const dimensions = query.length;
      const asked = quantiseQuery(query);
      const codes = new Int8Array(rows.length * strideOf(dimensions));
      const quantised = rows.map((row) => quantise(row));
      for (const [at, row] of quantised.entries()) codes.set(row.codes, at * strideOf(dimensions));
      memory.setQuery(asked.codes);
      const sums = memory.scanPassing(new Uint8Array(codes.buffer), dimensions);
      for (const [at, row] of rows.entries()) {
        const { scale, error } = quantised[at] ?? { scale: 0, error: 0 };
        const about = (sums[at] ?? 0) * scale * asked.scale;
        const off = Math.abs(about - cosine(query, row));
        expect(off).toBeLessThanOrEqual(cosineError(error, asked.error));
      }
    }),
  );
});

test('sums of the longest vectors are exact', () => {
  const query = unitOf(new Float32Array(mostDimensions).fill(-1));
  const memory = createVectorMemory(0);
  memory.setQuery(quantiseQuery(query).codes);
  const codes = quantise(query).codes;
  const [sum] = memory.scanPassing(new Uint8Array(codes.buffer), mostDimensions);
  expect(sum).toBe(127 * 2047 * mostDimensions);
});

test('memory has as many pages as were allowed, and those given back are taken again', () => {
  const memory = createVectorMemory(2 * 65_536);
  const pages = [memory.takePage(), memory.takePage(), memory.takePage()];
  expect(pages).toEqual([2, 3, null]);
  memory.givePages([3]);
  expect(memory.takePage()).toBe(3);
  expect(rowsPerPage(384)).toBe(170);
});

test('a vector of zeros is like no other, itself included', () => {
  const zero = unitOf(new Float32Array(3));
  expect([...zero]).toEqual([0, 0, 0]);
  expect(quantise(zero).scale).toBe(0);
});
