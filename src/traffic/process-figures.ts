import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Metrics } from './metrics.ts';

const nanoseconds = 1e9;
/** How often the event loop is asked for a sign; the time in between is no lag. */
const resolutionMilliseconds = 20;

const lateSeconds = (delay: number): number =>
  Math.max(0, delay / nanoseconds - resolutionMilliseconds / 1000);

/** How the process is doing. Answers what stops the measuring. */
export function processFigures(metrics: Metrics): () => void {
  const lag = monitorEventLoopDelay({ resolution: resolutionMilliseconds });
  lag.enable();
  metrics.gauges(
    'process_cpu_seconds_total',
    'Time of processors that the process took.',
    () => {
      const { user, system } = process.cpuUsage();
      return [[{}, (user + system) / 1e6]];
    },
    'counter',
  );
  metrics.gauges('process_resident_memory_bytes', 'Memory that the process holds.', () => [
    [{}, process.memoryUsage.rss()],
  ]);
  metrics.gauges('nodejs_heap_used_bytes', 'Of it, what objects take.', () => [
    [{}, process.memoryUsage().heapUsed],
  ]);
  metrics.gauges('process_uptime_seconds', 'How long the process has run.', () => [[{}, process.uptime()]]);
  metrics.gauges(
    'nodejs_eventloop_lag_seconds',
    'How late the event loop was, since this was last asked for.',
    () => {
      const values = [0.5, 0.99, 1].map(
        (share) => [{ quantile: String(share) }, lateSeconds(lag.percentile(share * 100))] as const,
      );
      lag.reset();
      return values;
    },
  );
  return () => lag.disable();
}
