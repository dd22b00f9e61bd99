import { newId, newItemId } from '../../kit/ids.ts';
import type { ModelEvent, ModelUsage } from '../../providers/models/model.ts';
import type { ResponseEvent } from './events.ts';
import type { ContentPart, Item } from './items.ts';
import { sealReasoning } from './prompt.ts';

/** What a turn needs to know of the response it belongs to. */
export interface TurnOptions {
  /** Index of the turn's first item in the response's output. */
  firstIndex: number;
  partition: string;
  /** Members that every item carries: whose it is. */
  itemFields: object;
  /** Names of the tools that take free text instead of JSON. */
  customTools: ReadonlySet<string>;
  encryptedReasoning: boolean;
}

export interface Turn {
  push(event: ModelEvent): void;
  /** The turn's items, whole, once its `finish` event has come. */
  readonly items: Item[];
  readonly finish: Extract<ModelEvent, { type: 'finish' }> | null;
}

type Emit = (event: ResponseEvent) => void;

/** An item under way. `close` emits what completes it and returns it whole. */
interface OpenItem {
  kind: 'message' | 'reasoning' | 'call';
  add(event: ModelEvent): void;
  close(status: 'completed' | 'incomplete'): Item;
}

const longestCallId = 64;

/** Turns the events of one model call into those of a response: items opened, filled and closed, one after another. */
export function createTurn(emit: Emit, options: TurnOptions): Turn {
  const items: Item[] = [];
  let open: OpenItem | null = null;
  let finish: Turn['finish'] = null;

  const close = (status: 'completed' | 'incomplete'): void => {
    if (open === null) return;
    const item = open.close(status);
    emit({ type: 'response.output_item.done', output_index: options.firstIndex + items.length, item });
    items.push(item);
    open = null;
  };
  const ensure = (kind: OpenItem['kind'], start: (at: number) => OpenItem): OpenItem => {
    if (open !== null && open.kind !== kind) close('completed');
    open ??= start(options.firstIndex + items.length);
    return open;
  };

  return {
    items,
    get finish() {
      return finish;
    },
    push(event) {
      switch (event.type) {
        case 'text':
        case 'refusal':
          ensure('message', (at) => openMessage(emit, options, at)).add(event);
          break;
        case 'reasoning':
          ensure('reasoning', (at) => openReasoning(emit, options, at)).add(event);
          break;
        case 'tool_call': {
          close('completed');
          const { callId, name } = event;
          const id =
            callId !== '' && callId.length <= longestCallId ? callId : newId('call', options.partition);
          ensure('call', (at) =>
            options.customTools.has(name)
              ? openCustomCall(emit, options, at, id, name)
              : openFunctionCall(emit, options, at, id, name),
          );
          break;
        }
        case 'tool_arguments':
          open?.add(event);
          break;
        case 'finish':
          close(event.reason === 'length' || event.reason === 'content_filter' ? 'incomplete' : 'completed');
          finish = event;
      }
    },
  };
}

function openMessage(emit: Emit, { partition, itemFields }: TurnOptions, output_index: number): OpenItem {
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
    const whole = outputPart(part.kind, text);
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

const outputPart = (kind: 'text' | 'refusal', text: string) =>
  kind === 'text'
    ? { type: 'output_text' as const, text, annotations: [], logprobs: [] }
    : { type: 'refusal' as const, refusal: text };

function openReasoning(emit: Emit, options: TurnOptions, output_index: number): OpenItem {
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
      const sealed = options.encryptedReasoning ? { encrypted_content: sealReasoning(text) } : {};
      return { ...item, summary: [part], ...sealed };
    },
  };
}

function openFunctionCall(
  emit: Emit,
  { partition, itemFields }: TurnOptions,
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

/** Models take JSON only, so free text travels as `{"input": …}`; it can be read once it is whole. */
function openCustomCall(
  emit: Emit,
  { partition, itemFields }: TurnOptions,
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

export function usageObject(usage: ModelUsage) {
  return {
    input_tokens: usage.inputTokens,
    input_tokens_details: { cached_tokens: usage.cachedInputTokens, cache_write_tokens: 0 },
    output_tokens: usage.outputTokens,
    output_tokens_details: { reasoning_tokens: usage.reasoningTokens },
    total_tokens: usage.inputTokens + usage.outputTokens,
  };
}
