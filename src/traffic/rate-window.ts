/** How finely a window slides: what was counted in a part of it counts until the last of that part is old enough. */
const parts = 50;

/**
 * What was counted in the last so many milliseconds, never less. Numbers in a ring: its size does not depend on what is
 * counted, and nothing is allocated when it is.
 */
export class SlidingCount {
  readonly #ring = new Float64Array(parts + 1);
  /** When each part was last added to. */
  readonly #lastAt = new Float64Array(parts + 1).fill(Number.NEGATIVE_INFINITY);
  readonly #milliseconds: number;
  readonly #partMilliseconds: number;
  #newest = Number.NEGATIVE_INFINITY;
  #now = Number.NEGATIVE_INFINITY;
  #lastCounted = Number.NEGATIVE_INFINITY;
  #total = 0;

  constructor(milliseconds: number) {
    this.#milliseconds = milliseconds;
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
    this.#lastAt[this.#place(this.#newest)] = this.#now;
    this.#lastCounted = this.#now;
    return this.#newest;
  }

  /** Changes what was counted, as long as it counts. */
  correct(at: number, units: number, now: number): void {
    this.#slide(now);
    if (at < this.#newest - parts || this.#isOver(at)) return;
    this.#put(at, units);
  }

  /** Milliseconds until no more than `most` is left of what counts now: never more than the window has. */
  untilAtMost(most: number, now: number): number {
    this.#slide(now);
    let left = this.#total;
    for (let part = this.#newest - parts; left > most && part <= this.#newest; part++) {
      left -= this.#ring[this.#place(part)] ?? 0;
      if (left <= most) return this.#until(this.#addedTo(part));
    }
    return 0;
  }

  /** Milliseconds until nothing of it counts any more. */
  untilEmpty(now: number): number {
    return this.total(now) === 0 ? 0 : this.#until(this.#lastCounted);
  }

  #put(part: number, units: number): void {
    const place = this.#place(part);
    this.#ring[place] = (this.#ring[place] ?? 0) + units;
    this.#total += units;
  }

  #addedTo(part: number): number {
    return this.#lastAt[this.#place(part)] as number;
  }

  #isOver(part: number): boolean {
    return this.#addedTo(part) <= this.#now - this.#milliseconds;
  }

  #until(lastAt: number): number {
    return lastAt + this.#milliseconds - this.#now;
  }

  #place(part: number): number {
    const length = this.#ring.length;
    return ((part % length) + length) % length;
  }

  #slide(now: number): void {
    // A clock that goes back stands still here.
    this.#now = Math.max(this.#now, now);
    const part = Math.max(Math.floor(this.#now / this.#partMilliseconds), this.#newest);
    if (part - this.#newest > parts) {
      this.#ring.fill(0);
      this.#lastAt.fill(Number.NEGATIVE_INFINITY);
      this.#total = 0;
    } else {
      for (let passed = this.#newest + 1; passed <= part; passed++) this.#empty(passed);
    }
    this.#newest = part;
    if (this.#isOver(part - parts)) this.#empty(part - parts);
  }

  #empty(part: number): void {
    const place = this.#place(part);
    this.#total -= this.#ring[place] ?? 0;
    this.#ring[place] = 0;
    this.#lastAt[place] = Number.NEGATIVE_INFINITY;
  }
}
