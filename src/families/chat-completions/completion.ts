import { type ApiError, apiError } from '../../errors.ts';
import type { ModelUsage } from '../../providers/models/model.ts';
import type { ChatCompletion, ToolCall, Usage } from './contract.ts';
import { type Delta, type Finish, isFinish, type ToolCallDelta } from './deltas.ts';

/** What a completion and all of its chunks have in common. */
export interface Envelope {
  id: string;
  created: number;
  /** Name of the deployment. */
  model: string;
  /** Answered only to those who asked for one. */
  service_tier?: string;
}

/** The whole completion, out of its pieces. */
export async function completion(
  envelope: Envelope,
  pieces: AsyncIterable<Delta | Finish>,
): Promise<ChatCompletion> {
  let content = '';
  let refusal: string | null = null;
  let finish: Finish | null = null;
  const calls: ToolCall[] = [];
  for await (const piece of pieces) {
    if (isFinish(piece)) {
      finish = piece;
      continue;
    }
    content += piece.content ?? '';
    if (piece.refusal) refusal = (refusal ?? '') + piece.refusal;
    for (const part of piece.tool_calls ?? []) addToCall(calls, part);
  }
  if (finish === null) throw unfinished(envelope.model);
  const isEmpty = content === '' && (refusal !== null || calls.length > 0);
  return {
    id: envelope.id,
    object: 'chat.completion',
    created: envelope.created,
    model: envelope.model,
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: isEmpty ? null : content,
          refusal,
          annotations: [],
          ...(calls.length > 0 ? { tool_calls: calls } : {}),
        },
        finish_reason: finish.reason,
        logprobs: null,
      },
    ],
    usage: usageObject(finish.usage),
    ...(envelope.service_tier === undefined ? {} : { service_tier: envelope.service_tier }),
  };
}

function addToCall(calls: ToolCall[], piece: ToolCallDelta): void {
  const { index, id = '' } = piece;
  const call = calls[index];
  if (piece.function !== undefined) {
    const { name = '', arguments: json } = piece.function;
    if (call === undefined) calls[index] = { id, type: 'function', function: { name, arguments: json } };
    else if (call.type === 'function') call.function.arguments += json;
  } else if (piece.custom !== undefined) {
    const { name = '', input } = piece.custom;
    if (call === undefined) calls[index] = { id, type: 'custom', custom: { name, input } };
    else if (call.type === 'custom') call.custom.input += input;
  }
}

export const unfinished = (deployment: string): ApiError =>
  apiError(
    'model_error',
    `Deployment '${deployment}' ended its answer without finishing it. Repeat the request.`,
  );

export function usageObject(usage: ModelUsage): Usage {
  return {
    prompt_tokens: usage.inputTokens,
    completion_tokens: usage.outputTokens,
    total_tokens: usage.inputTokens + usage.outputTokens,
    prompt_tokens_details: { cached_tokens: usage.cachedInputTokens, audio_tokens: 0 },
    completion_tokens_details: {
      reasoning_tokens: usage.reasoningTokens,
      audio_tokens: 0,
      accepted_prediction_tokens: 0,
      rejected_prediction_tokens: 0,
    },
  };
}
