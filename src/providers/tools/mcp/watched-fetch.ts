import type { Outbound } from '../../outbound/outbound.ts';

type RequestId = string | number;

export interface Watch {
  /** Largest answer, and largest event of a stream, in bytes. */
  mostBytes: number;
  /** Whether the stream that is not of one request has the answers of all, as with the older transport. */
  sharedStream: boolean;
  /** Told of a request that will have no answer; null for the requests of a stream that is not of one. */
  onLost(id: RequestId | null, message: string): void;
  /** Told of a request whose stream has ended and may be taken up again by its event ids. */
  onSuspended(id: RequestId): void;
}

const closed = 'The server closed the connection before it answered.';
/** The protocol's own reader is behind a few pipes; what has arrived has to get through. */
const graceMilliseconds = 250;

/**
 * A fetch for the transports of the protocol, which wait until their timeout when a stream dies, and read any amount:
 * this one tells of what is lost and ends what is too large.
 */
export function watchedFetch(outbound: Outbound, watch: Watch): typeof fetch {
  return async (input, init) => {
    const response = await outbound.fetch(input, init);
    const { body, status, statusText, headers } = response;
    if (body === null || status < 200 || status === 204 || status === 205 || status === 304) return response;
    const isStream = (headers.get('content-type') ?? '').startsWith('text/event-stream');
    const request = requestOf(init);
    const watched = watchedBody(body, {
      isStream,
      mostBytes: watch.mostBytes,
      onEnd({ tooLarge, resumable }) {
        if (tooLarge) watch.onLost(request?.id ?? null, tooLargeMessage(watch.mostBytes));
        if (tooLarge || !response.ok || !isStream) return;
        if (request === null && !watch.sharedStream) return;
        if (request !== null && resumable) watch.onSuspended(request.id);
        else setTimeout(() => watch.onLost(request?.id ?? null, closed), graceMilliseconds).unref();
      },
    });
    return new Response(watched, { status, statusText, headers: [...headers] });
  };
}

const tooLargeMessage = (bytes: number): string =>
  `The server's answer is larger than ${Math.floor(bytes / 1_048_576)} MB; the connection was ended.`;

function requestOf(init: RequestInit | undefined): { id: RequestId } | null {
  if (init?.method !== 'POST' || typeof init.body !== 'string') return null;
  const { id, method } = JSON.parse(init.body) as { id?: RequestId; method?: string };
  return id === undefined || method === undefined ? null : { id };
}

interface BodyWatch {
  isStream: boolean;
  mostBytes: number;
  onEnd(end: { tooLarge: boolean; resumable: boolean }): void;
}

function watchedBody(body: ReadableStream<Uint8Array>, { isStream, mostBytes, onEnd }: BodyWatch) {
  const reader = body.getReader();
  let bytes = 0;
  let resumable = false;
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (done) {
          controller.close();
          return onEnd({ tooLarge: false, resumable });
        }
        const end = isStream ? eventEnd(value) : -1;
        bytes = end < 0 ? bytes + value.length : value.length - end;
        resumable ||= isStream && hasEventId(value);
        if (bytes <= mostBytes) return controller.enqueue(value);
        controller.error(new Error(tooLargeMessage(mostBytes)));
        onEnd({ tooLarge: true, resumable });
        await reader.cancel();
      } catch (error) {
        controller.error(error);
        onEnd({ tooLarge: false, resumable });
      }
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

/** Where the last event ends that ends in this chunk; a blank line that two chunks share is missed, to no harm. */
function eventEnd(chunk: Uint8Array): number {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return Math.max(bytes.lastIndexOf('\n\n'), bytes.lastIndexOf('\r\n\r\n'));
}

/** Line breaks within data are escaped, so a line that begins so is a field. */
function hasEventId(chunk: Uint8Array): boolean {
  const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
  return bytes.indexOf('id:') === 0 || bytes.includes('\nid:');
}
