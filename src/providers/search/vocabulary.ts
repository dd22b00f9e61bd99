import { hashedWord } from './word-block.ts';

/** Words by numbers that count from 0. */
export interface Vocabulary {
  size(): number;
  numberOf(word: string): number;
  /** All words, until the next is added. */
  words(): VocabularyWords;
  clear(): void;
}

export interface VocabularyWords {
  /** In UTF-8, each where the one before it ends. */
  bytes: Uint8Array;
  /** Where each begins, and where the last ends. */
  starts: Uint32Array;
  /** See `hashedWord`. */
  hashes: Uint32Array;
}

export function createVocabulary(): Vocabulary {
  const numbers = new Map<string, number>();
  const encoder = new TextEncoder();
  let size = 0;
  let bytes = new Uint8Array(65_536);
  let starts = new Uint32Array(8192);
  let hashes = new Uint32Array(8192);

  const makeRoom = (wordBytes: number): void => {
    const needed = (starts[size] as number) + wordBytes;
    if (needed > bytes.length) bytes = larger(bytes, new Uint8Array(needed * 2));
    if (size + 2 <= starts.length) return;
    starts = larger(starts, new Uint32Array(size * 2));
    hashes = larger(hashes, new Uint32Array(size * 2));
  };

  return {
    size: () => size,
    numberOf(word) {
      const known = numbers.get(word);
      if (known !== undefined) return known;
      const own = encoder.encode(word);
      makeRoom(own.length);
      const start = starts[size] as number;
      bytes.set(own, start);
      starts[size + 1] = start + own.length;
      hashes[size] = hashedWord(own, 0, own.length);
      // A copy: a part of a text would hold all of it.
      numbers.set(Buffer.from(own).toString(), size);
      return size++;
    },
    words: () => ({ bytes, starts, hashes }),
    clear() {
      numbers.clear();
      size = 0;
    },
  };
}

function larger<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
