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

export interface WatchedFetch {
  fetch: typeof fetch;
  /** Ends what is still open of a request whose answer nobody waits for any more. */
  drop(id: RequestId): void;
  /** The same for one that was answered, once its server has had the time to end it. */
  finish(id: RequestId): void;
}

const closed = 'The server closed the connection before it answered.';
/** The protocol's own reader is behind a few pipes; what has arrived has to get through. */
const graceMilliseconds = 250;

/**
 * A fetch for the transports of the protocol, which wait until their timeout when a stream dies, and read any amount,
 * for as long as the server likes: this one tells of what is lost and ends what is too large or of no use.
 */
export function watchedFetch(outbound: Outbound, watch: Watch): WatchedFetch {
  const drops = new Map<RequestId, () => void>();
  const drop = (id: RequestId) => drops.get(id)?.();

  const watchedOne: typeof fetch = async (input, init) => {
    const request = requestOf(init);
    const { signal, settle } = ownSignal(init?.signal);
    const end = () => {
      settle();
      if (request !== null) drops.delete(request.id);
    };
    if (request !== null) drops.set(request.id, () => settle(new Error('Nobody waits for the answer.')));
    const response = await outbound.fetch(input, { ...init, signal }).catch((error) => {
      end();
      throw error;
    });
    const { body, status, statusText, headers } = response;
    if (body === null || status < 200 || status === 204 || status === 205 || status === 304) {
      end();
      return response;
    }
    const isStream = (headers.get('content-type') ?? '').startsWith('text/event-stream');
    const watched = watchedBody(body, {
      isStream,
      mostBytes: watch.mostBytes,
      onEnd(how) {
        end();
        if (how === null) return;
        const { tooLarge, resumable } = how;
        if (tooLarge) watch.onLost(request?.id ?? null, tooLargeMessage(watch.mostBytes));
        if (tooLarge || !response.ok || !isStream) return;
        if (request === null && !watch.sharedStream) return;
        if (request !== null && resumable) watch.onSuspended(request.id);
        else setTimeout(() => watch.onLost(request?.id ?? null, closed), graceMilliseconds).unref();
      },
    });
    if (request !== null && isStream) drops.set(request.id, () => watched.drop(request.id));
    return new Response(watched.body, { status, statusText, headers: [...headers] });
  };

  return {
    fetch: watchedOne,
    drop,
    finish(id) {
      if (drops.has(id)) setTimeout(drop, graceMilliseconds, id).unref();
    },
  };
}

const tooLargeMessage = (bytes: number): string =>
  `The server's answer is larger than ${Math.floor(bytes / 1_048_576)} MB; the connection was ended.`;

function requestOf(init: RequestInit | undefined): { id: RequestId } | null {
  if (init?.method !== 'POST' || typeof init.body !== 'string') return null;
  const { id, method } = JSON.parse(init.body) as { id?: RequestId; method?: string };
  return id === undefined || method === undefined ? null : { id };
}

/** A signal for one request, so that the one of a connection that lives long does not gather listeners. */
function ownSignal(outer: AbortSignal | null | undefined): {
  signal: AbortSignal;
  settle(reason?: Error): void;
} {
  const controller = new AbortController();
  const onAbort = () => controller.abort(outer?.reason);
  if (outer?.aborted) onAbort();
  else outer?.addEventListener('abort', onAbort);
  return {
    signal: controller.signal,
    settle(reason) {
      outer?.removeEventListener('abort', onAbort);
      if (reason !== undefined) controller.abort(reason);
    },
  };
}

interface BodyWatch {
  isStream: boolean;
  mostBytes: number;
  /** Called once; null where the reader, or whoever dropped it, had no more use for it. */
  onEnd(how: { tooLarge: boolean; resumable: boolean } | null): void;
}

function watchedBody(body: ReadableStream<Uint8Array>, { isStream, mostBytes, onEnd }: BodyWatch) {
  const reader = body.getReader();
  let controller: ReadableStreamDefaultController<Uint8Array> | undefined;
  let bytes = 0;
  let resumable = false;
  let ended = false;
  const end = (how: Parameters<BodyWatch['onEnd']>[0]): void => {
    if (ended) return;
    ended = true;
    onEnd(how);
  };
  const watched = new ReadableStream<Uint8Array>({
    start(given) {
      controller = given;
    },
    async pull(controller) {
      try {
        const { done, value } = await reader.read();
        if (ended) return;
        if (done) {
          controller.close();
          return end({ tooLarge: false, resumable });
        }
        const last = isStream ? eventEnd(value) : -1;
        bytes = last < 0 ? bytes + value.length : value.length - last;
        resumable ||= isStream && hasEventId(value);
        if (bytes <= mostBytes) return controller.enqueue(value);
        controller.error(new Error(tooLargeMessage(mostBytes)));
        end({ tooLarge: true, resumable });
        await reader.cancel();
      } catch (error) {
        if (!ended) controller.error(error);
        end({ tooLarge: false, resumable });
      }
    },
    cancel(reason) {
      end(null);
      return reader.cancel(reason);
    },
  });
  return {
    body: watched,
    drop(id: RequestId) {
      if (ended) return;
      end(null);
      // The transport takes up again what ends without an answer.
      controller?.enqueue(Buffer.from(`\n\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, result: {} })}\n\n`));
      controller?.close();
      reader.cancel().catch(() => {});
    },
  };
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
