import { setTimeout as sleep } from 'node:timers/promises';
import type { DeploymentLimitsConfig } from '../../config.ts';
import { FairSlots } from '../../traffic/fair-slots.ts';
import { RateLimit, type Refusal, type Taken, takeAll } from '../../traffic/rate-limit.ts';
import type { RateLimitsBy } from '../../traffic/rate-limits-by.ts';
import { limitHeaders, rateLimited, tooManyAtOnce } from '../../traffic/refusals.ts';
import type { ModelCaller } from './caller.ts';

export interface GateOptions {
  name: string;
  limits: DeploymentLimitsConfig | null;
  /** Tokens of projects and keys, over all deployments; null where nobody's are limited. */
  callers: { projects: RateLimitsBy; keys: RateLimitsBy } | null;
  waitSeconds: number;
  now(): number;
  /** Is told of every refusal. */
  refused(layer: string, unit: string): void;
}

/** A call that was let in. */
export interface Admission {
  /** Puts the tokens in the place of those that were expected. */
  used(tokens: number): void;
  leave(): void;
}

const minute = 60_000;

/** Lets model calls through as the limits of a deployment allow, and those of whoever calls. */
export class DeploymentGate {
  readonly #options: GateOptions;
  readonly #requests: RateLimit[];
  readonly #tokens: RateLimit | null;
  readonly slots: FairSlots | null;
  /** Whether anything is limited at all. */
  readonly isOpen: boolean;
  readonly countsTokens: boolean;

  constructor(options: GateOptions) {
    this.#options = options;
    const { limits, name, callers } = options;
    const target = (limit: string) => `deployments.${name}.limits.${limit}`;
    this.#requests = limits?.requestsPerMinute ? requestLimits(name, limits, limits.requestsPerMinute) : [];
    this.#tokens = limits?.tokensPerMinute
      ? new RateLimit(
          {
            unit: 'tokens',
            limit: limits.tokensPerMinute,
            milliseconds: minute,
            layer: 'deployment',
            target: target('tokensPerMinute'),
            description: `Deployment '${name}' takes ${limits.tokensPerMinute} tokens a minute from all projects together`,
          },
          true,
        )
      : null;
    this.slots = limits?.concurrency
      ? new FairSlots({
          most: limits.concurrency,
          queue: limits.queue,
          full: () => {
            options.refused('deployment', 'concurrency');
            const most = `Deployment '${name}' takes ${limits.concurrency} calls at once from all projects together`;
            return tooManyAtOnce(
              `${most}, and ${limits.queue} may wait for ${options.waitSeconds} seconds at most`,
              target('concurrency'),
            );
          },
        })
      : null;
    this.countsTokens = this.#tokens !== null || callers !== null;
    this.isOpen = !this.countsTokens && this.#requests.length === 0 && this.slots === null;
  }

  /** Settles when the call may begin. Throws `rate_limit_exceeded`, and then nothing is counted. */
  async enter(caller: ModelCaller, tokens: number, signal: AbortSignal): Promise<Admission> {
    const { waitSeconds, now } = this.#options;
    const until = now() + waitSeconds * 1000;
    for (;;) {
      await this.slots?.enter(caller.project, signal, Math.max(0, until - now()));
      const taken = this.#take(caller, tokens);
      if (Array.isArray(taken)) return this.#admission(caller, taken);
      this.slots?.leave();
      if (!caller.isPatient || now() + taken.milliseconds > until) {
        const { layer, unit } = taken.limit.terms;
        this.#options.refused(layer, unit);
        throw rateLimited(taken, unit === 'tokens' ? tokens : 1, now());
      }
      await sleep(taken.milliseconds, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  }

  #take({ project, key }: ModelCaller, tokens: number): Taken[] | Refusal {
    const now = this.#options.now();
    const { callers } = this.#options;
    const ofTokens = [
      this.#tokens,
      callers?.projects.of(project, now) ?? null,
      key === null ? null : (callers?.keys.of(key, now) ?? null),
    ];
    const claims = this.#requests.map((limit) => ({ limit, units: 1 }));
    for (const limit of ofTokens) if (limit !== null) claims.push({ limit, units: tokens });
    return takeAll(claims, project, now);
  }

  #admission(caller: ModelCaller, taken: Taken[]): Admission {
    const { now } = this.#options;
    if (caller.told !== undefined && taken.length > 0) caller.told(headersOf(taken, now()));
    const { slots } = this;
    let isIn = true;
    return {
      used(tokens) {
        for (const each of taken) {
          if (each.limit.terms.unit === 'tokens') each.limit.correct(each, tokens, now());
        }
      },
      leave() {
        if (isIn) slots?.leave();
        isIn = false;
      },
    };
  }
}

/** The whole minute, and a short stretch of it: requests are to come evenly. */
function requestLimits(name: string, limits: DeploymentLimitsConfig, perMinute: number): RateLimit[] {
  const terms = {
    unit: 'requests' as const,
    layer: 'deployment',
    target: `deployments.${name}.limits.requestsPerMinute`,
  };
  const { windowSeconds } = limits;
  const inMinute = new RateLimit(
    {
      ...terms,
      limit: perMinute,
      milliseconds: minute,
      description: `Deployment '${name}' takes ${perMinute} requests a minute from all projects together`,
    },
    true,
  );
  if (windowSeconds === 60) return [inMinute];
  const inWindow = Math.ceil((perMinute * windowSeconds) / 60);
  const description =
    `Deployment '${name}' takes ${perMinute} requests a minute from all projects together, evenly spread: ` +
    `${inWindow} in ${windowSeconds} seconds`;
  const short = { ...terms, limit: inWindow, milliseconds: windowSeconds * 1000, description };
  return [new RateLimit(short, true), inMinute];
}

/** Of each unit, those of the limit with the least left. */
function headersOf(taken: readonly Taken[], now: number): Record<string, string> {
  const least = new Map<string, RateLimit>();
  for (const { limit } of taken) {
    const known = least.get(limit.terms.unit);
    if (known === undefined || limit.remaining(now) < known.remaining(now))
      least.set(limit.terms.unit, limit);
  }
  return Object.assign({}, ...[...least.values()].map((limit) => limitHeaders(limit, now)));
}
