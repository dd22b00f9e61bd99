import type { ServedProcess } from './served-process.ts';

export type Json = { [key: string]: unknown };

/** One frame of a stream; `data` is the text behind `data: `, to the byte. */
export interface StreamEvent {
  type: string;
  data: string;
}

export interface Client {
  /** Sends a request and returns the JSON of its 2xx answer. Throws `Refused` for others, `Cut` without an answer. */
  ask(method: 'GET' | 'POST' | 'DELETE', path: string, body?: Json): Promise<Json>;
  /** The events of a stream up to `[DONE]`, which is left out. Leaving the loop cuts the connection. */
  stream(method: 'GET' | 'POST', path: string, body?: Json): AsyncGenerator<StreamEvent>;
}

/** The connection ended before the answer was whole. `status` is 0 where not even a head had come. */
export class Cut extends Error {
  readonly status: number;

  constructor(status: number, cause: unknown) {
    super('The connection was cut.', { cause });
    this.status = status;
  }
}

export class Refused extends Error {
  readonly status: number;

  constructor(what: string, status: number, body: string) {
    super(`${what} was answered with ${status}: ${body.slice(0, 1000)}`);
    this.status = status;
  }
}

/** A client with no retries and no kindness. `onEvent` hears of every request, head, frame and end of an answer. */
export function createClient({ base, apiKey }: ServedProcess, onEvent: () => void = () => {}): Client {
  async function open(method: string, path: string, body: Json | undefined, signal?: AbortSignal) {
    onEvent();
    const answer = await fetch(base + path, {
      method,
      headers: {
        'api-key': apiKey,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      ...(signal === undefined ? {} : { signal }),
    }).catch((error: unknown) => {
      throw new Cut(0, error);
    });
    onEvent();
    if (answer.ok) return answer;
    const text = await answer.text().catch((error: unknown) => {
      throw new Cut(answer.status, error);
    });
    throw new Refused(`${method} ${path}`, answer.status, text);
  }

  return {
    async ask(method, path, body) {
      const answer = await open(method, path, body);
      const text = await answer.text().catch((error: unknown) => {
        throw new Cut(answer.status, error);
      });
      onEvent();
      return JSON.parse(text) as Json;
    },

    async *stream(method, path, body) {
      const control = new AbortController();
      const answer = await open(method, path, body, control.signal);
      const reader = (answer.body as ReadableStream<Uint8Array>).getReader();
      const decoder = new TextDecoder();
      let text = '';
      try {
        for (;;) {
          const { done, value } = await reader.read().catch((error: unknown) => {
            throw new Cut(answer.status, error);
          });
          if (done) throw new Error(`The stream ${path} ended without [DONE].`);
          text += decoder.decode(value, { stream: true });
          const frames = text.split('\n\n');
          text = frames.pop() as string;
          for (const frame of frames) {
            const event = eventOf(frame);
            if (event === null) continue;
            onEvent();
            if (event.data === '[DONE]') return;
            yield event;
          }
        }
      } finally {
        control.abort();
      }
    },
  };
}

/** Null for a comment. */
function eventOf(frame: string): StreamEvent | null {
  if (frame.startsWith(':')) return null;
  const [, type, data] = /^event: (.+)\ndata: (.+)$/.exec(frame) ?? [];
  if (type === undefined || data === undefined) throw new Error(`This is no event: ${frame}`);
  return { type, data };
}

/** All elements of a list, page by page. `path` has a query already. */
export async function listAll(client: Client, path: string): Promise<Json[]> {
  const found: Json[] = [];
  for (let after = ''; ; ) {
    const page = await client.ask('GET', `${path}&limit=100${after}`);
    found.push(...(page.data as Json[]));
    if (page.has_more !== true) return found;
    after = `&after=${page.last_id}`;
  }
}
