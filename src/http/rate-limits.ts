import type { CallerLimits, RateLimitsConfig } from '../config.ts';
import type { Counters } from '../traffic/metrics.ts';
import { type Claim, RateLimit, type RateTerms, takeAll } from '../traffic/rate-limit.ts';
import { RateLimitsBy } from '../traffic/rate-limits-by.ts';
import { limitHeaders, rateLimited, tooManyAtOnce } from '../traffic/refusals.ts';
import type { Exchange } from './exchange.ts';

/** Requests a minute, and at once: of the server, of its preview, of each project, of each key. */
export interface RateLimits {
  /** Throws `rate_limit_exceeded` about the limit that is met; then nothing is counted anywhere. */
  enter(exchange: Exchange, isPreview: boolean): void;
  leave(exchange: Exchange): void;
}

const nothing: RateLimits = { enter() {}, leave() {} };

/** What is counted of one layer of callers. */
interface Layer {
  name: 'project' | 'key';
  idOf(exchange: Exchange): string;
  whose(id: string): string;
  limitsOf(id: string): { limits: CallerLimits; place: string };
  rates: RateLimitsBy;
  atOnce: Map<string, number>;
}

export function createRateLimits(
  config: RateLimitsConfig,
  refusals: Counters,
  now: () => number = () => performance.now(),
): RateLimits {
  if (isUnlimited(config)) return nothing;
  const region = shared('region', 'This server', config.regionRequestsPerMinute);
  const preview = shared('preview', 'The preview of this server', config.previewRequestsPerMinute);
  const { project, projects, key } = config;
  const layers = [
    layer(
      'project',
      (exchange) => exchange.project,
      (id) => `Project '${id}'`,
      (id) => {
        const own = Object.hasOwn(projects, id) ? projects[id] : undefined;
        return own === undefined
          ? { limits: project, place: 'rateLimits.project' }
          : { limits: own, place: `rateLimits.projects.${id}` };
      },
    ),
    layer(
      'key',
      (exchange) => exchange.principal.id,
      () => 'Each key',
      () => ({ limits: key, place: 'rateLimits.key' }),
    ),
  ];
  const refused = (name: string, unit: string): void => refusals.of({ layer: name, unit }).add();

  return {
    enter(exchange, isPreview) {
      const at = now();
      const claims: Claim[] = [];
      for (const each of layers) {
        const id = each.idOf(exchange);
        // What has no project is the administration's.
        if (id === '') continue;
        checkAtOnce(each, id, refused);
        const limit = each.rates.of(id, at);
        if (limit !== null) claims.push({ limit, units: 1 });
      }
      if (preview !== null && isPreview) claims.push({ limit: preview, units: 1 });
      if (region !== null) claims.push({ limit: region, units: 1 });
      if (claims.length > 0) {
        const taken = takeAll(claims, exchange.project, at);
        if (!Array.isArray(taken)) {
          refused(taken.limit.terms.layer, 'requests');
          throw rateLimited(taken, 1, at);
        }
        exchange.answerHeaders(limitHeaders(tightest(claims, at), at));
      }
      for (const each of layers) count(each, each.idOf(exchange), 1);
    },
    leave(exchange) {
      for (const each of layers) count(each, each.idOf(exchange), -1);
    },
  };
}

const isUnlimited = (config: RateLimitsConfig): boolean =>
  config.regionRequestsPerMinute === null &&
  config.previewRequestsPerMinute === null &&
  [config.project, config.key, ...Object.values(config.projects)].every(
    ({ requestsPerMinute, concurrency }) => requestsPerMinute === null && concurrency === null,
  );

const terms = (layerName: string, whose: string, limit: number, place: string): RateTerms => ({
  unit: 'requests',
  limit,
  milliseconds: 60_000,
  layer: layerName,
  target: `${place}.requestsPerMinute`,
  description: `${whose} may make ${limit} requests a minute`,
});

function shared(name: 'region' | 'preview', whose: string, limit: number | null): RateLimit | null {
  if (limit === null) return null;
  const description = `${whose} takes ${limit} requests a minute from all projects together`;
  return new RateLimit({ ...terms(name, whose, limit, `rateLimits.${name}`), description }, true);
}

function layer(
  name: Layer['name'],
  idOf: Layer['idOf'],
  whose: Layer['whose'],
  limitsOf: Layer['limitsOf'],
): Layer {
  const rates = new RateLimitsBy((id) => {
    const { limits, place } = limitsOf(id);
    return limits.requestsPerMinute === null ? null : terms(name, whose(id), limits.requestsPerMinute, place);
  });
  return { name, idOf, whose, limitsOf, rates, atOnce: new Map() };
}

function checkAtOnce(
  { name, whose, limitsOf, atOnce }: Layer,
  id: string,
  refused: (layer: string, unit: string) => void,
): void {
  const { limits, place } = limitsOf(id);
  const { concurrency } = limits;
  if (concurrency === null || (atOnce.get(id) ?? 0) < concurrency) return;
  refused(name, 'concurrency');
  throw tooManyAtOnce(
    `${whose(id)} may have ${concurrency} requests under way at once`,
    `${place}.concurrency`,
  );
}

function count({ atOnce, limitsOf }: Layer, id: string, by: 1 | -1): void {
  if (id === '' || limitsOf(id).limits.concurrency === null) return;
  const next = (atOnce.get(id) ?? 0) + by;
  if (next <= 0) atOnce.delete(id);
  else atOnce.set(id, next);
}

/** The limit with the least left is the one to go by. */
function tightest(claims: readonly Claim[], now: number): RateLimit {
  const [first, ...more] = claims.map(({ limit }) => limit);
  return more.reduce(
    (least, limit) => (limit.remaining(now) < least.remaining(now) ? limit : least),
    first as RateLimit,
  );
}
