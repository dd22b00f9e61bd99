import type { ModelUsage } from '../models/model.ts';

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
  | { phase: 'plan' | 'queue' | 'announcements' }
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
