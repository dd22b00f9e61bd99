import { setImmediate, setTimeout } from 'node:timers/promises';
import { apiError } from '../../../errors.ts';
import type { FinishReason, ModelEvent, ModelRequest, ModelUsage } from '../model.ts';
import { countRequestTokens } from '../token-count.ts';
import { readConversation } from './conversation.ts';
import { ownReply, type Reply, type Segment, scriptedReply } from './reply.ts';
import type { Scenario } from './scenarios/scenario.ts';
import { cutToTokens } from './tokens.ts';

export const contextWindow = 128_000;

/** One call of the builtin model: the first scenario that matches, else the model's own reply. */
export async function* generate(
  scenarios: readonly Scenario[],
  request: ModelRequest,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  signal.throwIfAborted();
  const inputTokens = await countRequestTokens(request);
  if (inputTokens > contextWindow) throw tooLong(inputTokens);
  const conversation = readConversation(request.messages);
  const scenario = scenarios.find((each) => each.matches(request, conversation));
  const reply =
    scenario === undefined
      ? await ownReply(request, conversation)
      : scriptedReply(scenario, request, conversation);
  const limited = await withLimits(reply.segments, request);
  await pause(reply.delay, signal);
  yield* spoken(reply, limited.segments, request.stream, signal);
  signal.throwIfAborted();
  if (reply.failure !== null) throw reply.failure.error;
  const { outputTokens, reasoningTokens } = limited;
  const usage: ModelUsage = {
    inputTokens,
    cachedInputTokens: 0,
    outputTokens,
    reasoningTokens,
    ...reply.usage,
  };
  yield { type: 'finish', reason: finishOf(reply, limited), usage };
}

const tooLong = (tokens: number) =>
  apiError(
    'context_length_exceeded',
    `The input has ${tokens} tokens, and the context window of the builtin model takes ${contextWindow}. ` +
      'Shorten the input or start a new conversation.',
    { target: 'input' },
  );

interface Limited {
  segments: Segment[];
  outputTokens: number;
  reasoningTokens: number;
  /** Whether `maxOutputTokens` left something out. */
  short: boolean;
}

async function withLimits(segments: Segment[], request: ModelRequest): Promise<Limited> {
  const limited: Limited = { segments: [], outputTokens: 0, reasoningTokens: 0, short: false };
  let left = request.maxOutputTokens ?? Number.POSITIVE_INFINITY;
  for (const segment of segments) {
    const stop = segment.type === 'text' ? firstStop(segment.text, request.stop) : -1;
    const full = segment.type === 'tool_call' ? segment.arguments : segment.text;
    const named = segment.type === 'tool_call' ? await cutToTokens(segment.name, left) : null;
    // A call whose name does not fit any more cannot be begun.
    if (named?.short) return { ...limited, outputTokens: limited.outputTokens + left, short: true };
    left -= named?.tokens ?? 0;
    const cut = await cutToTokens(stop < 0 ? full : full.slice(0, stop), left);
    left -= cut.tokens;
    limited.outputTokens += cut.tokens + (named?.tokens ?? 0);
    if (segment.type === 'reasoning') limited.reasoningTokens += cut.tokens;
    if (segment.type === 'tool_call') limited.segments.push({ ...segment, arguments: cut.text });
    else if (cut.text !== '') limited.segments.push({ ...segment, text: cut.text });
    if (cut.short) return { ...limited, short: true };
    if (stop >= 0) break;
  }
  return limited;
}

/** Where the first of the stop sequences begins in `text`; -1 when there is none. */
function firstStop(text: string, stop: string[]): number {
  const places = stop.filter((each) => each !== '').map((each) => text.indexOf(each));
  const found = places.filter((place) => place >= 0);
  return found.length === 0 ? -1 : Math.min(...found);
}

function finishOf(reply: Reply, { segments, short }: Limited): FinishReason {
  if (short) return 'length';
  if (reply.finish !== null) return reply.finish;
  return segments.some(({ type }) => type === 'tool_call') ? 'tool_calls' : 'stop';
}

/** Pieces between which others get their turn. */
const piecesAtOnce = 128;

async function* spoken(
  { failure, chunkDelay }: Reply,
  segments: Segment[],
  stream: boolean,
  signal: AbortSignal,
): AsyncGenerator<ModelEvent> {
  let count = 0;
  for (const segment of segments) {
    if (segment.type === 'tool_call') {
      signal.throwIfAborted();
      if (failure !== null && count >= failure.after) return;
      yield { type: 'tool_call', callId: segment.callId, name: segment.name };
    }
    for (const delta of stream ? piecesOf(segment) : [contentOf(segment)]) {
      if (failure !== null && count >= failure.after) return;
      if (count > 0) await pause(chunkDelay, signal);
      if (++count % piecesAtOnce === 0) await setImmediate();
      signal.throwIfAborted();
      if (segment.type === 'tool_call') yield { type: 'tool_arguments', delta };
      else yield { type: segment.type, delta };
    }
  }
}

const contentOf = (segment: Segment): string =>
  segment.type === 'tool_call' ? segment.arguments : segment.text;

const words = /\s*\S{1,64}|\s+/gu;
const jsonPieces = /[^,:]{0,23}[,:]|[^,:]{1,24}/gu;

/** A text word by word, JSON in small pieces, scripted chunks as they are, as far as the limits let them. */
function piecesOf(segment: Segment): string[] {
  const text = contentOf(segment);
  if (segment.type === 'tool_call' || segment.isJson) return text.match(jsonPieces) ?? [];
  if (segment.chunks === null) return text.match(words) ?? [];
  const pieces: string[] = [];
  let left = text.length;
  for (const chunk of segment.chunks) {
    if (left <= 0) break;
    if (chunk !== '') pieces.push(chunk.slice(0, left));
    left -= chunk.length;
  }
  return pieces;
}

async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  if (milliseconds === 0) return;
  try {
    await setTimeout(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
