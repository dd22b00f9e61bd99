import { doneFrame, frame } from '../../kit/sse-frame.ts';
import type { ResponseObject } from './contract.ts';
import { Folding, fold, isFolded, type ResponseEvent, type TerminalEvent, typeAt } from './events.ts';
import { batchCharacters, foldText, logLines, textFrames } from './log-text.ts';

/** An event as clients see it. */
export interface LogEntry {
  type: string;
  data: string;
}

/** Where a reader of a log that may grow stands. */
class LogCursor {
  at = 0;
  readonly #after: number;
  readonly #folding = new Folding();

  constructor(after: number) {
    this.#after = after;
  }

  /** Hands over the events before `end`, up to a bound. */
  read(lines: readonly string[], end: number, take: (type: string, data: string) => void): void {
    for (let characters = 0; this.at < end && characters < batchCharacters; this.at++) {
      const line = lines[this.at] as string;
      const type = typeAt(line);
      const data = isFolded(type) ? this.#folding.take(type, line, this.at) : line;
      if (this.at <= this.#after) continue;
      take(type, data);
      characters += data.length;
    }
  }
}

/** Numbers events, keeps them, folds the response as they come, and hands them to any number of readers. */
export class EventLog {
  #lines: string[] | null;
  /** Of a log that has ended, what is stored of it. */
  #text: string | null = null;
  #response: ResponseObject | null = null;
  #ended: boolean;
  #brokenOff = false;
  #grown: PromiseWithResolvers<void> | null = null;
  /** How many lines readers may see; null for all. */
  #visible: number | null = null;

  /** A log that goes on behind the lines that there are. */
  constructor(lines: string[] = []) {
    this.#lines = lines;
    this.#ended = false;
  }

  /** The log of a response that has ended. */
  static ended(text: string): EventLog {
    const log = new EventLog();
    log.#text = text;
    log.#lines = null;
    log.#ended = true;
    return log;
  }

  get lines(): string[] {
    this.#lines ??= logLines(this.#text ?? '');
    return this.#lines;
  }

  /** From now on readers see only what is published, and so what is on disk. */
  withhold(published: number): void {
    this.#visible = published;
  }

  publish(count: number): void {
    this.#visible = count;
    this.#wake();
  }

  /** The response so far. Not to be changed by whoever asks. */
  get response(): ResponseObject {
    this.#response ??= foldText(this.#text ?? this.lines.join('\n'));
    return this.#response;
  }

  append(event: ResponseEvent): void {
    this.lines.push(this.#line(event));
    this.#response = fold(this.#response, event);
    if (this.#visible === null) this.#wake();
  }

  /** Appends the last event, which readers see only when `persist` has stored it. */
  async conclude(
    event: TerminalEvent,
    persist: (lines: string[], response: ResponseObject) => Promise<void>,
  ): Promise<void> {
    const lines = [...this.lines, this.#line(event)];
    const response = fold({ ...this.response, output: [...this.response.output] }, event);
    await persist(lines, response);
    this.lines.push(lines.at(-1) as string);
    this.#response = response;
    this.#visible = null;
    this.#ended = true;
    this.#wake();
  }

  /** Ends the log without its last event; readers are told by an error. */
  breakOff(): void {
    this.#brokenOff = true;
    this.#wake();
  }

  /** The events as clients see them, from behind number `after` on; goes on until the log ends. */
  async *entries(after = -1): AsyncGenerator<LogEntry> {
    const cursor = new LogCursor(after);
    while (cursor.at < this.#readable || (await this.#reaches(cursor.at))) {
      const entries: LogEntry[] = [];
      cursor.read(this.lines, this.#readable, (type, data) => entries.push({ type, data }));
      yield* entries;
    }
  }

  /** The same as server-sent events, as many at a time as are there, up to a bound: a long log costs few steps. */
  async *frames(after = -1): AsyncGenerator<string> {
    if (this.#text !== null) {
      yield* textFrames(this.#text, after);
      yield doneFrame;
      return;
    }
    const cursor = new LogCursor(after);
    let frames = '';
    while (cursor.at < this.#readable || (await this.#reaches(cursor.at))) {
      cursor.read(this.lines, this.#readable, (type, data) => {
        frames += frame(type, data);
      });
      if (frames !== '') yield frames;
      // Many wait here for long, and need not hold what they have said.
      frames = '';
    }
    yield doneFrame;
  }

  /** Waits for the line of a number. False when the log ends before it. */
  async #reaches(number: number): Promise<boolean> {
    while (number >= this.#readable) {
      if (this.#ended) return false;
      if (this.#brokenOff) throw new Error('The event log broke off.');
      this.#grown ??= Promise.withResolvers<void>();
      await this.#grown.promise;
    }
    return true;
  }

  get #readable(): number {
    return this.#visible ?? this.lines.length;
  }

  #line(event: ResponseEvent): string {
    // Spliced in, since copying every event for one more member is felt on long streams.
    return `${JSON.stringify(event).slice(0, -1)},"sequence_number":${this.lines.length}}`;
  }

  #wake(): void {
    this.#grown?.resolve();
    this.#grown = null;
  }
}
