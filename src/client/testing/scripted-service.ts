/** A service that answers what a test says, and a clock that nobody waits for. */
import { type Client, type ClientOptions, createClient } from '../index.ts';

export interface Received {
  method: string;
  url: string;
  headers: Headers;
  body: string;
}

type Reply = Response | Error | ((request: Received) => Response | Promise<Response>);

export const endpoint = 'https://foundry.test/api/projects/p';

export const json = (body: unknown, status = 200, headers: Record<string, string> = {}): Response =>
  Response.json(body, { status, headers });

/** Its replies one after the other; the last one goes on for ever. */
export function scriptedService(replies: Reply[], options: Partial<ClientOptions> = {}) {
  const received: Received[] = [];
  const waits: number[] = [];
  let now = 1_000_000;
  const client: Client = createClient({
    endpoint,
    credential: { key: 'k' },
    random: () => 0.5,
    clock: {
      now: () => now,
      async sleep(milliseconds, signal) {
        signal?.throwIfAborted();
        waits.push(milliseconds);
        now += milliseconds;
      },
    },
    fetch: async (url, init) => {
      init?.signal?.throwIfAborted();
      const request = new Request(url, init);
      const got = {
        method: request.method,
        url: String(url),
        headers: new Headers(request.headers),
        body: await request.text(),
      };
      const reply = replies[Math.min(received.push(got), replies.length) - 1];
      if (reply instanceof Error) throw reply;
      return typeof reply === 'function' ? reply(got) : (reply ?? json({}, 404)).clone();
    },
    ...options,
  });
  return { client, received, waits };
}

/** Pieces of a body that then ends, or breaks. */
export const bodyOf = (
  pieces: (string | Uint8Array)[],
  end: 'whole' | 'broken',
): ReadableStream<Uint8Array> =>
  new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece !== undefined) controller.enqueue(typeof piece === 'string' ? Buffer.from(piece) : piece);
      else if (end === 'whole') controller.close();
      else controller.error(new TypeError('terminated'));
    },
  });

export const events =
  (pieces: (string | Uint8Array)[], end: 'whole' | 'broken' = 'whole') =>
  () =>
    new Response(bodyOf([...pieces], end), {
      headers: { 'content-type': 'text/event-stream; charset=utf-8' },
    });

export const frame = (event: object): string => `data: ${JSON.stringify(event)}\n\n`;
