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

/** The type of the event whose line begins at a place of a text. */
export const typeAt = (text: string, at = 0): string =>
  text.slice(at + typeStart, text.indexOf('"', at + typeStart));

/** Whether events of a type log only what they change of the response. */
export const isLifecycle = (type: string): boolean => lifecycle.has(type);

/** Whether the response depends on events of a type. */
export const isFolded = (type: string): boolean => lifecycle.has(type) || items.has(type);

/** Folds the events of a log as a reader comes to them. */
export class Folding {
  #response: ResponseObject | null = null;

  /** Takes in the line of a folded event and returns it as clients see it. */
  take(type: string, line: string, number: number): string {
    this.#response = fold(this.#response, JSON.parse(line));
    if (!lifecycle.has(type)) return line;
    return JSON.stringify({ type, response: this.#response, sequence_number: number });
  }
}
