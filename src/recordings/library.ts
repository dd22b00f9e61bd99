/** The exchanges of a recording, and which of them answers a request. */
import { type Exchange, type RecordedRequest, secretMark } from './format.ts';
import { keyOf } from './recorded-request.ts';
import { isTolerable, type RequestDifference, requestDifferences } from './request-difference.ts';

export interface Held {
  exchange: Exchange;
  /** How often it has been served. */
  served: number;
  /** Whether its request held a secret: any text will do in its place. */
  isWild: boolean;
}

export interface Miss {
  reason: 'different' | 'used up' | 'too early';
  nearest: Held | null;
  /** Of `nearest`; for what comes too early, none. */
  differences: RequestDifference[];
  /** What has to be asked first. */
  first: Held | null;
}

/** The exchanges of one method and path, in the order of the recording. */
interface Lane {
  all: Held[];
  /** The first that has not been served. */
  next: number;
}

/** Those that ask for the same. */
interface Twins {
  all: Held[];
  next: number;
}

const mostCompared = 200;
const mostDifferences = 20;
/** Of these the one with the fewest is looked for. */
const mostCounted = 500;

export class Library {
  readonly #isLenient: boolean;
  readonly #all: Held[];
  readonly #lanes = new Map<string, Lane>();
  /** Those whose path holds a secret. */
  readonly #wildByMethod = new Map<string, Held[]>();
  readonly #twins = new Map<string, Twins>();

  constructor(exchanges: readonly Exchange[], isLenient: boolean) {
    this.#isLenient = isLenient;
    this.#all = exchanges.map((exchange) => ({
      exchange,
      served: 0,
      isWild: JSON.stringify(exchange.request).includes(secretMark),
    }));
    for (const held of this.#all) {
      const { request } = held.exchange;
      laneOf(this.#lanes, request).all.push(held);
      if (request.path.includes(secretMark)) {
        const wild = this.#wildByMethod.get(request.method) ?? [];
        this.#wildByMethod.set(request.method, wild);
        wild.push(held);
      }
      const key = keyOf(request);
      const twins = this.#twins.get(key) ?? { all: [], next: 0 };
      twins.all.push(held);
      this.#twins.set(key, twins);
    }
  }

  get unserved(): number {
    return this.#all.filter(({ served }) => served === 0).length;
  }

  /** What answers a request; `key` is its `keyOf`. */
  take(key: string, request: () => RecordedRequest): Held | Miss {
    const twins = this.#twins.get(key);
    if (twins !== undefined) {
      while ((twins.all[twins.next]?.served ?? 0) > 0) twins.next++;
      const held = twins.all[twins.next] ?? (this.#isLenient ? twins.all.at(-1) : undefined);
      if (held !== undefined) return this.#serve(held);
    }
    const asked = request();
    const alike = this.#alike(asked);
    if (alike !== null) return this.#serve(alike);
    return this.#miss(asked, twins?.all.at(-1) ?? null);
  }

  #serve(held: Held): Held | Miss {
    const first = this.#isLenient ? null : this.#before(held);
    if (first !== null) return { reason: 'too early', nearest: held, differences: [], first };
    held.served++;
    return held;
  }

  /** What had been answered before this was asked, and has not been served: its turn is first. */
  #before({ exchange }: Held): Held | null {
    const lane = laneOf(this.#lanes, exchange.request);
    while ((lane.all[lane.next]?.served ?? 0) > 0) lane.next++;
    for (let i = lane.next; i < lane.all.length; i++) {
      const other = lane.all[i] as Held;
      if (other.exchange === exchange) return null;
      if (other.served === 0 && other.exchange.at + other.exchange.took <= exchange.at) return other;
    }
    return null;
  }

  /** What is the same but for secrets or, when lenient, for what is passed over; of several the one with the least. */
  #alike(asked: RecordedRequest): Held | null {
    const isAskedWild = JSON.stringify(asked).includes(secretMark);
    let best: { held: Held; weight: number } | null = null;
    for (const held of this.#candidates(asked)) {
      const { request } = held.exchange;
      if (!this.#isLenient && (held.served > 0 || !(held.isWild || isAskedWild))) continue;
      const found = requestDifferences(request, asked, mostCounted);
      if (found.length === mostCounted) continue;
      if (!(this.#isLenient ? found.every(isTolerable) : found.length === 0)) continue;
      // What has been served is second to what has not, else the last one is repeated.
      const weight = found.length * 2 + (held.served > 0 ? 1 : 0);
      if (best === null || weight < best.weight || (weight === best.weight && held.served > 0)) {
        best = { held, weight };
      }
      if (weight === 0) break;
    }
    return best?.held ?? null;
  }

  /** Of the same address, and of those that hold a secret. */
  #candidates(asked: RecordedRequest): Held[] {
    const lane = laneOf(this.#lanes, asked).all;
    const isWild = ({ path }: RecordedRequest): boolean => path.includes(secretMark);
    const others = isWild(asked) ? this.#all : (this.#wildByMethod.get(asked.method) ?? []);
    return [
      ...lane,
      ...others.filter(
        ({ exchange: { request } }) => request.method === asked.method && request.path !== asked.path,
      ),
    ];
  }

  #miss(asked: RecordedRequest, twin: Held | null): Miss {
    if (twin !== null) return { reason: 'used up', nearest: twin, differences: [], first: null };
    const near = this.#all
      .map((held) => ({
        held,
        distance: distance(held.exchange.request, asked) + (held.served > 0 ? 0.5 : 0),
      }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, mostCompared)
      .map(({ held, distance }) => {
        const found = requestDifferences(held.exchange.request, asked, mostCounted);
        return {
          held,
          found,
          weight: Math.floor(distance) * mostCounted + found.length + (held.served > 0 ? 0.5 : 0),
        };
      })
      .sort((a, b) => a.weight - b.weight)[0];
    const differences = near?.found.slice(0, mostDifferences) ?? [];
    return { reason: 'different', nearest: near?.held ?? null, differences, first: null };
  }
}

export const isMiss = (found: Held | Miss): found is Miss => 'reason' in found;

function laneOf(lanes: Map<string, Lane>, { method, path }: RecordedRequest): Lane {
  const name = `${method} ${path}`;
  const lane = lanes.get(name) ?? { all: [], next: 0 };
  if (!lanes.has(name)) lanes.set(name, lane);
  return lane;
}

/** How far apart two addresses are, in segments of their paths. */
function distance(a: RecordedRequest, b: RecordedRequest): number {
  const [from, to] = [a.path.split('/'), b.path.split('/')];
  let apart = a.method === b.method ? 0 : 1;
  for (let i = 0; i < Math.max(from.length, to.length); i++) if (from[i] !== to[i]) apart++;
  return apart;
}
