import type { Metrics } from '../traffic/metrics.ts';
import type { Load } from './load.ts';

/** What is under way, and how much may be. */
export function loadFigures(metrics: Metrics, load: Load): void {
  const kinds = [
    ['streams', load.streams],
    ['websockets', load.webSockets],
  ] as const;
  metrics.gauges('bloomery_under_way', 'What is under way at the moment.', () => [
    [{ kind: 'requests' }, load.underWay],
    ...kinds.map(([kind, gauge]) => [{ kind }, gauge.underWay] as const),
  ]);
  metrics.gauges('bloomery_under_way_limit', 'How much may be under way.', () => [
    [{ kind: 'requests' }, load.requests.most],
    ...kinds.map(([kind, gauge]) => [{ kind }, gauge.most] as const),
  ]);
}
