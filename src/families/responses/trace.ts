import type { ResponseTrace, TracePhase } from '../../providers/telemetry/response-trace.ts';

export type { ResponseTrace, TraceCall } from '../../providers/telemetry/response-trace.ts';

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
