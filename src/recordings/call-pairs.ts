/** Which call of one recording is which of another. */
import type { Exchange, RecordedRequest } from './format.ts';
import { compareValues, formed } from './value-drift.ts';

/** Of what is not asked for in the same words, so many calls are looked at for each, and in all. */
const mostCompared = 20;
const mostComparisons = 20_000;

/** Each call with the one that asks for the most alike; of equals, those that stand in the same order. */
export function pairsOf(a: readonly Exchange[], b: readonly Exchange[]): [Exchange, Exchange][] {
  const { pairs, left, right } = twins(a, b);
  const most = Math.max(1, Math.min(mostCompared, Math.floor(mostComparisons / left.length)));
  const candidates = left.flatMap((one, i) => {
    const from = Math.max(0, Math.min(i - Math.floor(most / 2), right.length - most));
    return right.slice(from, from + most).map((other, k) => ({
      ...{ one, other, apart: Math.abs(i - from - k) },
      differences: compareValues('', asked(one.request), asked(other.request)).length,
    }));
  });
  const paired = new Set<Exchange>();
  const pair = (one: Exchange, other: Exchange): void => {
    pairs.push([one, other]);
    paired.add(one).add(other);
  };
  candidates.sort((x, y) => x.differences - y.differences || x.apart - y.apart);
  for (const { one, other } of candidates) if (!paired.has(one) && !paired.has(other)) pair(one, other);
  // What lay too far apart to be compared.
  const rest = right.filter((other) => !paired.has(other));
  for (const one of left.filter((each) => !paired.has(each))) {
    const other = rest.shift();
    if (other === undefined) break;
    pair(one, other);
  }
  return pairs.sort(([x], [y]) => x.number - y.number);
}

/** Those that ask for the same but for ids and times, in their order; and the others. */
function twins(a: readonly Exchange[], b: readonly Exchange[]) {
  const pairs: [Exchange, Exchange][] = [];
  const waiting = Map.groupBy(b.toReversed(), keyOf);
  const left = a.filter((one) => {
    const other = waiting.get(keyOf(one))?.pop();
    if (other !== undefined) pairs.push([one, other]);
    return other === undefined;
  });
  const used = new Set(pairs.map(([, other]) => other));
  return { pairs, left, right: b.filter((other) => !used.has(other)) };
}

const keyOf = ({ request }: Exchange): string => JSON.stringify(formed(asked(request)));

const asked = ({ path, query, headers, body }: RecordedRequest): object => ({
  path: path.split('/'),
  query: Object.fromEntries(Map.groupBy(new URLSearchParams(query), ([name]) => name)),
  headers: headers ?? {},
  body,
});

const transient = new Set([429, 503]);
const isTransient = ({ answer }: Exchange): boolean => transient.has(answer.status);

/** Without the answers that only said to come again, and were followed by the same request. */
export function withoutRetried(exchanges: readonly Exchange[]): readonly Exchange[] {
  if (!exchanges.some(isTransient)) return exchanges;
  const last = new Map(exchanges.map((exchange) => [JSON.stringify(exchange.request), exchange]));
  return exchanges.filter((exchange) => {
    if (!isTransient(exchange)) return true;
    const again = last.get(JSON.stringify(exchange.request));
    return again === undefined || again === exchange || again.at < exchange.at + exchange.took;
  });
}
