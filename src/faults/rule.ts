import { createHash } from 'node:crypto';
import type { FaultRule } from '../kit/fault-plan.ts';
import { seededNumbers } from '../kit/seeded-numbers.ts';

/** What rules go by besides the operation, which they are sorted by. */
export interface StruckCall {
  readonly project: string;
  readonly agent: string | null;
  /** Below the project. */
  readonly path: string;
}

const wholeRange = 2 ** 32;

/** A rule in force, with the calls it has counted. What it does depends on no other rule. */
export class Rule {
  readonly given: FaultRule;
  readonly operation: string | null;
  /** Calls that matched, struck or not. */
  matched = 0;
  fired = 0;
  readonly #route: RegExp | null;
  readonly #next: () => number;

  constructor(given: FaultRule, seed: number) {
    const { operation = null, route } = given.match ?? {};
    this.given = given;
    this.operation = operation;
    this.#route = route === undefined ? null : patternOf(route);
    this.#next = seededNumbers(seedOf(seed, given.name));
  }

  matches({ project, agent, path }: StruckCall): boolean {
    const { match } = this.given;
    if (match === undefined) return true;
    if (match.project !== undefined && match.project !== project) return false;
    if (match.agent !== undefined && match.agent !== agent) return false;
    return this.#route === null || this.#route.test(path);
  }

  /** Counts one more call, and tells whether it is struck. */
  strikes(): boolean {
    const call = ++this.matched;
    const { when } = this.given;
    if (when === undefined) return true;
    const { nth, after = 0, first, every, probability } = when;
    // Drawn for every call, so that the others' conditions don't shift the sequence.
    const isLikely = probability === undefined || this.#next() < probability * wholeRange;
    if (nth !== undefined && call !== nth) return false;
    if (call <= after || (first !== undefined && call > after + first)) return false;
    return isLikely && (every === undefined || (call - after) % every === 0);
  }
}

/** Each rule has a sequence of its own. */
const seedOf = (seed: number, name: string): number =>
  createHash('sha256').update(`${seed}\n${name}`).digest().readUInt32LE(0);

function patternOf(route: string): RegExp {
  const parts = route.split(/\*+/).map((part) => part.replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`);
}
