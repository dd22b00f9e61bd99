/** Server-sent events, read as they come: in pieces of any size, by the rules of the HTML standard. */

export interface ServerEvent {
  /** `message` where the stream names none. */
  type: string;
  data: string;
  /** The last `id` of the stream so far. */
  id: string;
}

/** What stands for the data after the last event. */
export const doneData = '[DONE]';

const mostCharacters = 64 * 1024 * 1024;

export class SseParser {
  readonly #decoder = new TextDecoder();
  readonly #mostCharacters: number;
  #isFirst = true;
  #endedByReturn = false;
  #line = '';
  #type = '';
  #data: string[] | null = null;
  #size = 0;
  #id = '';
  /** What the stream asks to wait before it is opened again, in milliseconds. */
  retryMs: number | null = null;

  /** `most`: of the characters of one event. */
  constructor(most = mostCharacters) {
    this.#mostCharacters = most;
  }

  /** The events that this piece completes. What never gets its blank line is no event. */
  push(piece: Uint8Array | string): ServerEvent[] {
    let text = typeof piece === 'string' ? piece : this.#decoder.decode(piece, { stream: true });
    if (text === '') return [];
    // The decoder takes the mark off bytes; in strings it is still there.
    if (this.#isFirst && text.startsWith('\uFEFF')) text = text.slice(1);
    this.#isFirst = false;
    const events: ServerEvent[] = [];
    let from = this.#endedByReturn && text.startsWith('\n') ? 1 : 0;
    if (text !== '') this.#endedByReturn = false;
    for (const end of text.matchAll(/\r\n|\r|\n/g)) {
      if (end.index < from) continue;
      const line = this.#line + text.slice(from, end.index);
      this.#line = '';
      from = end.index + end[0].length;
      this.#endedByReturn = end[0] === '\r' && from === text.length;
      const event = line === '' ? this.#dispatch() : this.#take(line);
      if (event !== null) events.push(event);
    }
    this.#line += text.slice(from);
    this.#check();
    return events;
  }

  #take(line: string): null {
    const colon = line.indexOf(':');
    const field = colon === -1 ? line : line.slice(0, colon);
    const value = colon === -1 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    if (field === 'data') {
      this.#data ??= [];
      this.#data.push(value);
      this.#size += value.length + 1;
      this.#check();
    } else if (field === 'event') this.#type = value;
    else if (field === 'id' && !value.includes('\0')) this.#id = value;
    else if (field === 'retry' && /^\d{1,9}$/.test(value)) this.retryMs = Number(value);
    return null;
  }

  #dispatch(): ServerEvent | null {
    const data = this.#data;
    const type = this.#type || 'message';
    this.#data = null;
    this.#type = '';
    this.#size = 0;
    return data === null ? null : { type, data: data.join('\n'), id: this.#id };
  }

  #check(): void {
    if (this.#size + this.#line.length <= this.#mostCharacters) return;
    throw new Error(`An event of the stream is larger than ${this.#mostCharacters} characters.`);
  }
}

/** The events of a body, which is let go of when the reader leaves, or when nothing comes for so long. */
export async function* readEvents(
  body: ReadableStream<Uint8Array>,
  idleMs: number,
): AsyncGenerator<ServerEvent, void> {
  const parser = new SseParser();
  const reader = body.getReader();
  let isOver = false;
  try {
    for (;;) {
      const { value, done } = await within(idleMs, reader.read());
      isOver = done;
      if (done) return;
      yield* parser.push(value);
    }
  } finally {
    if (!isOver) void reader.cancel().catch(() => {});
  }
}

async function within<T>(milliseconds: number, coming: Promise<T>): Promise<T> {
  const silence = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => silence.reject(new Error(`it was silent for ${milliseconds / 1000} seconds`)),
    milliseconds,
  );
  try {
    return await Promise.race([coming, silence.promise]);
  } finally {
    clearTimeout(timer);
  }
}
