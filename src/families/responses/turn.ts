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

export interface Turn {
  push(event: ModelEvent): void;
  /** How many items the turn has opened. */
  readonly count: number;
  /** Calls for the server to run. */
  readonly calls: PendingCall[];
  /** Whether the client has to act: to run a call of its own, or to approve one. */
  readonly awaitsClient: boolean;
  readonly finish: Extract<ModelEvent, { type: 'finish' }> | null;
}

const longestCallId = 64;

/** Turns the events of one model call into those of a response: items opened, filled and closed, one after another. */
export function createTurn(emit: Emit, options: TurnOptions): Turn {
  const calls: PendingCall[] = [];
  let open: { item: OpenItem; index: number } | null = null;
  let count = 0;
  let awaitsClient = false;
  let finish: Turn['finish'] = null;

  const close = (status: 'completed' | 'incomplete'): void => {
    if (open === null) return;
    const item: Item | null = open.item.close(status);
    if (item !== null) emit({ type: 'response.output_item.done', output_index: open.index, item });
    open = null;
  };
  const ensure = (kind: OpenItem['kind'], start: (index: number) => OpenItem): OpenItem => {
    if (open !== null && open.item.kind !== kind) close('completed');
    if (open === null) {
      const index = options.firstIndex + count;
      count++;
      open = { item: start(index), index };
    }
    return open.item;
  };
  const openCall = (callId: string, name: string, index: number): OpenItem => {
    const binding = options.bindings.get(name);
    if (binding !== undefined && !binding.open.needsApproval(binding.name)) {
      return openServerCall(emit, options, index, binding, name, (call) => calls.push(call));
    }
    awaitsClient = true;
    if (binding !== undefined) return openApprovalRequest(emit, options, index, binding, name);
    const id = callId !== '' && callId.length <= longestCallId ? callId : newId('call', options.partition);
    const own = options.clientTools.get(name);
    if (own !== undefined) return openClientToolCall(emit, options, index, id, own);
    return options.customTools.has(name)
      ? openCustomCall(emit, options, index, id, name)
      : openFunctionCall(emit, options, index, id, name);
  };

  return {
    calls,
    get count() {
      return count;
    },
    get awaitsClient() {
      return awaitsClient;
    },
    get finish() {
      return finish;
    },
    push(event) {
      switch (event.type) {
        case 'text':
        case 'refusal':
          ensure('message', (index) => openMessage(emit, options, index)).add(event);
          break;
        case 'reasoning':
          ensure('reasoning', (index) => openReasoning(emit, options, index)).add(event);
          break;
        case 'tool_call':
          close('completed');
          ensure('call', (index) => openCall(event.callId, event.name, index));
          break;
        case 'tool_arguments':
          open?.item.add(event);
          break;
        case 'finish':
          close(event.reason === 'length' || event.reason === 'content_filter' ? 'incomplete' : 'completed');
          finish = event;
      }
    },
  };
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
