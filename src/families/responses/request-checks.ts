import { apiError, invalidPayload, unsupportedParameter } from '../../errors.ts';
import { answeredCall, clientToolOf, isClientToolOutput } from './client-tools.ts';
import type { CreateResponse } from './contract.ts';
import type { Item } from './items.ts';

type Field = keyof CreateResponse;

/** Fields of the contract that this server cannot honour, with what makes a value harmless. */
const unsupported: { field: Field; harmless?: (value: unknown) => boolean; advice: string }[] = [
  { field: 'prompt', advice: 'Stored prompts are not served; send instructions and input.' },
  { field: 'context_management', advice: 'Server-side compaction is not served yet.' },
  { field: 'moderation', advice: 'This server has no moderation model.' },
  {
    field: 'top_logprobs',
    harmless: (value) => value === 0,
    advice: 'Log probabilities are not passed on by the model providers here.',
  },
  {
    field: 'service_tier',
    harmless: (value) => value === 'auto' || value === 'default',
    advice: "There is one tier here; leave it out, or send 'auto' or 'default'.",
  },
  { field: 'agent_session_id', advice: 'Sessions belong to hosted agents, which are not served yet.' },
];

/** Throws for what contradicts itself, and for what can't be honoured: nothing is dropped in silence. */
export function checkRequest(body: CreateResponse): void {
  if (body.routing_config !== undefined) {
    throw invalidPayload('routing_config', "'routing_config' is for model routers; this deployment is none.");
  }
  for (const { field, harmless, advice } of unsupported) {
    const value = body[field];
    if (value !== undefined && value !== null && !harmless?.(value))
      throw unsupportedParameter(field, advice);
  }
  if (body.include?.includes('message.output_text.logprobs')) {
    throw unsupportedParameter('include', 'Log probabilities are not passed on by the model providers here.');
  }
  if (body.background && body.store === false) {
    throw invalidPayload('background', "'background' needs 'store': a background response is fetched later.");
  }
  if (body.stream_options && !body.stream) {
    throw invalidPayload('stream_options', "'stream_options' is allowed only with 'stream': true.");
  }
}

export function checkExclusive(
  body: Pick<CreateResponse, 'conversation' | 'previous_response_id' | 'agent' | 'agent_reference'>,
): void {
  if (body.agent && body.agent_reference) {
    throw invalidPayload('agent', "'agent' is the older name of 'agent_reference'; send one of them.");
  }
  if (body.conversation && body.previous_response_id) {
    throw invalidPayload(
      'previous_response_id',
      "'conversation' and 'previous_response_id' cannot be used together; send one of them.",
    );
  }
}

const answers: Record<string, string> = {
  function_call_output: 'function_call',
  custom_tool_call_output: 'custom_tool_call',
};

/** The call that an item makes, where a client has to answer it. */
function callOf(item: Item): { ids: string[]; type: string } | null {
  if (item.type === 'function_call' || item.type === 'custom_tool_call') {
    return item.status === 'incomplete' ? null : { ids: [item.call_id], type: item.type };
  }
  const tool = clientToolOf(item);
  if (tool === undefined || ('status' in item && item.status === 'incomplete')) return null;
  return { ids: [String((item as { call_id?: unknown }).call_id), item.id], type: item.type };
}

/** The call that an item answers. */
function answerOf(item: Item): { id: string; type: string } | null {
  if (item.type === 'function_call_output' || item.type === 'custom_tool_call_output') {
    return { id: item.call_id, type: answers[item.type] ?? '' };
  }
  return isClientToolOutput(item)
    ? { id: answeredCall(item), type: item.type.replace(/_output$/, '') }
    : null;
}

/**
 * Each tool output needs its call before it, and each call its output before the model goes on. Models refuse such
 * input, and a refusal that names the call is easier to act on than theirs.
 */
export function checkCalls(context: Item[], input: Item[]): void {
  const calls = new Map<string, string>();
  const open = new Map<string, string>();
  const visit = (item: Item, target: string | null): void => {
    const call = callOf(item);
    for (const id of call?.ids ?? []) calls.set(id, call?.type ?? '');
    const [callId] = call?.ids ?? [];
    if (callId !== undefined) open.set(callId, item.id);
    const answer = answerOf(item);
    if (answer === null) return;
    if (target !== null && calls.get(answer.id) !== answer.type) {
      throw invalidPayload(
        `${target}.call_id`,
        `No tool call found for ${answer.type.replaceAll('_', ' ')} output with call_id ${answer.id}.`,
      );
    }
    for (const [openId, itemId] of open)
      if (openId === answer.id || itemId === answer.id) open.delete(openId);
  };
  for (const item of context) visit(item, null);
  for (const [i, item] of input.entries()) visit(item, `input[${i}]`);
  const [pending] = open.keys();
  if (pending !== undefined) {
    throw apiError(
      'invalid_payload',
      `No tool output found for function call ${pending}. Send its output with this call_id in 'input'.`,
      { target: 'input' },
    );
  }
}
