import { type Counters, Metrics } from './metrics.ts';

/** What all that limits anything counts in. */
export interface TrafficFigures {
  metrics: Metrics;
  /** By layer and unit. */
  refusals: Counters;
}

export function trafficFigures(): TrafficFigures {
  const metrics = new Metrics();
  const refusals = metrics.counters(
    'bloomery_limit_refusals_total',
    'Requests and model calls refused by a limit, by its layer and unit.',
  );
  return { metrics, refusals };
}
