import { RateLimit, type RateTerms } from './rate-limit.ts';

/** More than anybody has; beyond it, those are forgotten that have nothing counted. */
const usual = 10_000;

/** A limit for each of many: each project, each key. */
export class RateLimitsBy {
  readonly #termsOf: (id: string) => RateTerms | null;
  readonly #limits = new Map<string, RateLimit | null>();
  #forgetAt = usual;

  /** Null where there is no limit. */
  constructor(termsOf: (id: string) => RateTerms | null) {
    this.#termsOf = termsOf;
  }

  of(id: string, now: number): RateLimit | null {
    const known = this.#limits.get(id);
    if (known !== undefined) return known;
    if (this.#limits.size >= this.#forgetAt) this.#forget(now);
    const terms = this.#termsOf(id);
    const limit = terms === null ? null : new RateLimit(terms, false);
    this.#limits.set(id, limit);
    return limit;
  }

  #forget(now: number): void {
    for (const [id, limit] of this.#limits) {
      if (limit === null || limit.untilReset(now) === 0) this.#limits.delete(id);
    }
    this.#forgetAt = Math.max(usual, this.#limits.size * 2);
  }
}
