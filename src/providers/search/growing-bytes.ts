/** Bytes that are added to at their end. */
export interface GrowingBytes {
  size(): number;
  /** A whole number from 0, seven bits a byte. */
  number(value: number): void;
  copy(from: Uint8Array, start: number, end: number): void;
  /** Adds all of them to others; there are none then. */
  moveTo(other: GrowingBytes): void;
  /** All of them; there are none then. */
  taken(): Uint8Array;
}

/** Up to this many are copied faster one by one. */
const fewBytes = 48;

export function growingBytes(): GrowingBytes {
  let bytes = new Uint8Array(8192);
  let size = 0;

  const makeRoom = (more: number): void => {
    if (size + more <= bytes.length) return;
    const larger = new Uint8Array((size + more) * 2);
    larger.set(bytes.subarray(0, size));
    bytes = larger;
  };

  return {
    size: () => size,

    number(value) {
      makeRoom(8);
      let rest = value;
      // Not by shifts: it may have more than 32 bits.
      for (; rest > 0x7f; rest = Math.floor(rest / 128)) bytes[size++] = (rest % 128) | 0x80;
      bytes[size++] = rest;
    },

    copy(from, start, end) {
      makeRoom(end - start);
      if (end - start > fewBytes) bytes.set(from.subarray(start, end), size);
      else for (let at = start; at < end; at++) bytes[size + at - start] = from[at] as number;
      size += end - start;
    },

    moveTo(other) {
      other.copy(bytes, 0, size);
      size = 0;
    },

    taken() {
      const taken = bytes.slice(0, size);
      size = 0;
      return taken;
    },
  };
}
