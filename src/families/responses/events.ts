import type { ResponseObject } from './contract.ts';
import type { ContentPart, Item } from './items.ts';

/**
 * A response is a fold over its event log. The log holds `LoggedEvent`s; what clients see of one is made from it and
 * the response folded so far. Lifecycle events therefore log only what they change, and show the whole response.
 */

type Part = Extract<ContentPart, { type: 'output_text' | 'refusal' | 'reasoning_text' | 'summary_text' }>;
type ItemAt = { item_id: string; output_index: number };
type PartAt = ItemAt & { content_index: number };
type SummaryAt = ItemAt & { summary_index: number };

type LifecycleType =
  | 'response.created'
  | 'response.queued'
  | 'response.in_progress'
  | 'response.completed'
  | 'response.incomplete'
  | 'response.failed';

export type ResponseEvent =
  | { type: 'response.created'; response: ResponseObject }
  | { type: Exclude<LifecycleType, 'response.created'>; change: Partial<ResponseObject> }
  | { type: 'response.output_item.added' | 'response.output_item.done'; output_index: number; item: Item }
  | ({ type: 'response.content_part.added' | 'response.content_part.done'; part: Part } & PartAt)
  | ({ type: 'response.output_text.delta'; delta: string; logprobs: [] } & PartAt)
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
  | ({ type: 'response.reasoning_summary_text.done'; text: string } & SummaryAt);

export type LoggedEvent = ResponseEvent & { sequence_number: number };

const terminal = new Set<string>(['response.completed', 'response.incomplete', 'response.failed']);

export const isTerminal = (event: { type: string }): boolean => terminal.has(event.type);

/** Applies one event. Deltas need no folding: the `done` event of their part carries the whole. */
export function fold(response: ResponseObject | null, event: ResponseEvent): ResponseObject {
  if (event.type === 'response.created') return structuredClone(event.response);
  if (response === null) throw new Error(`The event log begins with ${event.type}.`);
  if ('change' in event) return Object.assign(response, event.change);
  if (event.type === 'response.output_item.added' || event.type === 'response.output_item.done') {
    response.output[event.output_index] = event.item;
  }
  return response;
}

/** The event as clients see it, one line of JSON. `response` is the fold up to and including the event. */
export function wireJson(event: LoggedEvent, response: ResponseObject): string {
  if (event.type !== 'response.created' && !('change' in event)) return JSON.stringify(event);
  return JSON.stringify({ type: event.type, sequence_number: event.sequence_number, response });
}

/** Numbers events, keeps them, and folds the response as they come. */
export class EventLog {
  readonly events: LoggedEvent[] = [];
  #response: ResponseObject | null = null;

  append(event: ResponseEvent): LoggedEvent {
    const logged = { ...event, sequence_number: this.events.length } as LoggedEvent;
    this.events.push(logged);
    this.#response = fold(this.#response, logged);
    return logged;
  }

  get response(): ResponseObject {
    if (this.#response === null) throw new Error('The event log is empty.');
    return this.#response;
  }
}

/** The frames that a client would have seen, from a stored log; events up to and including `after` are left out. */
export function* replay(
  events: LoggedEvent[],
  after: number,
): Generator<{ event: LoggedEvent; data: string }> {
  let response: ResponseObject | null = null;
  for (const event of events) {
    response = fold(response, event);
    if (event.sequence_number > after) yield { event, data: wireJson(event, response) };
  }
}
