import { JsonTraceSerializer, ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer';
import type { TelemetryConfig } from '../../config.ts';
import { upstreamFetch } from '../models/upstream.ts';
import type { Span } from './spans.ts';

/** What became of a request. `retry`: it may be repeated, not before so many milliseconds where the receiver says so. */
export type Sent =
  | { outcome: 'taken' }
  | { outcome: 'refused'; why: string }
  | { outcome: 'retry'; why: string; afterMilliseconds: number | null };

/** Sends spans in one request, however that ends. */
export type Transport = (spans: Span[], signal: AbortSignal) => Promise<Sent>;

const requestMilliseconds = 10_000;
const longestAnswer = 65_536;
const retryable = new Set([429, 502, 503, 504]);

/** OTLP over HTTP. */
export function otlpTransport({
  url,
  protocol,
  headers,
}: Pick<TelemetryConfig, 'url' | 'protocol' | 'headers'>): Transport {
  const isJson = protocol === 'http/json';
  const serializer = isJson ? JsonTraceSerializer : ProtobufTraceSerializer;
  const contentType = isJson ? 'application/json' : 'application/x-protobuf';
  return async (spans, signal) => {
    try {
      const response = await upstreamFetch(url, {
        method: 'POST',
        headers: { ...headers, 'content-type': contentType },
        // A copy, since the serializer's own buffer might be a shared one to TypeScript.
        body: new Uint8Array(serializer.serializeRequest(spans) ?? []),
        signal: AbortSignal.any([signal, AbortSignal.timeout(requestMilliseconds)]),
      });
      const answer = await beginning(response);
      const why = `The receiver answered ${response.status}.`;
      if (retryable.has(response.status)) {
        return { outcome: 'retry', why, afterMilliseconds: retryAfter(response) };
      }
      if (!response.ok) return { outcome: 'refused', why };
      const { partialSuccess } = serializer.deserializeResponse(answer);
      const rejected = Number(partialSuccess?.rejectedSpans ?? 0);
      return rejected === 0
        ? { outcome: 'taken' }
        : { outcome: 'refused', why: `The receiver rejected ${rejected} spans of ${spans.length}.` };
    } catch (error) {
      return { outcome: 'retry', why: reasonOf(error), afterMilliseconds: null };
    }
  };
}

/** The whole of a usual answer, so that its connection can be used again. */
async function beginning({ body }: Response): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body ?? []) {
    length += chunk.length;
    if (length > longestAnswer) return new Uint8Array();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function retryAfter({ headers }: Response): number | null {
  const seconds = Number(headers.get('retry-after') ?? Number.NaN);
  return Number.isFinite(seconds) && seconds >= 0 ? seconds * 1000 : null;
}

/** `fetch` says only that it failed; what it failed at is its cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error && cause.message !== '' ? cause.message : message;
}
