import { type ApiError, apiError } from '../../../errors.ts';
import type { ScenarioReply } from '../../../kit/scenario.ts';
import type { FinishReason, ModelRequest, ModelUsage } from '../model.ts';
import { answer } from './answer.ts';
import { callIdFor } from './call-id.ts';
import type { Conversation } from './conversation.ts';
import { failureCode, type Scenario } from './scenarios/scenario.ts';
import { thoughts } from './thoughts.ts';

export type Segment =
  | { type: 'text' | 'refusal' | 'reasoning'; text: string; chunks: string[] | null; isJson: boolean }
  | { type: 'tool_call'; callId: string; name: string; arguments: string };

/** What the model is going to say, before limits are put on it. */
export interface Reply {
  segments: Segment[];
  finish: FinishReason | null;
  usage: Partial<ModelUsage>;
  delay: number;
  chunkDelay: number;
  failure: { error: ApiError; after: number } | null;
}

const plain = { finish: null, usage: {}, delay: 0, chunkDelay: 0, failure: null };

const said = (
  type: 'text' | 'refusal' | 'reasoning',
  text: string,
  rest: Partial<Segment> = {},
): Segment => ({
  type,
  text,
  chunks: null,
  isJson: false,
  ...(rest as object),
});

/** The reply of the model itself: calls of tools, JSON of the wanted format, or words. */
export async function ownReply(request: ModelRequest, conversation: Conversation): Promise<Reply> {
  const { outputFormat: format, reasoningEffort, tools } = request;
  const think = (next: string): Segment[] => {
    const text = thoughts(conversation, reasoningEffort, next);
    return text === '' ? [] : [said('reasoning', text)];
  };
  if (tools.length > 0 && request.toolChoice !== 'none') {
    const { callsToMake } = await import('./tool-calls.ts');
    const calls = callsToMake(request, conversation);
    const names = [...new Set(calls.map(({ name }) => name))].join(' and ');
    if (calls.length > 0) {
      const segments = calls.map((call, at): Segment => {
        return { type: 'tool_call', callId: callIdFor(request, conversation, call, at), ...call };
      });
      return { ...plain, segments: [...think(`I call ${names}.`), ...segments] };
    }
  }
  if (format.type !== 'text') {
    const { structuredAnswer } = await import('./structured.ts');
    const text = structuredAnswer(conversation, format);
    return { ...plain, segments: [...think('I answer in JSON.'), said('text', text, { isJson: true })] };
  }
  const text = answer(
    conversation,
    request.verbosity,
    tools.map(({ name }) => name),
  );
  return { ...plain, segments: [...think('I answer in words.'), said('text', text)] };
}

/** The reply that a scenario scripts. */
export function scriptedReply({ reply }: Scenario, request: ModelRequest, conversation: Conversation): Reply {
  const { chunks, usage } = reply;
  const segments: Segment[] = [];
  if (reply.reasoning !== undefined) segments.push(said('reasoning', reply.reasoning));
  if (reply.text !== undefined) segments.push(said('text', reply.text));
  if (chunks !== undefined) segments.push(said('text', chunks.join(''), { chunks }));
  if (reply.json !== undefined) segments.push(said('text', JSON.stringify(reply.json), { isJson: true }));
  if (reply.refusal !== undefined) segments.push(said('refusal', reply.refusal));
  for (const [at, { name, arguments: given = {}, id }] of (reply.tool_calls ?? []).entries()) {
    const call = { name, arguments: typeof given === 'string' ? given : JSON.stringify(given) };
    segments.push({ type: 'tool_call', callId: id ?? callIdFor(request, conversation, call, at), ...call });
  }
  return {
    segments,
    finish: reply.finish ?? null,
    usage: {
      ...(usage?.input_tokens === undefined ? {} : { inputTokens: usage.input_tokens }),
      ...(usage?.cached_input_tokens === undefined ? {} : { cachedInputTokens: usage.cached_input_tokens }),
      ...(usage?.output_tokens === undefined ? {} : { outputTokens: usage.output_tokens }),
      ...(usage?.reasoning_tokens === undefined ? {} : { reasoningTokens: usage.reasoning_tokens }),
    },
    delay: reply.delay_ms ?? 0,
    chunkDelay: reply.chunk_delay_ms ?? 0,
    failure:
      reply.fail === undefined ? null : { error: failure(reply.fail), after: reply.fail_after_chunks ?? 0 },
  };
}

function failure(fail: NonNullable<ScenarioReply['fail']>): ApiError {
  const code = failureCode(fail);
  const isAboutInput = code === 'context_length_exceeded' || code === 'content_filter';
  return apiError(code, fail.message ?? 'A scenario of the builtin model scripts this failure.', {
    ...(isAboutInput ? { target: 'input' } : {}),
    ...(fail.retry_after === undefined ? {} : { headers: { 'retry-after': String(fail.retry_after) } }),
  });
}
