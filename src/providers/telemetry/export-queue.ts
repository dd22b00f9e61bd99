import { setTimeout as sleep } from 'node:timers/promises';
import type { TelemetryConfig } from '../../config.ts';
import type { ModelLog } from '../models/upstream.ts';
import type { Span } from './spans.ts';
import type { Sent, Transport } from './transport.ts';

export interface ExportQueue {
  /** Takes the spans of one trace, or drops and counts them when there is no room. */
  add(spans: Span[]): void;
  /** Sends what waits; what is left at the limit is dropped and counted. */
  close(): Promise<void>;
  /** Traces that were not, or not wholly, taken by the receiver. */
  readonly dropped: number;
}

interface Trace {
  spans: Span[];
  bytes: number;
}

export interface QueuePace {
  /** How long spans wait for others to be sent with. */
  batchMilliseconds: number;
  /** The first of the waits between attempts; each is twice the one before. */
  retryMilliseconds: number;
}

const usualPace: QueuePace = { batchMilliseconds: 1000, retryMilliseconds: 1000 };
const batchSpans = 512;
const batchBytes = 2_097_152;
const attempts = 5;
const longestRetryMilliseconds = 30_000;
const complaintMilliseconds = 60_000;

/** Sends traces in batches, one request at a time. */
export function exportQueue(
  send: Transport,
  { queueBytes, flushSeconds }: Pick<TelemetryConfig, 'queueBytes' | 'flushSeconds'>,
  log: Pick<ModelLog, 'warn'>,
  pace: QueuePace = usualPace,
): ExportQueue {
  const waiting: Trace[] = [];
  /** Of what waits and what is being sent. */
  let heldBytes = 0;
  let timer: NodeJS.Timeout | null = null;
  let sending: Promise<void> | null = null;
  const ending = new AbortController();
  const stop = new AbortController();
  const losses = lossReport(log);

  const start = (): void => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    sending ??= sendAll().finally(() => {
      sending = null;
    });
  };

  const sendAll = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = nextBatch(waiting);
      const sent = await attempt(batch.flatMap(({ spans }) => spans));
      heldBytes -= bytesOf(batch);
      if (sent.outcome !== 'taken') losses.add(batch.length, sent.why);
    }
  };

  const attempt = async (spans: Span[]): Promise<Sent> => {
    for (let tried = 1; ; tried++) {
      const isLast = tried === attempts || ending.signal.aborted;
      const sent = await send(spans, stop.signal);
      if (sent.outcome !== 'retry' || isLast || stop.signal.aborted) return sent;
      const pause = sent.afterMilliseconds ?? pace.retryMilliseconds * 2 ** (tried - 1);
      await sleep(Math.min(pause, longestRetryMilliseconds), null, { signal: ending.signal }).catch(() => {});
    }
  };

  return {
    get dropped() {
      return losses.total;
    },

    add(spans) {
      const bytes = weightOf(spans);
      if (ending.signal.aborted || heldBytes + bytes > queueBytes) {
        losses.add(1, 'The queue of traces is full (telemetry.queueBytes).');
        return;
      }
      waiting.push({ spans, bytes });
      heldBytes += bytes;
      timer ??= setTimeout(start, pace.batchMilliseconds).unref();
    },

    async close() {
      ending.abort();
      const limit = setTimeout(() => stop.abort(), flushSeconds * 1000);
      start();
      await sending;
      clearTimeout(limit);
      losses.tell();
    },
  };
}

/** At least one trace; traces are not taken apart. */
function nextBatch(waiting: Trace[]): Trace[] {
  let spans = 0;
  let bytes = 0;
  const end = waiting.findIndex((trace, at) => {
    spans += trace.spans.length;
    bytes += trace.bytes;
    return at > 0 && (spans > batchSpans || bytes > batchBytes);
  });
  return waiting.splice(0, end < 0 ? waiting.length : end);
}

const bytesOf = (traces: Trace[]): number => traces.reduce((sum, { bytes }) => sum + bytes, 0);

/** About what spans take in memory: their texts, and a fixed amount for the rest. */
const weightOf = (spans: Span[]): number =>
  spans.reduce((sum, { attributes }) => {
    const texts = Object.values(attributes).filter((value) => typeof value === 'string');
    return sum + 2048 + texts.reduce((length, text) => length + text.length, 0);
  }, 0);

/** Counts what is lost, and says so at most once a minute. */
function lossReport(log: Pick<ModelLog, 'warn'>) {
  let total = 0;
  let untold = 0;
  let lastWhy = '';
  let toldAt = Number.NEGATIVE_INFINITY;
  const tell = (): void => {
    if (untold === 0) return;
    log.warn({ traces: untold, total, reason: lastWhy }, 'traces could not be exported');
    untold = 0;
    toldAt = performance.now();
  };
  return {
    get total() {
      return total;
    },
    add(count: number, why: string) {
      total += count;
      untold += count;
      lastWhy = why;
      if (performance.now() - toldAt >= complaintMilliseconds) tell();
    },
    tell,
  };
}
