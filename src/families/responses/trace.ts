import type { ModelUsage } from '../../providers/models/model.ts';

/**
 * How a response came about. Phases follow each other without a gap, so their times sum up to the whole; the calls
 * that tools ran side by side stand within their phase. Times are milliseconds from the start.
 */
export interface ResponseTrace {
  /** From the caller's `traceparent`, or made here: 32 and 16 hexadecimal digits. */
  trace_id: string;
  parent_span_id: string | null;
  /** Unix time in milliseconds. */
  started_at: number;
  duration_ms: number;
  phases: TracePhase[];
}

export type TracePhase = { start_ms: number; duration_ms: number } & (
  | { phase: 'plan' | 'queue' }
  | {
      phase: 'model_call';
      deployment: string;
      turn: number;
      /** Until the model's first event; null when none came. */
      first_event_ms: number | null;
      usage: ModelUsage | null;
      finish_reason: string | null;
    }
  | { phase: 'tool_calls'; calls: TraceCall[] }
);

export interface TraceCall {
  item_id: string;
  type: string;
  name: string;
  arguments: string;
  output: string;
  status: 'completed' | 'failed';
  /** The approval it was run on. */
  approval_request_id?: string;
  start_ms: number;
  duration_ms: number;
}

type Opening = TracePhase extends infer Phase
  ? Phase extends TracePhase
    ? Omit<Phase, 'start_ms' | 'duration_ms'>
    : never
  : never;

/** A trace that is being written: entering a phase ends the one before. */
export class TraceWriter {
  readonly traceId: string;
  readonly parentSpanId: string | null;
  readonly #startedAt = Date.now();
  readonly #start = performance.now();
  readonly #phases: TracePhase[] = [];

  constructor({ traceId, parentSpanId }: TraceParent) {
    this.traceId = traceId;
    this.parentSpanId = parentSpanId;
  }

  get elapsed(): number {
    return performance.now() - this.#start;
  }

  enter<P extends Opening>(opening: P): P {
    const start_ms = this.#phases.length === 0 ? 0 : rounded(this.elapsed);
    this.#end(start_ms);
    const phase = { ...opening, start_ms, duration_ms: 0 };
    this.#phases.push(phase as unknown as TracePhase);
    return phase;
  }

  finish(): ResponseTrace {
    this.#end(rounded(this.elapsed));
    return {
      trace_id: this.traceId,
      parent_span_id: this.parentSpanId,
      started_at: this.#startedAt,
      duration_ms: rounded(this.#phases.reduce((sum, phase) => sum + phase.duration_ms, 0)),
      phases: this.#phases,
    };
  }

  /** At one moment for both, so that no time is lost between two phases. */
  #end(now: number): void {
    const last = this.#phases.at(-1);
    if (last !== undefined) last.duration_ms = rounded(now - last.start_ms);
  }
}

const rounded = (milliseconds: number): number => Math.round(milliseconds * 1000) / 1000;

export interface TraceParent {
  traceId: string;
  parentSpanId: string | null;
}
