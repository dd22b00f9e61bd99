/** How finely a window slides: what was counted goes on counting for the window and one part more. */
const parts = 50;

/**
 * What was counted in the last so many milliseconds, never less. Ints in a ring: its size does not depend on what is
 * counted, and nothing is allocated when it is.
 */
export class SlidingCount {
  readonly #ring = new Float64Array(parts + 1);
  readonly #partMilliseconds: number;
  #newest = Number.NEGATIVE_INFINITY;
  #newestCounted = Number.NEGATIVE_INFINITY;
  #total = 0;

  constructor(milliseconds: number) {
    this.#partMilliseconds = milliseconds / parts;
  }

  total(now: number): number {
    this.#slide(now);
    return this.#total;
  }

  /** Counts; answers where, for a correction. */
  add(units: number, now: number): number {
    this.#slide(now);
    this.#put(this.#newest, units);
    this.#newestCounted = this.#newest;
    return this.#newest;
  }

  /** Changes what was counted, as long as it counts. */
  correct(at: number, units: number, now: number): void {
    this.#slide(now);
    if (at <= this.#newest - this.#ring.length) return;
    this.#put(at, units);
  }

  /** Milliseconds until no more than `most` is left of what counts now. */
  untilAtMost(most: number, now: number): number {
    this.#slide(now);
    let left = this.#total;
    for (let part = this.#newest - parts; left > most && part <= this.#newest; part++) {
      left -= this.#ring[this.#place(part)] ?? 0;
      if (left <= most) return this.#endOf(part) - now;
    }
    return 0;
  }

  /** Milliseconds until nothing of it counts any more. */
  untilEmpty(now: number): number {
    return this.total(now) === 0 ? 0 : this.#endOf(this.#newestCounted) - now;
  }

  #put(part: number, units: number): void {
    const place = this.#place(part);
    this.#ring[place] = (this.#ring[place] ?? 0) + units;
    this.#total += units;
  }

  #endOf(part: number): number {
    return (part + parts + 1) * this.#partMilliseconds;
  }

  #place(part: number): number {
    const length = this.#ring.length;
    return ((part % length) + length) % length;
  }

  #slide(now: number): void {
    // A clock that goes back stands still here.
    const part = Math.max(Math.floor(now / this.#partMilliseconds), this.#newest);
    if (part === this.#newest) return;
    if (part - this.#newest > parts) {
      this.#ring.fill(0);
      this.#total = 0;
    } else {
      for (let passed = this.#newest + 1; passed <= part; passed++) {
        const place = this.#place(passed);
        this.#total -= this.#ring[place] ?? 0;
        this.#ring[place] = 0;
      }
    }
    this.#newest = part;
  }
}
