import type { LanguageModelV4StreamPart, LanguageModelV4Usage } from '@ai-sdk/provider';
import type { FinishReason, ModelEvent, ModelUsage } from './model.ts';

type Finish = Extract<LanguageModelV4StreamPart, { type: 'finish' }>;

interface OpenCall {
  id: string;
  arguments: string;
}

/**
 * Turns stream parts into our events, one `EventFold` per call. The SDK ends tool calls only when the
 * whole stream ends, and some servers mix the arguments of parallel calls; so a call counts as complete
 * once its arguments are complete JSON, and until then everything else waits.
 */
export interface EventFold {
  push(part: LanguageModelV4StreamPart): ModelEvent[];
  /** The closing event; null when the upstream never finished. */
  finish(): Extract<ModelEvent, { type: 'finish' }> | null;
}

export function createEventFold(): EventFold {
  const closed = new Set<string>();
  let open: OpenCall | null = null;
  let held: LanguageModelV4StreamPart[] = [];
  let refusal = '';
  let refused = false;
  let end: Finish | null = null;

  const push = (part: LanguageModelV4StreamPart): ModelEvent[] => {
    if (part.type === 'raw') {
      refusal = refusalOf(part.rawValue);
      return [];
    }
    if (part.type === 'finish') {
      end = part;
      return [];
    }
    const call = callOf(part);
    if (call !== null && closed.has(call)) return [];
    if (open === null || call === open.id) return take(part);
    if (isComplete(open.arguments)) return [...close(), ...push(part)];
    held.push(part);
    return [];
  };

  const take = (part: LanguageModelV4StreamPart): ModelEvent[] => {
    switch (part.type) {
      case 'text-delta': {
        if (part.delta === '') return [];
        // The packages send a refusal as text; only the raw chunk just before tells the two apart.
        const isRefusal = part.delta === refusal;
        refused ||= isRefusal;
        return [{ type: isRefusal ? 'refusal' : 'text', delta: part.delta }];
      }
      case 'reasoning-delta':
        return part.delta === '' ? [] : [{ type: 'reasoning', delta: part.delta }];
      case 'tool-input-start':
        open = { id: part.id, arguments: '' };
        return [{ type: 'tool_call', callId: part.id, name: part.toolName }];
      case 'tool-input-delta':
        return argumentsDelta(part.delta);
      case 'tool-call':
        return wholeCall(part.toolCallId, part.toolName, part.input);
      default:
        return [];
    }
  };

  const argumentsDelta = (delta: string): ModelEvent[] => {
    if (open === null || delta === '') return [];
    open.arguments += delta;
    return [{ type: 'tool_arguments', delta }];
  };

  const wholeCall = (callId: string, name: string, input: string): ModelEvent[] => {
    const events: ModelEvent[] =
      open === null ? take({ type: 'tool-input-start', id: callId, toolName: name }) : [];
    if (open?.arguments === '') events.push(...argumentsDelta(input.trim() === '' ? '{}' : input));
    return [...events, ...close()];
  };

  const close = (): ModelEvent[] => {
    if (open !== null) closed.add(open.id);
    open = null;
    const waiting = held;
    held = [];
    return waiting.flatMap(push);
  };

  return {
    push,
    finish() {
      if (end === null) return null;
      const reason = finishReason(end, closed.size > 0, refused);
      return reason === null ? null : { type: 'finish', reason, usage: usageOf(end.usage) };
    },
  };
}

function callOf(part: LanguageModelV4StreamPart): string | null {
  if (part.type === 'tool-call') return part.toolCallId;
  const isInput =
    part.type === 'tool-input-start' || part.type === 'tool-input-delta' || part.type === 'tool-input-end';
  return isInput ? part.id : null;
}

function isComplete(json: string): boolean {
  if (!json.trimEnd().endsWith('}')) return false;
  try {
    JSON.parse(json);
    return true;
  } catch {
    return false;
  }
}

function refusalOf(chunk: unknown): string {
  const choices = (chunk as { choices?: { delta?: { refusal?: unknown } }[] } | null)?.choices;
  const refusal = Array.isArray(choices) ? choices[0]?.delta?.refusal : undefined;
  return typeof refusal === 'string' ? refusal : '';
}

function finishReason(end: Finish, hasCalls: boolean, refused: boolean): FinishReason | null {
  const { unified, raw } = end.finishReason;
  switch (unified) {
    case 'length':
      return 'length';
    case 'content-filter':
      return refused && raw === 'stop' ? 'stop' : 'content_filter';
    case 'tool-calls':
    case 'stop':
      return hasCalls ? 'tool_calls' : 'stop';
    case 'other':
      if (raw === undefined) return null;
      return hasCalls ? 'tool_calls' : 'stop';
    default:
      return null;
  }
}

function usageOf(usage: LanguageModelV4Usage): ModelUsage {
  return {
    inputTokens: usage.inputTokens.total ?? 0,
    cachedInputTokens: usage.inputTokens.cacheRead ?? 0,
    outputTokens: usage.outputTokens.total ?? 0,
    reasoningTokens: usage.outputTokens.reasoning ?? 0,
  };
}
