import { newId } from '../../kit/ids.ts';
import type { ModelEvent, ModelUsage } from '../../providers/models/model.ts';
import type { ClientTool } from './client-tools.ts';
import type { Item } from './items.ts';
import { openApprovalRequest, openServerCall, type PendingCall } from './server-call-items.ts';
import type { ToolBinding } from './tool-set.ts';
import {
  type Emit,
  type ItemOptions,
  type OpenItem,
  openClientToolCall,
  openCustomCall,
  openFunctionCall,
  openMessage,
  openReasoning,
} from './turn-items.ts';

export interface TurnOptions extends ItemOptions {
  /** Index of the turn's first item in the response's output. */
  firstIndex: number;
  /** Names of the tools that take free text instead of JSON. */
  customTools: ReadonlySet<string>;
  /** Tools of the client with calls of their own shape, by the function the model calls. */
  clientTools: ReadonlyMap<string, ClientTool>;
  /** The server-side tool behind each function that the model may call. */
  bindings: ReadonlyMap<string, ToolBinding>;
}

const longestCallId = 64;

/**
 * Turns the events of one model call into those of a response: items opened, filled and closed, one after another.
 * A class, as accessors of an object literal give each object a hidden class of its own, which only the big garbage
 * collection frees, with all they hold.
 */
export class Turn {
  readonly #emit: Emit;
  readonly #options: TurnOptions;
  /** Calls for the server to run. */
  readonly calls: PendingCall[] = [];
  #open: { item: OpenItem; index: number } | null = null;
  #count = 0;
  #awaitsClient = false;
  #finish: Extract<ModelEvent, { type: 'finish' }> | null = null;

  constructor(emit: Emit, options: TurnOptions) {
    this.#emit = emit;
    this.#options = options;
  }

  /** Whether the client has to act: to run a call of its own, or to approve one. */
  get awaitsClient(): boolean {
    return this.#awaitsClient;
  }

  get finish(): Extract<ModelEvent, { type: 'finish' }> | null {
    return this.#finish;
  }

  push(event: ModelEvent): void {
    switch (event.type) {
      case 'text':
      case 'refusal':
        this.#ensure('message', (index) => openMessage(this.#emit, this.#options, index)).add(event);
        break;
      case 'reasoning':
        this.#ensure('reasoning', (index) => openReasoning(this.#emit, this.#options, index)).add(event);
        break;
      case 'tool_call':
        this.#close('completed');
        this.#ensure('call', (index) => this.#openCall(event.callId, event.name, index));
        break;
      case 'tool_arguments':
        this.#open?.item.add(event);
        break;
      case 'finish': {
        const cut = event.reason === 'length' || event.reason === 'content_filter';
        this.#close(cut ? 'incomplete' : 'completed');
        this.#finish = event;
      }
    }
  }

  #close(status: 'completed' | 'incomplete'): void {
    if (this.#open === null) return;
    const { item: open, index } = this.#open;
    const item: Item | null = open.close(status);
    if (item !== null) this.#emit({ type: 'response.output_item.done', output_index: index, item });
    this.#open = null;
  }

  #ensure(kind: OpenItem['kind'], start: (index: number) => OpenItem): OpenItem {
    if (this.#open !== null && this.#open.item.kind !== kind) this.#close('completed');
    if (this.#open === null) {
      const index = this.#options.firstIndex + this.#count;
      this.#count++;
      this.#open = { item: start(index), index };
    }
    return this.#open.item;
  }

  #openCall(callId: string, name: string, index: number): OpenItem {
    const emit = this.#emit;
    const options = this.#options;
    const binding = options.bindings.get(name);
    if (binding !== undefined && !binding.open.needsApproval(binding.name)) {
      return openServerCall(emit, options, index, binding, name, (call) => this.calls.push(call));
    }
    this.#awaitsClient = true;
    if (binding !== undefined) return openApprovalRequest(emit, options, index, binding, name);
    const id = callId !== '' && callId.length <= longestCallId ? callId : newId('call', options.partition);
    const own = options.clientTools.get(name);
    if (own !== undefined) return openClientToolCall(emit, options, index, id, own);
    return options.customTools.has(name)
      ? openCustomCall(emit, options, index, id, name)
      : openFunctionCall(emit, options, index, id, name);
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
