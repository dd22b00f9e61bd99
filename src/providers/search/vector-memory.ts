import { strideOf } from './quantise.ts';
import { createScan, createScanMemory, pageBytes } from './scan-kernel.ts';

/** Codes of vectors in pages of 64 kB, of which there are only so many. */
export type VectorMemory = ReturnType<typeof createVectorMemory>;

/** The first page is for the query and the sums, the second for codes that are only passing through. */
const sumsAt = pageBytes / 2;
const passingPage = 1;
const firstPage = 2;

export const rowsPerPage = (dimensions: number): number => Math.floor(pageBytes / strideOf(dimensions));

export function createVectorMemory(bytes: number) {
  const mostPages = Math.floor(bytes / pageBytes);
  const memory = createScanMemory(firstPage);
  const scan = createScan(memory);
  const free: number[] = [];
  let made = 0;

  const writeTo = (page: number, offset: number, codes: Uint8Array): void => {
    new Uint8Array(memory.buffer, page * pageBytes, pageBytes).set(codes, offset);
  };

  return {
    mostPages,
    /** Null where all are taken. */
    takePage(): number | null {
      const page = free.pop();
      if (page !== undefined) return page;
      if (made >= mostPages) return null;
      memory.grow(1);
      return firstPage + made++;
    },
    givePages(pages: readonly number[]): void {
      free.push(...pages);
    },
    writeTo,
    setQuery(codes: Int16Array): void {
      new Int16Array(memory.buffer, 0, codes.length).set(codes);
    },
    /** The sums of products of the query with the first `rows` of a page; valid until the next scan. */
    scan(page: number, rows: number, dimensions: number): Int32Array {
      scan(0, page * pageBytes, rows, strideOf(dimensions), sumsAt);
      return new Int32Array(memory.buffer, sumsAt, rows);
    },
    /** The same for codes that are not held, a page of them at most. */
    scanPassing(codes: Uint8Array, dimensions: number): Int32Array {
      writeTo(passingPage, 0, codes);
      return this.scan(passingPage, codes.length / strideOf(dimensions), dimensions);
    },
  };
}
