import type { Outbound } from '../../outbound/outbound.ts';

export interface FetchLimits {
  /** Where the headers belong; a card may name other places, which do not get them. */
  origin: string;
  headers: Record<string, string>;
  mostBytes: number;
}

/** `fetch` for a client library: with credentials for one origin, and answers up to a number of bytes. */
export function limitedFetch(outbound: Outbound, { origin, headers, mostBytes }: FetchLimits): typeof fetch {
  return async (input, init) => {
    const request = new Request(input, init);
    if (new URL(request.url).origin === origin) {
      for (const [name, value] of Object.entries(headers)) request.headers.set(name, value);
    }
    const response = await outbound.fetch(request);
    if (response.body === null) return response;
    const { status, statusText, headers: answered } = response;
    return new Response(response.body.pipeThrough(limit(mostBytes)), {
      status,
      statusText,
      headers: answered,
    });
  };
}

function limit(mostBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let left = mostBytes;
  return new TransformStream({
    transform(chunk, controller) {
      left -= chunk.length;
      if (left < 0) controller.error(new Error(`the answer is longer than ${mostBytes} bytes`));
      else controller.enqueue(chunk);
    },
  });
}
