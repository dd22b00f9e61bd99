import { newItemId } from '../../kit/ids.ts';
import { recordOf } from '../../kit/record.ts';
import type { ModelEvent } from '../../providers/models/model.ts';
import type { CitedSource } from '../../providers/tools/tool.ts';
import type { ClientTool } from './client-tools.ts';
import type { ResponseEvent } from './events.ts';
import type { ContentPart, Item } from './items.ts';

export type Emit = (event: ResponseEvent) => void;

/** What items need to know of the response they belong to. */
export interface ItemOptions {
  partition: string;
  /** Members that every item carries: whose it is. */
  itemFields: object;
  /** Seals the text of reasoning, where the caller has asked to carry it. */
  seal: ((text: string) => string) | null;
  /** What messages may refer to; it grows as tools are run. */
  sources?: readonly CitedSource[];
}

/** An item under way. `close` emits what completes it and returns it whole, or null when its end comes later. */
export interface OpenItem {
  kind: 'message' | 'reasoning' | 'call';
  add(event: ModelEvent): void;
  close(status: 'completed' | 'incomplete'): Item | null;
}

export function openMessage(
  emit: Emit,
  { partition, itemFields, sources = [] }: ItemOptions,
  output_index: number,
): OpenItem {
  const item_id = newItemId('message', partition);
  const item = { id: item_id, type: 'message' as const, role: 'assistant', ...itemFields };
  emit({
    type: 'response.output_item.added',
    output_index,
    item: { ...item, status: 'in_progress', content: [] },
  });
  const content: ContentPart[] = [];
  let part: { kind: 'text' | 'refusal'; text: string } | null = null;

  const closePart = (): void => {
    if (part === null) return;
    const at = { item_id, output_index, content_index: content.length };
    const { text } = part;
    const annotations = part.kind === 'text' ? citations(text, sources) : [];
    const whole = outputPart(part.kind, text, annotations);
    for (const [annotation_index, annotation] of annotations.entries()) {
      emit({ type: 'response.output_text.annotation.added', ...at, annotation_index, annotation });
    }
    if (part.kind === 'text') emit({ type: 'response.output_text.done', ...at, text, logprobs: [] });
    else emit({ type: 'response.refusal.done', ...at, refusal: text });
    emit({ type: 'response.content_part.done', ...at, part: whole });
    content.push(whole);
    part = null;
  };

  return {
    kind: 'message',
    add(event) {
      if (event.type !== 'text' && event.type !== 'refusal') return;
      if (part !== null && part.kind !== event.type) closePart();
      const at = { item_id, output_index, content_index: content.length };
      if (part === null) {
        part = { kind: event.type, text: '' };
        emit({ type: 'response.content_part.added', ...at, part: outputPart(event.type, '') });
      }
      part.text += event.delta;
      if (event.type === 'text')
        emit({ type: 'response.output_text.delta', ...at, delta: event.delta, logprobs: [] });
      else emit({ type: 'response.refusal.delta', ...at, delta: event.delta });
    },
    close(status) {
      closePart();
      return { ...item, status, content };
    },
  };
}

const mostCitations = 256;

/** Every mention of a source, in the order of the text; of two at one place the longer. */
function citations(text: string, sources: readonly CitedSource[]): Record<string, unknown>[] {
  const found: (Omit<CitedSource, 'mention'> & { start: number; end: number })[] = [];
  const longestFirst = [...sources].sort((a, b) => b.mention.length - a.mention.length);
  for (const { mention, ...cited } of longestFirst) {
    let start = text.indexOf(mention);
    while (start !== -1 && mention !== '' && found.length < mostCitations) {
      const end = start + mention.length;
      if (found.every((other) => end <= other.start || start >= other.end)) {
        found.push({ start, end, ...cited });
      }
      start = text.indexOf(mention, end);
    }
  }
  found.sort((a, b) => a.start - b.start);
  return found.map(({ start, end, annotation, place }) =>
    place === 'index'
      ? { ...annotation, index: start }
      : { ...annotation, start_index: start, end_index: end },
  );
}

const outputPart = (kind: 'text' | 'refusal', text: string, annotations: Record<string, unknown>[] = []) =>
  kind === 'text'
    ? { type: 'output_text' as const, text, annotations, logprobs: [] }
    : { type: 'refusal' as const, refusal: text };

export function openReasoning(emit: Emit, options: ItemOptions, output_index: number): OpenItem {
  const item_id = newItemId('reasoning', options.partition);
  const item = { id: item_id, type: 'reasoning' as const, ...options.itemFields };
  const at = { item_id, output_index, summary_index: 0 };
  emit({ type: 'response.output_item.added', output_index, item: { ...item, summary: [] } });
  emit({
    type: 'response.reasoning_summary_part.added',
    ...at,
    part: { type: 'summary_text', text: '' },
  });
  let text = '';
  return {
    kind: 'reasoning',
    add(event) {
      if (event.type !== 'reasoning') return;
      text += event.delta;
      emit({ type: 'response.reasoning_summary_text.delta', ...at, delta: event.delta });
    },
    close() {
      const part = { type: 'summary_text' as const, text };
      emit({ type: 'response.reasoning_summary_text.done', ...at, text });
      emit({ type: 'response.reasoning_summary_part.done', ...at, part });
      const sealed = options.seal === null ? {} : { encrypted_content: options.seal(text) };
      return { ...item, summary: [part], ...sealed };
    },
  };
}

export function openFunctionCall(
  emit: Emit,
  { partition, itemFields }: ItemOptions,
  output_index: number,
  call_id: string,
  name: string,
): OpenItem {
  const item_id = newItemId('function_call', partition);
  const item = { id: item_id, type: 'function_call' as const, call_id, name, ...itemFields };
  emit({
    type: 'response.output_item.added',
    output_index,
    item: { ...item, arguments: '', status: 'in_progress' },
  });
  let text = '';
  return {
    kind: 'call',
    add(event) {
      if (event.type !== 'tool_arguments') return;
      text += event.delta;
      emit({ type: 'response.function_call_arguments.delta', item_id, output_index, delta: event.delta });
    },
    close(status) {
      emit({
        type: 'response.function_call_arguments.done',
        item_id,
        output_index,
        name,
        arguments: text,
      });
      return { ...item, arguments: text, status };
    },
  };
}

/** A call of the client's with a shape of its own; it can be told of once its arguments are whole. */
export function openClientToolCall(
  emit: Emit,
  { partition, itemFields }: ItemOptions,
  output_index: number,
  call_id: string,
  tool: ClientTool,
): OpenItem {
  const item = { id: newItemId(tool.itemType, partition), type: tool.itemType, call_id, ...itemFields };
  emit({
    type: 'response.output_item.added',
    output_index,
    item: { ...item, ...tool.empty, status: 'in_progress' },
  });
  let json = '';
  return {
    kind: 'call',
    add(event) {
      if (event.type === 'tool_arguments') json += event.delta;
    },
    close(status) {
      const fields = status === 'incomplete' ? tool.empty : tool.fields(argumentsOf(json));
      for (const [command_index, command] of (tool.commands?.(fields) ?? []).entries()) {
        const at = { output_index, command_index };
        emit({ type: 'response.shell_call_command.added', ...at, command: '' });
        emit({ type: 'response.shell_call_command.delta', ...at, delta: command });
        emit({ type: 'response.shell_call_command.done', ...at, command });
      }
      return { ...item, ...fields, status };
    },
  };
}

/** What is no object is told like any other call that is none. */
function argumentsOf(json: string): Record<string, unknown> {
  try {
    return recordOf(JSON.parse(json));
  } catch {
    return {};
  }
}

/** Models take JSON only, so free text travels as `{"input": …}`; it can be read once it is whole. */
export function openCustomCall(
  emit: Emit,
  { partition, itemFields }: ItemOptions,
  output_index: number,
  call_id: string,
  name: string,
): OpenItem {
  const item_id = newItemId('custom_tool_call', partition);
  const item = { id: item_id, type: 'custom_tool_call' as const, call_id, name, ...itemFields };
  emit({
    type: 'response.output_item.added',
    output_index,
    item: { ...item, input: '', status: 'in_progress' },
  });
  let json = '';
  return {
    kind: 'call',
    add(event) {
      if (event.type === 'tool_arguments') json += event.delta;
    },
    close(status) {
      const input = freeText(json);
      if (input !== '') {
        emit({ type: 'response.custom_tool_call_input.delta', item_id, output_index, delta: input });
      }
      emit({ type: 'response.custom_tool_call_input.done', item_id, output_index, input });
      return { ...item, input, status };
    },
  };
}

function freeText(json: string): string {
  try {
    const { input } = JSON.parse(json) as { input?: unknown };
    return typeof input === 'string' ? input : json;
  } catch {
    return json;
  }
}
