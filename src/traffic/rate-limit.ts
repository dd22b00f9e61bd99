import { SlidingCount } from './rate-window.ts';

/** What a limit is about, for those who meet it. */
export interface RateTerms {
  /** Requests or tokens. */
  unit: 'requests' | 'tokens';
  /** What the window may have. */
  limit: number;
  milliseconds: number;
  /** What is told of it where it is met: whose it is, how much it is, where it is set. */
  description: string;
  /** Where it is set: `rateLimits.project.requestsPerMinute`. */
  target: string;
  /** The kind of it, for metrics: `project`, `deployment`. */
  layer: string;
}

interface Share {
  count: SlidingCount;
  seenAt: number;
}

/** Projects that one limit tells apart; all further ones share a share. */
const mostShares = 256;

/**
 * A limit on what may be counted in any stretch of so many milliseconds. Where several projects share it, what is
 * left of each one's equal part is kept for it while it asks: nobody gets it all by asking more often.
 */
export class RateLimit {
  readonly terms: RateTerms;
  readonly #whole: SlidingCount;
  readonly #shares: Map<string, Share> | null;

  constructor(terms: RateTerms, isShared: boolean) {
    this.terms = terms;
    this.#whole = new SlidingCount(terms.milliseconds);
    this.#shares = isShared ? new Map() : null;
  }

  /** Milliseconds to wait until so much fits; 0 when it does, infinite when it never will. Counts nothing. */
  wait(units: number, project: string, now: number): number {
    const { limit } = this.terms;
    if (units > limit) return Number.POSITIVE_INFINITY;
    const wait = this.#whole.untilAtMost(limit - units, now);
    if (this.#shares === null) return wait;
    const own = this.#share(project, now);
    if (this.#shares.size === 1) return wait;
    const part = Math.max(1, Math.floor(limit / this.#shares.size));
    const used = own.count.total(now);
    // Who has nothing yet is never held back by what is kept for others.
    if (used === 0 || used + units <= part) return wait;
    const free = limit - units - this.#kept(own, part, now);
    const untilFree = this.#whole.untilAtMost(Math.max(0, free), now);
    if (untilFree === 0 && free >= 0) return wait;
    return Math.max(wait, Math.min(untilFree, own.count.untilAtMost(Math.max(0, part - units), now)));
  }

  /** Counts; answers a function that corrects what was counted. */
  take(units: number, project: string, now: number): Taken {
    const share = this.#shares === null ? null : this.#share(project, now).count;
    share?.add(units, now);
    return { limit: this, share, at: this.#whole.add(units, now), units };
  }

  correct({ share, at, units }: Taken, to: number, now: number): void {
    this.#whole.correct(at, to - units, now);
    share?.correct(at, to - units, now);
  }

  remaining(now: number): number {
    return Math.max(0, this.terms.limit - this.#whole.total(now));
  }

  /** Milliseconds until all of it is there again. */
  untilReset(now: number): number {
    return this.#whole.untilEmpty(now);
  }

  #share(project: string, now: number): Share {
    const shares = this.#shares as Map<string, Share>;
    const known = shares.get(project);
    if (known !== undefined) {
      known.seenAt = now;
      this.#forgetIdle(shares, now);
      return known;
    }
    this.#forgetIdle(shares, now);
    if (shares.size >= mostShares && project !== '') return this.#share('', now);
    const share = { count: new SlidingCount(this.terms.milliseconds), seenAt: now };
    shares.set(project, share);
    return share;
  }

  #forgetIdle(shares: Map<string, Share>, now: number): void {
    if (shares.size === 1) return;
    for (const [project, { count, seenAt }] of shares) {
      if (seenAt + this.terms.milliseconds < now && count.total(now) === 0) shares.delete(project);
    }
  }

  /** What is kept for the others. */
  #kept(own: Share, part: number, now: number): number {
    let kept = 0;
    for (const share of this.#shares?.values() ?? []) {
      if (share !== own) kept += Math.max(0, part - share.count.total(now));
    }
    return kept;
  }
}

export interface Taken {
  limit: RateLimit;
  share: SlidingCount | null;
  at: number;
  units: number;
}

export interface Claim {
  limit: RateLimit;
  units: number;
}

/** The limit that is met, and how long to wait for it. */
export interface Refusal {
  limit: RateLimit;
  milliseconds: number;
}

/** Counts in all limits, or in none when one of them is met: then it is the one that is longest to wait for. */
export function takeAll(claims: readonly Claim[], project: string, now: number): Taken[] | Refusal {
  let refusal: Refusal | null = null;
  for (const { limit, units } of claims) {
    const milliseconds = limit.wait(units, project, now);
    if (milliseconds > (refusal?.milliseconds ?? 0)) refusal = { limit, milliseconds };
  }
  return refusal ?? claims.map(({ limit, units }) => limit.take(units, project, now));
}
