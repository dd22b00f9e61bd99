import { doneFrame, frame } from '../../kit/sse-frame.ts';
import type { ToolEvent } from '../../providers/tools/tool.ts';
import type { ResponseObject } from './contract.ts';
import type { ContentPart, Item } from './items.ts';

/**
 * A response is a fold over its event log. The log is a list of lines, one JSON text per event. Lifecycle events log
 * only what they change and are shown to clients with the whole response; the line of any other event is what
 * clients see, to the byte.
 */

type Part = Extract<ContentPart, { type: 'output_text' | 'refusal' | 'reasoning_text' | 'summary_text' }>;
type ItemAt = { item_id: string; output_index: number };
type PartAt = ItemAt & { content_index: number };
type SummaryAt = ItemAt & { summary_index: number };

export type LifecycleType =
  | 'response.created'
  | 'response.queued'
  | 'response.in_progress'
  | 'response.completed'
  | 'response.incomplete'
  | 'response.failed';

type Change = { change: Partial<ResponseObject> };

export type TerminalEvent = {
  type: 'response.completed' | 'response.incomplete' | 'response.failed';
} & Change;

/** `type` comes first in each, and so in each line. */
export type ResponseEvent =
  | { type: 'response.created'; response: ResponseObject }
  | ({ type: 'response.queued' | 'response.in_progress' } & Change)
  | TerminalEvent
  | { type: 'response.output_item.added' | 'response.output_item.done'; output_index: number; item: Item }
  | ({ type: 'response.content_part.added' | 'response.content_part.done'; part: Part } & PartAt)
  | ({ type: 'response.output_text.delta'; delta: string; logprobs: [] } & PartAt)
  | ({
      type: 'response.output_text.annotation.added';
      annotation_index: number;
      annotation: Record<string, unknown>;
    } & PartAt)
  | ({ type: 'response.output_text.done'; text: string; logprobs: [] } & PartAt)
  | ({ type: 'response.refusal.delta'; delta: string } & PartAt)
  | ({ type: 'response.refusal.done'; refusal: string } & PartAt)
  | ({ type: 'response.function_call_arguments.delta'; delta: string } & ItemAt)
  | ({ type: 'response.function_call_arguments.done'; name: string; arguments: string } & ItemAt)
  | ({ type: 'response.custom_tool_call_input.delta'; delta: string } & ItemAt)
  | ({ type: 'response.custom_tool_call_input.done'; input: string } & ItemAt)
  | ({
      type: 'response.reasoning_summary_part.added' | 'response.reasoning_summary_part.done';
      part: Part;
    } & SummaryAt)
  | ({ type: 'response.reasoning_summary_text.delta'; delta: string } & SummaryAt)
  | ({ type: 'response.reasoning_summary_text.done'; text: string } & SummaryAt)
  | {
      type: 'response.shell_call_command.added' | 'response.shell_call_command.done';
      output_index: number;
      command_index: number;
      command: string;
    }
  | { type: 'response.shell_call_command.delta'; output_index: number; command_index: number; delta: string }
  | (ToolEvent & ItemAt);

/** Applies one event. Deltas need no folding: the `done` event of their item carries the whole. */
export function fold(response: ResponseObject | null, event: ResponseEvent): ResponseObject {
  if (event.type === 'response.created') return { ...event.response, output: [...event.response.output] };
  if (response === null) throw new Error(`The event log begins with ${event.type}.`);
  if ('change' in event) return Object.assign(response, event.change);
  if (event.type === 'response.output_item.added' || event.type === 'response.output_item.done') {
    response.output[event.output_index] = event.item;
  }
  return response;
}

const lifecycle = new Set<string>([
  'response.created',
  'response.queued',
  'response.in_progress',
  'response.completed',
  'response.incomplete',
  'response.failed',
]);
const items = new Set<string>(['response.output_item.added', 'response.output_item.done']);

const typeStart = '{"type":"'.length;
const typeOf = (line: string): string => line.slice(typeStart, line.indexOf('"', typeStart));

/** The response that a log tells of so far. */
export function foldLines(lines: string[]): ResponseObject {
  let response: ResponseObject | null = null;
  for (const line of lines) {
    const type = typeOf(line);
    if (lifecycle.has(type) || items.has(type)) response = fold(response, JSON.parse(line));
  }
  if (response === null) throw new Error('The event log is empty.');
  return response;
}

/** The lines of a log that its response is folded from. */
export const foldedFrom = (lines: string[]): string[] =>
  lines.filter((line) => {
    const type = typeOf(line);
    return lifecycle.has(type) || type === 'response.output_item.done';
  });

/** An event as clients see it. */
export interface LogEntry {
  type: string;
  data: string;
}

const batchCharacters = 1_048_576;

/** Where a reader of a log stands, and the response that the lines before it tell of. */
class LogCursor {
  #at = 0;
  readonly #after: number;
  #response: ResponseObject | null = null;

  constructor(after: number) {
    this.#after = after;
  }

  get at(): number {
    return this.#at;
  }

  /** Hands over the events before `end`, up to a bound. */
  read(lines: readonly string[], end: number, take: (type: string, data: string) => void): void {
    let type = '';
    let start = '';
    let isFolded = false;
    for (let characters = 0; this.#at < end && characters < batchCharacters; this.#at++) {
      const line = lines[this.#at] as string;
      // Most lines are of the type of the one before.
      if (start === '' || !line.startsWith(start)) {
        type = typeOf(line);
        start = `{"type":"${type}"`;
        isFolded = lifecycle.has(type) || items.has(type);
      }
      let data = line;
      if (isFolded) {
        this.#response = fold(this.#response, JSON.parse(line));
        if (lifecycle.has(type)) {
          data = JSON.stringify({ type, response: this.#response, sequence_number: this.#at });
        }
      }
      if (this.#at <= this.#after) continue;
      take(type, data);
      characters += data.length;
    }
  }
}

/** Numbers events, keeps them, folds the response as they come, and hands them to any number of readers. */
export class EventLog {
  readonly lines: string[];
  #response: ResponseObject | null = null;
  #ended: boolean;
  #brokenOff = false;
  #grown: PromiseWithResolvers<void> | null = null;
  /** How many lines readers may see; null for all. */
  #visible: number | null = null;

  /** With `lines` the log of a response that has ended, unless it is to go on. */
  constructor(lines: string[] | null = null, goesOn = false) {
    this.lines = lines ?? [];
    this.#ended = lines !== null && !goesOn;
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
    this.#response ??= foldLines(this.lines);
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
    while (await this.#reaches(cursor.at)) {
      const entries: LogEntry[] = [];
      cursor.read(this.lines, this.#readable, (type, data) => entries.push({ type, data }));
      yield* entries;
    }
  }

  /** The same as server-sent events, as many at a time as are there, up to a bound: a long log costs few steps. */
  async *frames(after = -1): AsyncGenerator<string> {
    const cursor = new LogCursor(after);
    let frames = '';
    while (await this.#reaches(cursor.at)) {
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
