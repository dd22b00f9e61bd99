/** Up to this many are copied faster one by one. */
const fewBytes = 48;
/** What a number takes at most. */
const numberBytes = 8;

/** Bytes that are added to at their end. A class, as so much goes through it that calls of closures would be felt. */
export class GrowingBytes {
  #bytes = new Uint8Array(8192);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds a whole number from 0, seven bits a byte. */
  number(value: number): void {
    if (this.#size + numberBytes > this.#bytes.length) this.#grow(numberBytes);
    let rest = value;
    // Not by shifts: it may have more than 32 bits.
    for (; rest > 0x7fffffff; rest = Math.floor(rest / 128)) this.#bytes[this.#size++] = (rest % 128) | 0x80;
    for (; rest > 0x7f; rest >>= 7) this.#bytes[this.#size++] = (rest & 0x7f) | 0x80;
    this.#bytes[this.#size++] = rest;
  }

  copy(from: Uint8Array, start: number, end: number): void {
    const count = end - start;
    if (this.#size + count > this.#bytes.length) this.#grow(count);
    if (count > fewBytes) this.#bytes.set(from.subarray(start, end), this.#size);
    else {
      const to = this.#bytes;
      const size = this.#size - start;
      for (let at = start; at < end; at++) to[size + at] = from[at] as number;
    }
    this.#size += count;
  }

  /** Adds all of them to others; there are none then. */
  moveTo(other: GrowingBytes): void {
    other.copy(this.#bytes, 0, this.#size);
    this.#size = 0;
  }

  /** All of them; there are none then. */
  taken(): Uint8Array {
    const taken = this.#bytes.slice(0, this.#size);
    this.#size = 0;
    return taken;
  }

  #grow(more: number): void {
    const larger = new Uint8Array((this.#size + more) * 2);
    larger.set(this.#bytes.subarray(0, this.#size));
    this.#bytes = larger;
  }
}
