import { newRequestId } from './ids.ts';

const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}$/;

/** Reads a W3C `traceparent` header; without a valid one a new trace begins. */
export function traceParent(header: string | undefined): { traceId: string; parentSpanId: string | null } {
  const [, traceId, spanId] = form.exec(header ?? '') ?? [];
  const isValid =
    traceId !== undefined && spanId !== undefined && !/^0+$/.test(traceId) && !/^0+$/.test(spanId);
  return isValid ? { traceId, parentSpanId: spanId } : { traceId: newRequestId(), parentSpanId: null };
}
