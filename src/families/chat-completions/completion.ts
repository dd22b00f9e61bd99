import { type ApiError, apiError } from '../../errors.ts';
import { type ChatCompletion, type ToolCall, usageObject } from './contract.ts';
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
  const message = emptyMessage();
  let finish: Finish | null = null;
  for await (const piece of pieces) {
    if (isFinish(piece)) finish = piece;
    else addDelta(message, piece);
  }
  if (finish === null) throw unfinished(envelope.model);
  return completed(envelope, message, finish);
}

/** Passes the pieces on; what they amount to is kept before their end is told. */
export async function* keeping(
  envelope: Envelope,
  pieces: AsyncIterable<Delta | Finish>,
  keep: (whole: ChatCompletion) => Promise<void>,
): AsyncGenerator<Delta | Finish> {
  const message = emptyMessage();
  for await (const piece of pieces) {
    if (isFinish(piece)) await keep(completed(envelope, message, piece));
    else addDelta(message, piece);
    yield piece;
  }
}

interface GrowingMessage {
  content: string;
  refusal: string | null;
  calls: ToolCall[];
}

const emptyMessage = (): GrowingMessage => ({ content: '', refusal: null, calls: [] });

function addDelta(message: GrowingMessage, { content, refusal, tool_calls: parts }: Delta): void {
  message.content += content ?? '';
  if (refusal) message.refusal = (message.refusal ?? '') + refusal;
  for (const part of parts ?? []) addToCall(message.calls, part);
}

function completed(
  envelope: Envelope,
  { content, refusal, calls }: GrowingMessage,
  finish: Finish,
): ChatCompletion {
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
